import type { Message } from '../api/types.ts';

/** Messages of one writer in close succession: one name above, one time below. */
export interface Group {
  key: string;
  side: 'incoming' | 'outgoing' | 'system';
  sender: string;
  messages: Message[];
}

export interface Day {
  key: string;
  at: string;
  groups: Group[];
}

const CLOSE_MS = 5 * 60_000;

/** Messages, oldest first, by day and by writer. */
export function groupMessages(messages: Message[]): Day[] {
  const days: Day[] = [];
  for (const message of messages) {
    const date = new Date(message.createdAt).toDateString();
    let day = days.at(-1);
    if (day?.key !== date) {
      day = { key: date, at: message.createdAt, groups: [] };
      days.push(day);
    }
    const side = message.content.type === 'system' ? 'system' : message.direction;
    const sender = message.sender?.displayName ?? '';
    const group = day.groups.at(-1);
    const last = group?.messages.at(-1);
    if (group && last && group.side === side && group.sender === sender && near(last, message)) group.messages.push(message);
    else day.groups.push({ key: message.id, side, sender, messages: [message] });
  }
  return days;
}

function near(one: Message, other: Message): boolean {
  return new Date(other.createdAt).getTime() - new Date(one.createdAt).getTime() < CLOSE_MS;
}
