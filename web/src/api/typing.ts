/** Who is writing right now. The sign goes away by itself, since the word that somebody stopped may never come. */
import { useSyncExternalStore } from 'react';

const SHOWN_MS = 6_000;

const timers = new Map<string, ReturnType<typeof setTimeout>>();
const listeners = new Set<() => void>();

export function showTyping(conversationId: string, on: boolean): void {
  const running = timers.get(conversationId);
  clearTimeout(running);
  if (on)
    timers.set(
      conversationId,
      setTimeout(() => showTyping(conversationId, false), SHOWN_MS),
    );
  else timers.delete(conversationId);
  if ((running !== undefined) !== on) for (const listener of listeners) listener();
}

/** True while the contact of the conversation writes. */
export function useTyping(conversationId: string): boolean {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => timers.has(conversationId),
  );
}
