import { useEffect, useRef } from 'react';
import { putConversation } from '../api/cache.ts';
import { queryClient } from '../api/query-client.ts';
import { type ConversationFilter, changeConversation, conversationQuery, conversationsQuery } from '../api/workspace.ts';

export const SHORTCUTS: { keys: string[]; what: string }[] = [
  { keys: ['j'], what: 'Next conversation' },
  { keys: ['k'], what: 'Previous conversation' },
  { keys: ['r'], what: 'Write a reply' },
  { keys: ['c'], what: 'Write to somebody new' },
  { keys: ['e'], what: 'Close the conversation, or open it again' },
  { keys: ['/'], what: 'Search; in a reply: insert a saved one' },
  { keys: ['Enter'], what: 'Send what you wrote' },
  { keys: ['Shift', 'Enter'], what: 'Begin a new line' },
  { keys: ['Esc'], what: 'Leave the field' },
  { keys: ['Ctrl', 'Enter'], what: 'Send a mail' },
  { keys: ['Ctrl', 'k'], what: 'Go anywhere: pages, conversations, actions' },
  { keys: ['?'], what: 'Show this list' },
];

/** Where a key is a letter; a switch or a choice is no such place. */
const TYPED_IN = 'input:not([type=radio], [type=checkbox]), textarea, select, [contenteditable]';

/** The elements that shortcuts bring the cursor to. */
export const SEARCH_FIELD = 'inbox-search';
export const REPLY_FIELD = 'inbox-reply';

interface Context {
  filter: ConversationFilter;
  conversationId?: string;
  choose: (id: string) => void;
  compose: () => void;
  showHelp: () => void;
}

/** The inbox's keys; silent while somebody types or a window is open. */
export function useShortcuts(context: Context): void {
  const current = useRef(context);
  current.current = context;
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      const target = event.target as HTMLElement;
      const typing = target.matches(TYPED_IN);
      if (typing && event.key === 'Escape') target.blur();
      if (typing || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
      if (document.querySelector('[role=dialog]')) return;
      if (act(event.key, current.current)) event.preventDefault();
    };
    document.addEventListener('keydown', listen);
    return () => document.removeEventListener('keydown', listen);
  }, []);
}

function act(key: string, { filter, conversationId, choose, compose, showHelp }: Context): boolean {
  switch (key) {
    case 'j':
    case 'k':
      return step(filter, conversationId, key === 'j' ? 1 : -1, choose);
    case 'r':
      document.getElementById(REPLY_FIELD)?.focus();
      return true;
    case 'c':
      compose();
      return true;
    case 'e':
      if (conversationId) void toggleStatus(conversationId);
      return true;
    case '/':
      document.getElementById(SEARCH_FIELD)?.focus();
      return true;
    case '?':
      showHelp();
      return true;
    default:
      return false;
  }
}

function step(filter: ConversationFilter, chosen: string | undefined, by: 1 | -1, choose: (id: string) => void): boolean {
  const list = queryClient.getQueryData(conversationsQuery(filter).queryKey)?.pages.flatMap((page) => page.results) ?? [];
  const at = list.findIndex(({ id }) => id === chosen);
  const next = list[at === -1 ? 0 : at + by];
  if (next) choose(next.id);
  return true;
}

/** Closes an open conversation, opens a closed one. */
export async function toggleStatus(conversationId: string): Promise<void> {
  const conversation = queryClient.getQueryData(conversationQuery(conversationId).queryKey);
  if (!conversation) return;
  const changed = await changeConversation(conversationId, { status: conversation.status === 'active' ? 'closed' : 'active' });
  putConversation(queryClient, changed);
}
