/** Everything that the pages ask of the workspace API, by name. */
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { type RequestOptions, request, requestText } from './client.ts';
import { workspaceId } from './session.ts';
import type {
  ApiKey,
  Candidate,
  Capabilities,
  CatalogEntry,
  ChannelDetails,
  Contact,
  Conversation,
  Message,
  MessageBody,
  OptOut,
  Page,
  Preview,
  RawEvent,
  RawState,
  SetupRow,
} from './types.ts';

/** Asks the signed-in workspace; `path` begins behind its id. */
export function ask<T>(path: string, options?: RequestOptions): Promise<T> {
  return request<T>(`/workspaces/${workspaceId()}${path}`, options);
}

/** All pages of a list that people keep short. */
export async function everyPage<T>(path: string, query: Record<string, string>, signal: AbortSignal): Promise<T[]> {
  const found: T[] = [];
  let pageToken: string | undefined;
  do {
    const page: Page<T> = await ask(path, { query: { ...query, limit: 100, pageToken }, signal });
    found.push(...page.results);
    pageToken = page.nextPageToken;
  } while (pageToken);
  return found;
}

export const catalogQuery = queryOptions({
  queryKey: ['catalog'],
  staleTime: Number.POSITIVE_INFINITY,
  queryFn: () => ask<Page<CatalogEntry>>('/catalog').then((page) => page.results),
});

export const channelsQuery = queryOptions({
  queryKey: ['channels'],
  queryFn: ({ signal }) => ask<Page<ChannelDetails>>('/channels/details', { query: { limit: 1000 }, signal }).then((page) => page.results),
});

export const channelQuery = (id: string) =>
  queryOptions({ queryKey: ['channel', id], queryFn: ({ signal }) => ask<ChannelDetails>(`/channels/${id}/details`, { signal }) });

export const capabilitiesQuery = (channelId: string) =>
  queryOptions({
    queryKey: ['capabilities', channelId],
    staleTime: 5 * 60_000,
    queryFn: ({ signal }) => ask<Partial<Capabilities>>(`/channels/${channelId}/capabilities`, { signal }),
  });

/** What the conversation list shows. */
export interface ConversationFilter {
  status: 'active' | 'closed';
  unread?: boolean;
  channelId?: string;
  search?: string;
  tag?: string;
}

export const conversationsQuery = (filter: ConversationFilter) =>
  infiniteQueryOptions({
    queryKey: ['conversations', filter],
    queryFn: ({ pageParam, signal }) =>
      ask<Page<Conversation>>('/conversations', {
        query: { ...filter, unread: filter.unread || undefined, limit: 40, pageToken: pageParam || undefined },
        signal,
      }),
    initialPageParam: '',
    getNextPageParam: (page) => page.nextPageToken,
  });

/** Open and closed ones that fit, the newest first. */
export const findConversationsQuery = (search: string) =>
  queryOptions({
    queryKey: ['found-conversations', search],
    queryFn: ({ signal }) =>
      ask<Page<Conversation>>('/conversations', { query: { search, limit: 8 }, signal }).then((page) => page.results),
  });

export const conversationQuery = (id: string) =>
  queryOptions({ queryKey: ['conversation', id], queryFn: ({ signal }) => ask<Conversation>(`/conversations/${id}`, { signal }) });

export const messagesQuery = (conversationId: string) =>
  infiniteQueryOptions({
    queryKey: ['messages', conversationId],
    queryFn: ({ pageParam, signal }) =>
      ask<Page<Message>>(`/conversations/${conversationId}/messages`, {
        query: { limit: 50, pageToken: pageParam || undefined },
        signal,
      }),
    initialPageParam: '',
    getNextPageParam: (page) => page.nextPageToken,
  });

export const contactQuery = (id: string) =>
  queryOptions({ queryKey: ['contact', id], queryFn: ({ signal }) => ask<Contact>(`/contacts/${id}`, { signal }) });

export const contactConversationsQuery = (contactId: string) =>
  queryOptions({
    queryKey: ['contact-conversations', contactId],
    queryFn: ({ signal }) =>
      ask<Page<Conversation>>('/conversations', { query: { contactId, limit: 20 }, signal }).then((page) => page.results),
  });

export const keysQuery = queryOptions({
  queryKey: ['keys'],
  queryFn: ({ signal }) => ask<Page<ApiKey>>('/api-keys', { signal }).then((page) => page.results),
});

export const rawEventsQuery = (state: RawState) =>
  infiniteQueryOptions({
    queryKey: ['raw-events', state],
    queryFn: ({ pageParam, signal }) =>
      ask<Page<RawEvent>>('/raw-events', { query: { state, limit: 50, pageToken: pageParam || undefined }, signal }),
    initialPageParam: '',
    getNextPageParam: (page) => page.nextPageToken,
  });

export const rawEventQuery = (id: string) =>
  queryOptions({ queryKey: ['raw-event', id], queryFn: ({ signal }) => ask<RawEvent>(`/raw-events/${id}`, { signal }) });

export const replayRawEvent = (id: string) => ask<{ state: RawState }>(`/raw-events/${id}/replay`, { method: 'POST', body: {} });

