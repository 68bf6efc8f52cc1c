/** The browser's own notices about what customers write while nobody looks at the pages. */
import { useSyncExternalStore } from 'react';
import { onLiveEvent } from '../api/live.ts';
import type { LiveEvent } from '../api/types.ts';
import { personName } from '../components/person.ts';
import { summaryOf } from '../inbox/summary.ts';

/** `refused`: the browser was told not to; only its own settings change that. */
export type NotifyState = 'off' | 'on' | 'refused' | 'impossible';

const STORE = 'patchbay.notify';
const listeners = new Set<() => void>();

function stateNow(): NotifyState {
  if (!('Notification' in window)) return 'impossible';
  if (Notification.permission === 'denied') return 'refused';
  return Notification.permission === 'granted' && localStorage.getItem(STORE) === 'on' ? 'on' : 'off';
}

/** Turns them on, which asks the person once, or off. */
export async function switchNotices(on: boolean): Promise<void> {
  if (on && (await Notification.requestPermission()) !== 'granted') on = false;
  localStorage.setItem(STORE, on ? 'on' : 'off');
  for (const listener of listeners) listener();
}

export function useNotices(): NotifyState {
  return useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, stateNow);
}

/** Tells of messages that come in while the page is out of sight. Gives the function that ends it. */
export function startNotices(open: (conversationId: string) => void): () => void {
  return onLiveEvent(({ type, message, conversation }: LiveEvent) => {
    if (type !== 'message.created' || message?.direction !== 'incoming' || !conversation) return;
    if (document.visibilityState === 'visible' || stateNow() !== 'on') return;
    const notice = new Notification(personName(conversation.contact.computedDisplayName), {
      body: summaryOf(message.content),
      // One conversation is one notice, however much is written.
      tag: conversation.id,
      icon: '/favicon.svg',
    });
    notice.onclick = () => {
      window.focus();
      open(conversation.id);
      notice.close();
    };
  });
}
