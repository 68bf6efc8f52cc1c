/**
 * What became of a message whose answer was lost: the conversation at Meta tells, where the message has a text to know it by.
 * developers.facebook.com/docs/messenger-platform/conversations
 */

import type { ConnectorContext, OutboundMessage, Settlement } from '../../connector.ts';
import { record, records, text } from '../values.ts';
import { type Channel, graphOf, nodeOf } from './account.ts';
import { readNative } from './content.ts';

/** Clocks differ, and Meta needs a moment to list what it took. */
const CLOCKS_DIFFER_MS = 60_000;
const LISTED_AFTER_MS = 120_000;

/** The settlement of one source; `platform` is Meta's word for it. */
export function settlerOf(platform: 'messenger' | 'instagram') {
  return async (message: OutboundMessage, channel: Channel, context: ConnectorContext): Promise<Settlement> => {
    const words = wordsOf(message);
    const recipient = message.to[0]?.value;
    if (!words || !recipient) return { outcome: 'unknown' };
    const answer = await graphOf(channel, context).call(`${nodeOf(channel)}/conversations`, {
      query: { platform, user_id: recipient, fields: 'messages.limit(25){id,message,from,created_time}' },
    });
    const made = timeOf(message.id);
    const listed = records(answer.data).flatMap((talk) => records(record(talk.messages)?.data));
    const match = listed.find((candidate) => {
      const at = Date.parse(text(candidate.created_time) ?? '');
      return candidate.message === words && text(record(candidate.from)?.id) !== recipient && at >= made - CLOCKS_DIFFER_MS;
    });
    const providerId = text(match?.id);
    if (providerId) return { outcome: 'accepted', providerId, state: 'sent' };
    return { outcome: context.now().getTime() - made > LISTED_AFTER_MS ? 'never-received' : 'unknown' };
  };
}

function wordsOf(message: OutboundMessage): string | undefined {
  const content = message.content.type === 'native' ? readNative(message.content.payload) : message.content;
  return content?.type === 'text' || content?.type === 'choices' ? content.text : undefined;
}

/** Our ids begin with the milliseconds of their making (UUIDv7). */
function timeOf(id: string): number {
  return Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16);
}
