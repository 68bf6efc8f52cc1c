import { Kbd } from '@mantine/core';
import { IconMessages } from '@tabler/icons-react';
import { useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { lazy, Suspense, useCallback, useMemo, useState } from 'react';
import type { ConversationFilter } from '../api/workspace.ts';
import { EmptyState } from '../components/EmptyState.tsx';
import { usePageTitle } from '../components/page-title.ts';
import { ConversationList } from './ConversationList.tsx';
import classes from './InboxPage.module.css';
import { useShortcuts } from './shortcuts.ts';
import { Thread } from './Thread.tsx';

const CheatSheet = lazy(() => import('./CheatSheet.tsx').then(({ CheatSheet }) => ({ default: CheatSheet })));

const NewMessage = lazy(() => import('./NewMessage.tsx').then(({ NewMessage }) => ({ default: NewMessage })));

/** Conversations at the left, the chosen one beside them; on a phone one after the other. */
export function InboxPage() {
  const search = useSearch({ from: '/inbox' });
  const { conversationId } = useParams({ strict: false });
  const navigate = useNavigate();
  const [help, setHelp] = useState(false);
  const [composing, setComposing] = useState(false);
  usePageTitle('Inbox');

  const filter = useMemo<ConversationFilter>(
    () => ({ status: search.status ?? 'active', unread: search.unread, channelId: search.channel, search: search.q, tag: search.tag }),
    [search],
  );
  const choose = useCallback(
    (id: string) => void navigate({ to: '/inbox/$conversationId', params: { conversationId: id }, search: true }),
    [navigate],
  );
  const compose = useCallback(() => setComposing(true), []);
  useShortcuts({ filter, conversationId, choose, compose, showHelp: () => setHelp(true) });

  return (
    <div className={classes.inbox} data-thread={conversationId ? true : undefined}>
      <ConversationList filter={filter} chosen={conversationId} onCompose={compose} />
      <section className={classes.thread} aria-label="Conversation">
        {conversationId ? (
          <Thread key={conversationId} conversationId={conversationId} />
        ) : (
          <EmptyState icon={IconMessages} title="No conversation chosen">
            Choose one from the list, or press <Kbd size="xs">j</Kbd> to open the first. <Kbd size="xs">?</Kbd> shows every key.
          </EmptyState>
        )}
      </section>
      {composing && (
        <Suspense>
          <NewMessage
            onClose={() => setComposing(false)}
            onSent={({ conversationId: id }) => {
              setComposing(false);
              choose(id);
            }}
          />
        </Suspense>
      )}
      {help && (
        <Suspense>
          <CheatSheet onClose={() => setHelp(false)} />
        </Suspense>
      )}
    </div>
  );
}