export interface NewChannel {
  source: string;
  name?: string;
  input: Record<string, unknown>;
}

export const connectChannel = (channel: NewChannel) => ask<{ id: string }>('/channels', { method: 'POST', body: channel });

export const exploreChannels = (source: string, input: Record<string, unknown>) =>
  ask<Page<Candidate>>('/channels/explore', { method: 'POST', body: { source, input } }).then((page) => page.results);

export interface ChannelChange {
  name?: string;
  imageUrl?: string | null;
  settings?: Record<string, unknown>;
  credentials?: Record<string, unknown>;
  status?: 'active' | 'inactive';
}

export const changeChannel = (id: string, change: ChannelChange) => ask(`/channels/${id}`, { method: 'PATCH', body: change });
export const deleteChannel = (id: string) => ask<void>(`/channels/${id}`, { method: 'DELETE' });
export const checkChannel = (id: string) => ask<ChannelDetails>(`/channels/${id}/health`, { method: 'POST', body: {} });

export interface NewMessage {
  body: MessageBody;
  replyTo?: { id: string };
  meta?: Record<string, unknown>;
  /** When it is to go out; at once where it is missing. */
  scheduledFor?: string;
}

/** Sends once, however often it is called with the same key. */
export const sendMessage = (conversationId: string, key: string, message: NewMessage) =>
  ask<Message>(`/conversations/${conversationId}/messages`, {
    method: 'POST',
    body: { ...message, reference: key },
    headers: { 'idempotency-key': key },
  });

export interface FirstMessage {
  receiver: { contacts: { identifierKey: string; identifierValue: string }[] };
  body: MessageBody;
  meta?: Record<string, unknown>;
}

/** Writes to an address; whoever is not known yet becomes a contact. Once, however often it is called with the same key. */
export const writeFirst = (channelId: string, key: string, message: FirstMessage) =>
  ask<Message>(`/channels/${channelId}/messages`, {
    method: 'POST',
    body: { ...message, reference: key },
    headers: { 'idempotency-key': key },
  });

/** Asks what a send would do; nothing is sent. */
/** With the secrets that the channel shares with the far end. */
export const channelSetup = (id: string) => ask<Page<SetupRow>>(`/channels/${id}/setup`).then((page) => page.results);

export const previewMessage = (conversationId: string, body: MessageBody, signal?: AbortSignal) =>
  ask<Preview>(`/conversations/${conversationId}/messages/preview`, { method: 'POST', body: { body }, ...(signal ? { signal } : {}) });

export const reactTo = (messageId: string, emoji: string | null) =>
  ask<Message>(`/messages/${messageId}/reactions`, { method: 'POST', body: { emoji } });

export const sourceAddress = (messageId: string) => `/workspaces/${workspaceId()}/messages/${messageId}/source`;

/** The beginning of it: a mail can be larger than a page can show. */
export const messageSourceQuery = (messageId: string, atMost: number) =>
  queryOptions({
    queryKey: ['message-source', messageId],
    queryFn: ({ signal }) => requestText(sourceAddress(messageId), { signal, atMost }),
    gcTime: 0,
  });

/** Where the provider asks a person for access; the browser goes there. */
export const startConsent = (channelId: string) => ask<{ url: string }>(`/channels/${channelId}/consent`, { method: 'POST', body: {} });

export const optOutsQuery = (channelId: string) =>
  queryOptions({
    queryKey: ['opt-outs', channelId],
    queryFn: ({ signal }) => ask<Page<OptOut>>(`/channels/${channelId}/opt-outs`, { query: { limit: 100 }, signal }),
  });

export const deleteOptOut = (channelId: string, value: string) =>
  ask<void>(`/channels/${channelId}/opt-outs/${encodeURIComponent(value)}`, { method: 'DELETE' });

export const resendMessage = (id: string) => ask<Message>(`/messages/${id}/resend`, { method: 'POST', body: {} });
export const fetchMedia = (id: string) => ask<{ state: string }>(`/media/${id}/fetch`, { method: 'POST', body: {} });
export const cancelMessage = (id: string) => ask<Message>(`/messages/${id}/cancel`, { method: 'POST', body: {} });
export const markRead = (id: string) => ask<void>(`/conversations/${id}/read`, { method: 'POST', body: {} });
export const sayTyping = (id: string, on: boolean) => ask<void>(`/conversations/${id}/typing`, { method: 'POST', body: { on } });

export interface ConversationChange {
  status?: Conversation['status'];
  tags?: { add?: string[]; remove?: string[] };
}

export const changeConversation = (id: string, change: ConversationChange) =>
  ask<Conversation>(`/conversations/${id}`, { method: 'PATCH', body: change });

export const renameContact = (id: string, displayName: string) =>
  ask<Contact>(`/contacts/${id}`, { method: 'PATCH', body: { displayName } });

export const createKey = (key: { name: string; scopes: string[]; sandbox: boolean }) =>
  ask<ApiKey>('/api-keys', { method: 'POST', body: key });
export const revokeKey = (id: string) => ask<void>(`/api-keys/${id}`, { method: 'DELETE' });
