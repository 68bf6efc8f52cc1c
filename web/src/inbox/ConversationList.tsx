import { Button, Loader, Skeleton } from '@mantine/core';
import { IconInbox, IconMoodSmile, IconSearchOff } from '@tabler/icons-react';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useEffect, useRef } from 'react';
import { type ConversationFilter, channelsQuery, conversationsQuery } from '../api/workspace.ts';
import { EmptyState } from '../components/EmptyState.tsx';
import { Problem } from '../components/Problem.tsx';
import classes from './ConversationList.module.css';
import { ConversationRow } from './ConversationRow.tsx';
import { ListFilters } from './ListFilters.tsx';

interface Props {
  filter: ConversationFilter;
  chosen?: string;
  onCompose: () => void;
}

export function ConversationList({ filter, chosen, onCompose }: Props) {
  const { data, error, isPending, refetch, fetchNextPage, hasNextPage, isFetchingNextPage } = useInfiniteQuery(conversationsQuery(filter));
  const conversations = data?.pages.flatMap((page) => page.results) ?? [];
  const end = useRef<HTMLDivElement>(null);

  useEffect(() => {
    if (!end.current || !hasNextPage) return;
    const watcher = new IntersectionObserver(([entry]) => entry?.isIntersecting && void fetchNextPage(), { rootMargin: '400px' });
    watcher.observe(end.current);
    return () => watcher.disconnect();
  }, [hasNextPage, fetchNextPage]);

  return (
    <section className={classes.list} aria-label="Conversations">
      <ListFilters filter={filter} onCompose={onCompose} />
      <div className={classes.rows}>
        {error && (
          <div className={classes.problem}>
            <Problem error={error} onRetry={() => void refetch()} />
          </div>
        )}
        {isPending && <LoadingRows />}
        {data && conversations.length === 0 && <Nothing filter={filter} />}
        {conversations.map((conversation) => (
          <ConversationRow key={conversation.id} conversation={conversation} chosen={conversation.id === chosen} />
        ))}
        <div ref={end} className={classes.end}>
          {isFetchingNextPage && <Loader size="sm" aria-label="Loading more" />}
        </div>
      </div>
    </section>
  );
}

function LoadingRows() {
  return ['a', 'b', 'c', 'd', 'e', 'f'].map((key) => (
    <div key={key} className={classes.loading} aria-hidden="true">
      <Skeleton circle height={40} />
      <div>
        <Skeleton height={10} width="50%" radius="xl" />
        <Skeleton height={10} mt={10} radius="xl" />
      </div>
    </div>
  ));
}

function Nothing({ filter }: { filter: ConversationFilter }) {
  const { data: channels } = useQuery(channelsQuery);
  if (filter.search || filter.channelId || filter.tag) {
    return (
      <EmptyState
        icon={IconSearchOff}
        title="Nothing found"
        action={
          <Button component={Link} to="/inbox" variant="light" size="xs" mt="xs">
            Show every open conversation
          </Button>
        }
      >
        No {filter.status === 'active' ? 'open' : 'closed'} conversation fits what you asked for.
      </EmptyState>
    );
  }
  if (filter.unread) {
    return (
      <EmptyState icon={IconMoodSmile} title="All read">
        Nobody waits for you to read their message.
      </EmptyState>
    );
  }
  if (filter.status === 'closed') {
    return (
      <EmptyState icon={IconInbox} title="Nothing closed">
        Conversations that you close go here, and come back when the customer writes again.
      </EmptyState>
    );
  }
  if (channels?.length === 0) {
    return (
      <EmptyState
        icon={IconInbox}
        title="Connect your first channel"
        action={
          <Button component={Link} to="/channels/new" size="xs" mt="xs">
            Choose a channel
          </Button>
        }
      >
        What your customers write shows here, whichever way they write it.
      </EmptyState>
    );
  }
  return (
    <EmptyState icon={IconInbox} title="No open conversations">
      What your customers write shows here as it comes in.
    </EmptyState>
  );
}
