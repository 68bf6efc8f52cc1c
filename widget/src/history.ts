import type { Message } from './api.ts';

const RANK = ['pending', 'sent', 'failed', 'delivered', 'read'];
const rank = (state: string) => RANK.indexOf(state.toLowerCase());

/** A state only moves forward: late and repeated receipts change nothing. */
export function advanced(message: Message, state: string): Message {
  return rank(state) > rank(message.delivery_state) ? { ...message, delivery_state: state } : message;
}

/** Known and new messages as one list by time, each id once. */
export function merge(known: readonly Message[], more: readonly Message[]): Message[] {
  const byId = new Map(known.map((message) => [message.id, message]));
  for (const message of more) {
    const old = byId.get(message.id);
    const kept = { ...message, clientId: old?.clientId ?? message.clientId, preview: old?.preview ?? message.preview };
    byId.set(message.id, old ? advanced(kept, old.delivery_state) : kept);
  }
  return [...byId.values()].sort((a, b) => Date.parse(a.sent_at) - Date.parse(b.sent_at));
}
