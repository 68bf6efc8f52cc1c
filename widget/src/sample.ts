import type { Message } from './api.ts';

const message = (id: string, text: string): Message => ({
  id,
  content: { text },
  sent_at: new Date().toISOString(),
  delivery_state: 'read',
  from_contact: id === '1',
});

/** What `showMode` draws: one message of each side, so that every colour is seen. */
export const sample = [message('1', '👋 …'), message('2', '🙂 …')];
