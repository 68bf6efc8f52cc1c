import { useQuery } from '@tanstack/react-query';
import { type KeyboardEvent, useEffect, useState } from 'react';
import { queryClient } from '../api/query-client.ts';
import { type RenderedReply, replyTextQuery, savedRepliesQuery } from '../api/templates.ts';
import type { SavedReply } from '../api/types.ts';
import { optionId } from './SavedReplyList.tsx';

const MOST = 8;

/** What is offered after a `/` at the beginning of a reply, and what the keys do meanwhile. */
export function useSavedReplies(conversationId: string, text: string, insert: (filled: RenderedReply) => void) {
  const opened = /^\/[^\n]*$/.test(text);
  const wanted = text.slice(1).trim().toLowerCase();
  const { data, error } = useQuery({ ...savedRepliesQuery, enabled: opened });
  const [active, setActive] = useState(0);
  const [problem, setProblem] = useState<Error>();
  const found = (data ?? []).filter(({ title, category, body }) => `${title} ${category ?? ''} ${body}`.toLowerCase().includes(wanted));
  const items = found.slice(0, MOST);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another search begins at its first hit.
  useEffect(() => setActive(0), [wanted]);

  const current = items[Math.min(active, items.length - 1)];
  const { data: preview } = useQuery({
    ...replyTextQuery(current?.id ?? '', conversationId),
    enabled: opened && current !== undefined,
  });

  const choose = (reply: SavedReply) => {
    queryClient
      .fetchQuery(replyTextQuery(reply.id, conversationId))
      .then((filled) => {
        setProblem(undefined);
        insert(filled);
      })
      .catch(setProblem);
  };

  /** True when the key was meant for the list. */
  const onKeyDown = (event: KeyboardEvent): boolean => {
    if (!opened || items.length === 0) return false;
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      const step = event.key === 'ArrowDown' ? 1 : -1;
      setActive((active + step + items.length) % items.length);
    } else if ((event.key === 'Enter' || event.key === 'Tab') && current) choose(current);
    else return false;
    event.preventDefault();
    return true;
  };

  return {
    opened,
    items,
    activeId: opened && current ? optionId(current) : undefined,
    preview,
    empty: data !== undefined && items.length === 0,
    none: data?.length === 0,
    problem: error ?? problem,
    choose,
    onKeyDown,
  };
}
