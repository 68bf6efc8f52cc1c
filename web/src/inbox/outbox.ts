/**
 * What was written and is not on the server yet. Each entry keeps the idempotency key it was born with, so trying again
 * never sends twice; what could not be sent for want of a connection goes out by itself once there is one.
 */
import { useSyncExternalStore } from 'react';
import { putMessage } from '../api/cache.ts';
import { ApiError } from '../api/client.ts';
import { onLiveEvent } from '../api/live.ts';
import { queryClient } from '../api/query-client.ts';
import type { Content } from '../api/types.ts';
import { type NewMessage, sendMessage } from '../api/workspace.ts';

export interface Outgoing {
  key: string;
  conversationId: string;
  message: NewMessage;
  /** How it is shown until the server shows it. */
  content: Content;
  createdAt: string;
  state: 'sending' | 'waiting' | 'failed';
  problem?: string;
}

const STORE = 'patchbay.outbox';
const RETRY_MS = 5_000;

let entries: Outgoing[] = restore();
let timer: ReturnType<typeof setTimeout> | undefined;
const listeners = new Set<() => void>();
/** One after the other within a conversation, so that the order of writing stays. */
const lanes = new Map<string, Promise<void>>();

/** What waits in a conversation, oldest first. */
export function useOutgoing(conversationId: string): Outgoing[] {
  const all = useSyncExternalStore(subscribe, () => entries);
  return all.filter((entry) => entry.conversationId === conversationId);
}

export function enqueue(conversationId: string, message: NewMessage, content: Content): void {
  const entry: Outgoing = {
    key: crypto.randomUUID(),
    conversationId,
    message,
    content,
    createdAt: new Date().toISOString(),
    state: 'sending',
  };
  change([...entries, entry]);
  dispatch(entry);
}

/** Tries one again that failed. */
export function retry(key: string): void {
  const entry = entries.find((one) => one.key === key);
  if (!entry) return;
  update(key, { state: 'sending', problem: undefined });
  dispatch(entry);
}

export function discard(key: string): void {
  change(entries.filter((entry) => entry.key !== key));
}

function dispatch({ key, conversationId }: Outgoing): void {
  const before = lanes.get(conversationId) ?? Promise.resolve();
  const mine = before.then(() => attempt(key));
  lanes.set(conversationId, mine);
  void mine.then(() => lanes.get(conversationId) === mine && lanes.delete(conversationId));
}

async function attempt(key: string): Promise<void> {
  const entry = entries.find((one) => one.key === key);
  if (!entry) return;
  try {
    const message = await sendMessage(entry.conversationId, key, entry.message);
    putMessage(queryClient, message);
    discard(key);
  } catch (error) {
    const problem = (error as Error).message;
    if (error instanceof ApiError && error.mayPass) {
      update(key, { state: 'waiting', problem });
      if (timer === undefined) timer = setTimeout(retryWaiting, RETRY_MS);
    } else update(key, { state: 'failed', problem });
  }
}

function retryWaiting(): void {
  timer = undefined;
  for (const { key, state } of entries) if (state === 'waiting') retry(key);
}

function update(key: string, fields: Partial<Outgoing>): void {
  change(entries.map((entry) => (entry.key === key ? { ...entry, ...fields } : entry)));
}

function change(next: Outgoing[]): void {
  entries = next;
  sessionStorage.setItem(STORE, JSON.stringify(entries));
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** A reload in the middle of sending: the key tells the server whether it has the message already. */
function restore(): Outgoing[] {
  try {
    return (JSON.parse(sessionStorage.getItem(STORE) ?? '[]') as Outgoing[]).map((entry) => ({ ...entry, state: 'waiting' }));
  } catch {
    return [];
  }
}

if (entries.length > 0) timer = setTimeout(retryWaiting, 0);
window.addEventListener('online', retryWaiting);
/** The stream may tell of a message before the answer to its sending does. */
onLiveEvent(({ message }) => {
  if (message?.reference && entries.some(({ key }) => key === message.reference)) discard(message.reference);
});
