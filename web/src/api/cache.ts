/** Merges what the live stream tells into what the pages have read. */
import type { InfiniteData, QueryClient } from '@tanstack/react-query';
import type { ChannelDetails, Conversation, Message, Page } from './types.ts';
import {
  type ConversationFilter,
  channelQuery,
  channelsQuery,
  contactConversationsQuery,
  conversationQuery,
  messagesQuery,
} from './workspace.ts';

/** What a list that is read page by page holds. */
export type Pages<T> = InfiniteData<Page<T>, string>;

/** Puts a message into its thread: in its place when it is new, over its older self when it is known. */
export function putMessage(client: QueryClient, message: Message): void {
  client.setQueryData<Pages<Message>>(messagesQuery(message.conversationId).queryKey, (data) => data && withMessage(data, message));
}

/** The thread with the message in it. Pages run from the newest message to the oldest. */
export function withMessage(data: Pages<Message>, message: Message): Pages<Message> {
  let known = false;
  const pages = data.pages.map((page) => {
    if (!page.results.some(({ id }) => id === message.id)) return page;
    known = true;
    return { ...page, results: page.results.map((old) => (old.id === message.id ? message : old)) };
  });
  if (known) return { ...data, pages };
  const place = pages.findIndex((page) => page.results.some((old) => isBefore(old, message)));
  // Older than everything read so far: it comes with the page that it belongs to.
  if (place === -1 && pages.at(-1)?.nextPageToken) return data;
  const at = place === -1 ? pages.length - 1 : place;
  return { ...data, pages: pages.map((page, index) => (index === at ? insert(page, message) : page)) };
}

function insert(page: Page<Message>, message: Message): Page<Message> {
  const at = page.results.findIndex((old) => isBefore(old, message));
  const results = [...page.results];
  results.splice(at === -1 ? results.length : at, 0, message);
  return { ...page, results };
}

function isBefore(one: Message, other: Message): boolean {
  return one.createdAt === other.createdAt ? one.id < other.id : one.createdAt < other.createdAt;
}

/** Puts a conversation into every list that it belongs to, out of those that it left, and over what was read by its id. */
export function putConversation(client: QueryClient, conversation: Conversation): void {
  client.setQueryData(conversationQuery(conversation.id).queryKey, conversation);
  for (const query of client.getQueryCache().findAll({ queryKey: ['conversations'] })) {
    const filter = query.queryKey[1] as ConversationFilter;
    if (filter.search) {
      // Only the server knows what a search finds.
      void client.invalidateQueries({ queryKey: query.queryKey });
      continue;
    }
    client.setQueryData<Pages<Conversation>>(query.queryKey, (data) => data && withConversation(data, conversation, filter));
  }
  void client.invalidateQueries({ queryKey: contactConversationsQuery(conversation.contact.id).queryKey });
}

/** The list with the conversation in its place (newest message first), or without it where it does not belong. */
export function withConversation(data: Pages<Conversation>, conversation: Conversation, filter: ConversationFilter): Pages<Conversation> {
  const pages = data.pages.map((page) =>
    page.results.some(({ id }) => id === conversation.id)
      ? { ...page, results: page.results.filter(({ id }) => id !== conversation.id) }
      : page,
  );
  if (!belongs(conversation, filter)) return { ...data, pages };
  const time = timeOf(conversation);
  const place = pages.findIndex((page) => page.results.some((other) => timeOf(other) <= time));
  if (place === -1 && pages.at(-1)?.nextPageToken) return { ...data, pages };
  const at = place === -1 ? pages.length - 1 : place;
  return {
    ...data,
    pages: pages.map((page, index) => {
      if (index !== at) return page;
      const position = page.results.findIndex((other) => timeOf(other) <= time);
      const results = [...page.results];
      results.splice(position === -1 ? results.length : position, 0, conversation);
      return { ...page, results };
    }),
  };
}

export function belongs(conversation: Conversation, filter: ConversationFilter): boolean {
  return (
    conversation.status === filter.status &&
    (!filter.unread || conversation.unreadCount > 0) &&
    (!filter.channelId || conversation.channelId === filter.channelId) &&
    (!filter.tag || conversation.tags.includes(filter.tag))
  );
}

function timeOf(conversation: Conversation): string {
  return conversation.lastMessageAt ?? conversation.createdAt;
}

export function putChannel(client: QueryClient, channel: ChannelDetails): void {
  client.setQueryData(channelQuery(channel.id).queryKey, channel);
  client.setQueryData(channelsQuery.queryKey, (list) => {
    if (!list) return list;
    if (channel.status === 'deleted') return list.filter(({ id }) => id !== channel.id);
    return list.some(({ id }) => id === channel.id) ? list.map((old) => (old.id === channel.id ? channel : old)) : [channel, ...list];
  });
}
