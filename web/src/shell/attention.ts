import { useInfiniteQuery } from '@tanstack/react-query';
import { conversationsQuery } from '../api/workspace.ts';
import { useWaitingInTitle } from '../components/page-title.ts';

/** Open conversations with unread messages, as the navigation and the window's title show them; “40+” when there are more. */
export function useAttention(): string {
  const { data } = useInfiniteQuery(conversationsQuery({ status: 'active', unread: true }));
  const count = data?.pages.reduce((sum, page) => sum + page.results.length, 0) ?? 0;
  const unread = count === 0 ? '' : `${count}${data?.pages.at(-1)?.nextPageToken ? '+' : ''}`;
  useWaitingInTitle(unread);
  return unread;
}
