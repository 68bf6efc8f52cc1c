/**
 * The workspace's event stream. The position in the log is asked for before anything else is read, and the stream goes
 * on from the last event it told, so nothing that happens in between is missed, however often the connection breaks.
 */
import { useSyncExternalStore } from 'react';
import { putChannel, putConversation, putMessage } from './cache.ts';
import { CatchUp } from './catch-up.ts';
import { ApiError, request, withQuery } from './client.ts';
import { domainsQuery } from './domains.ts';
import { queryClient } from './query-client.ts';
import { workspaceId } from './session.ts';
import type { LiveEvent } from './types.ts';
import { showTyping } from './typing.ts';
import { ask, capabilitiesQuery, channelQuery, channelsQuery, contactQuery } from './workspace.ts';

/** `connecting`: the first attempt; `off`: the key may not read events, so the pages ask again from time to time. */
export type LiveState = 'connecting' | 'live' | 'reconnecting' | 'off';

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15_000;
const POLL_MS = 10_000;

const catchUp = new CatchUp(queryClient);
let state: LiveState = 'connecting';
let source: EventSource | undefined;
let timer: ReturnType<typeof setTimeout> | undefined;
let cursor = 0;
/** Tells a start that was overtaken by a stop. */
let run = 0;
let wait = FIRST_WAIT_MS;
const stateListeners = new Set<() => void>();
const eventListeners = new Set<(event: LiveEvent) => void>();

const TYPES = [
  'message.created',
  'message.updated',
  'conversation.created',
  'conversation.updated',
  'contact.created',
  'contact.updated',
  'channel.created',
  'channel.updated',
  'channel.deleted',
  'domain.updated',
  'tag.updated',
  'media.updated',
  'typing',
];

/** Finds the log's end and follows it from there. Read nothing else of the workspace before this resolved. */
export async function startLive(): Promise<void> {
  stopLive();
  const mine = run;
  try {
    const { newest } = await ask<{ newest: number }>('/events', { query: { limit: 1 } });
    if (mine !== run) return;
    cursor = Number(newest);
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 403) throw error;
    if (mine !== run) return;
    change('off');
    timer = setInterval(() => void queryClient.invalidateQueries(), POLL_MS);
    return;
  }
  open();
  window.addEventListener('online', reconnectNow);
  window.addEventListener('offline', lose);
}

/** Stops following; the next sign-in starts anew. */
export function stopLive(): void {
  run++;
  window.removeEventListener('online', reconnectNow);
  window.removeEventListener('offline', lose);
  clearTimeout(timer);
  source?.close();
  source = undefined;
  wait = FIRST_WAIT_MS;
  change('connecting');
}

function open(): void {
  const stream = new EventSource(withQuery(`/workspaces/${workspaceId()}/events/stream`, { after: cursor }));
  source = stream;
  stream.onopen = () => {
    wait = FIRST_WAIT_MS;
    change('live');
  };
  // The browser would resume by itself where the server answers at all; one way for every kind of break is simpler.
  stream.onerror = () => {
    if (source === stream) lose();
    else stream.close();
  };
  for (const type of TYPES) stream.addEventListener(type, (event) => take(JSON.parse((event as MessageEvent<string>).data)));
}

/** The connection is gone, whether the stream noticed or the browser said so. */
function lose(): void {
  if (!source) return;
  source.close();
  source = undefined;
  change('reconnecting');
  // A stream does not tell a lost network from an ended session; this does, and an ended one leads to the sign-in.
  request('/session').catch(() => undefined);
  timer = setTimeout(open, wait + Math.random() * wait);
  wait = Math.min(wait * 2, LONGEST_WAIT_MS);
}

/** Tries again at once instead of at the next turn. */
export function reconnectNow(): void {
  if (state !== 'reconnecting' || source) return;
  clearTimeout(timer);
  wait = FIRST_WAIT_MS;
  open();
}

function take(event: LiveEvent): void {
  if (event.seq <= cursor) return;
  cursor = event.seq;
  catchUp.remember(event);
  if (event.message) putMessage(queryClient, event.message);
  if (event.conversation) putConversation(queryClient, event.conversation);
  if (event.type.startsWith('channel.')) takeChannel(event);
  if (event.type === 'domain.updated') void queryClient.invalidateQueries({ queryKey: domainsQuery.queryKey });
  if (event.type.startsWith('contact.') && event.contactId) takeContact(event.contactId);
  if (event.type === 'typing' && event.conversationId && event.data.by === 'contact') {
    showTyping(event.conversationId, event.data.on === true);
  }
  if (event.type === 'message.created' && event.message?.direction === 'incoming' && event.conversationId) {
    showTyping(event.conversationId, false);
  }
  for (const listener of eventListeners) listener(event);
}

function takeChannel({ channel, channelId, type }: LiveEvent): void {
  if (channel) putChannel(queryClient, type === 'channel.deleted' ? { ...channel, status: 'deleted' } : channel);
  else void queryClient.invalidateQueries({ queryKey: channelsQuery.queryKey });
  if (!channelId) return;
  if (!channel) void queryClient.invalidateQueries({ queryKey: channelQuery(channelId).queryKey });
  void queryClient.invalidateQueries({ queryKey: capabilitiesQuery(channelId).queryKey });
}

function takeContact(contactId: string): void {
  void queryClient.invalidateQueries({ queryKey: contactQuery(contactId).queryKey });
  // A new name shows wherever a conversation does.
  void queryClient.invalidateQueries({ queryKey: ['conversations'] });
  void queryClient.invalidateQueries({ queryKey: ['conversation'] });
}

function change(next: LiveState): void {
  if (state === next) return;
  state = next;
  for (const listener of stateListeners) listener();
}

export function useLiveState(): LiveState {
  return useSyncExternalStore(
    (listener) => {
      stateListeners.add(listener);
      return () => stateListeners.delete(listener);
    },
    () => state,
  );
}

/** Hears every event after it was merged. Gives the function that ends it. */
export function onLiveEvent(listener: (event: LiveEvent) => void): () => void {
  eventListeners.add(listener);
  return () => eventListeners.delete(listener);
}
