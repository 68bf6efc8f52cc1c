/**
 * What became of a message whose answer was lost: the conversation at Meta tells. It never came only where nothing stands
 * there that could be it.
 * developers.facebook.com/docs/messenger-platform/conversations
 */

import type { Content } from '../../../model/content.ts';
import type { ConnectorContext, IsKnown, OutboundMessage, Settlement } from '../../connector.ts';
import { record, records, text } from '../values.ts';
import { type Channel, graphOf, nodeOf } from './account.ts';
import { readNative } from './content.ts';

/** Clocks differ, and Meta needs a moment to list what it took. */
const CLOCKS_DIFFER_MS = 60_000;
const LISTED_AFTER_MS = 120_000;
const LISTED = 25;

interface Listed {
  id: string;
  words: string;
  from: string | undefined;
  at: number;
}

/** The settlement of one source; `platform` is Meta's word for it. */
export function settlerOf(platform: 'messenger' | 'instagram') {
  return async (message: OutboundMessage, channel: Channel, context: ConnectorContext, isKnown: IsKnown): Promise<Settlement> => {
    const recipient = message.to[0]?.value;
    if (!recipient) return { outcome: 'unknown' };
    const calledAt = message.calledAt?.getTime() ?? timeOf(message.id);
    const listed = await listedTo(recipient, platform, channel, context);
    const since = listed.filter(({ from, at }) => from !== recipient && at >= calledAt - CLOCKS_DIFFER_MS);
    const known = since.length > 0 ? await isKnown(since.map(({ id }) => id)) : new Set<string>();
    const candidates = since.filter(({ id }) => !known.has(id)).sort((one, other) => one.at - other.at);
    const words = wordsOf(message.content);
    const match = words === undefined ? undefined : candidates.find((candidate) => plain(candidate.words) === plain(words));
    if (match) return { outcome: 'accepted', providerId: match.id, state: 'sent' };
    // A list that does not reach back, and a file that may be ours, prove nothing.
    const reachesBack = listed.length < LISTED || listed.some(({ at }) => at < calledAt - CLOCKS_DIFFER_MS);
    const isOver = context.now().getTime() - calledAt > LISTED_AFTER_MS;
    const couldBe = words === undefined && candidates.length > 0;
    return { outcome: isOver && reachesBack && !couldBe ? 'never-received' : 'unknown' };
  };
}

async function listedTo(
  recipient: string,
  platform: 'messenger' | 'instagram',
  channel: Channel,
  context: ConnectorContext,
): Promise<Listed[]> {
  const answer = await graphOf(channel, context).call(`${nodeOf(channel)}/conversations`, {
    query: { platform, user_id: recipient, fields: `messages.limit(${LISTED}){id,message,from,created_time}` },
  });
  return records(answer.data)
    .flatMap((talk) => records(record(talk.messages)?.data))
    .flatMap((entry) => {
      const id = text(entry.id);
      const at = Date.parse(text(entry.created_time) ?? '');
      return id && !Number.isNaN(at) ? [{ id, at, words: text(entry.message) ?? '', from: text(record(entry.from)?.id) }] : [];
    });
}

/** What a message says; undefined where only its kind could be compared, which Meta's list does not tell. */
function wordsOf(ours: Content): string | undefined {
  const content = ours.type === 'native' ? readNative(ours.payload) : ours;
  return content?.type === 'text' || content?.type === 'choices' ? content.text : undefined;
}

/** Meta cuts blanks at the ends, and may compose letters in another way. */
function plain(words: string): string {
  return words.normalize('NFC').trim();
}

/** Our ids begin with the milliseconds of their making (UUIDv7). */
function timeOf(id: string): number {
  return Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16);
}
