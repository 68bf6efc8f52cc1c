import { Center, Loader, Stack } from '@mantine/core';
import { useMediaQuery } from '@mantine/hooks';
import { IconMessageOff } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { lazy, Suspense, useEffect, useState } from 'react';
import { ApiError } from '../api/client.ts';
import { queryClient } from '../api/query-client.ts';
import type { Conversation, Message } from '../api/types.ts';
import { conversationQuery, markRead } from '../api/workspace.ts';
import { EmptyState } from '../components/EmptyState.tsx';
import { Problem } from '../components/Problem.tsx';
import { Composer } from './Composer.tsx';
import { MessageList } from './MessageList.tsx';
import classes from './Thread.module.css';
import { ThreadHeader } from './ThreadHeader.tsx';

const ContactAside = lazy(() => import('./ContactAside.tsx').then(({ ContactAside }) => ({ default: ContactAside })));

/** One conversation: who, what was said, and the reply. */
export function Thread({ conversationId }: { conversationId: string }) {
  const { data: conversation, error, refetch } = useQuery(conversationQuery(conversationId));
  const wide = useMediaQuery('(min-width: 80em)', true, { getInitialValueInEffect: false });
  const [aside, setAside] = useState(wide);
  const [replyTo, setReplyTo] = useState<Message>();
  // What stands beside the thread on a wide screen would cover it on a narrow one.
  useEffect(() => setAside(wide), [wide]);
  useReadMark(conversation);

  if (error && !conversation) return <ThreadProblem error={error} onRetry={() => void refetch()} />;
  if (!conversation) {
    return (
      <Center h="100%" data-phone-thread>
        <Loader aria-label="Loading" />
      </Center>
    );
  }
  return (
    <div className={classes.thread} data-phone-thread>
      <div className={classes.column}>
        <ThreadHeader conversation={conversation} aside={aside} onToggleAside={() => setAside(!aside)} />
        <MessageList conversation={conversation} onReplyTo={setReplyTo} />
        <Composer conversation={conversation} replyTo={replyTo} onReplyDone={() => setReplyTo(undefined)} />
      </div>
      <Suspense fallback={wide && aside && <div className={classes.aside} />}>
        <ContactAside conversation={conversation} wide={wide} opened={aside} onClose={() => setAside(false)} />
      </Suspense>
    </div>
  );
}

function ThreadProblem({ error, onRetry }: { error: Error; onRetry: () => void }) {
  if (error instanceof ApiError && error.status === 404) {
    return (
      <EmptyState icon={IconMessageOff} title="There is no such conversation">
        It may belong to another workspace, or its channel was deleted.
      </EmptyState>
    );
  }
  return (
    <Stack p="lg">
      <Problem error={error} onRetry={onRetry} />
    </Stack>
  );
}

/** A conversation that somebody looks at is read, as soon as they look. */
function useReadMark(conversation: Conversation | undefined): void {
  const id = conversation?.id;
  const unread = (conversation?.unreadCount ?? 0) > 0;
  const [visible, setVisible] = useState(document.visibilityState === 'visible');
  useEffect(() => {
    const look = () => setVisible(document.visibilityState === 'visible');
    document.addEventListener('visibilitychange', look);
    return () => document.removeEventListener('visibilitychange', look);
  }, []);
  useEffect(() => {
    if (!id || !unread || !visible) return;
    // A failure only leaves the mark where it is; the next look tries again.
    markRead(id).catch(() => queryClient.invalidateQueries({ queryKey: conversationQuery(id).queryKey }));
  }, [id, unread, visible]);
}
