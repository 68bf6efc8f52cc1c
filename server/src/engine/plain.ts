/**
 * The short way in. Most of what comes is plain: a person who is known wrote something on a channel where they have a
 * conversation. That takes one statement; everything else goes the long way (`apply.ts`), which ends in the same state.
 */
import type { MessageEvent } from '../connectors/events.ts';
import { mediaOf } from '../model/content.ts';
import { type PlainAddress, type PlainMessage, storePlain } from '../store/arriving-sql.ts';
import type { Client } from '../store/database.ts';
import type { RawEventRow } from '../store/raw-events.ts';
import type { Inbound } from './apply.ts';
import { arrivingRow } from './arriving.ts';
import { addressKey, addressOf } from './parties.ts';

/** A raw event, and what was read from it. */
export interface Prepared {
  row: RawEventRow;
  inbound: Inbound[];
}

type Plain = Inbound & { event: MessageEvent };

/** Takes what is plain, in a transaction of its own; answers those of the batch that were not taken. */
export async function takePlain<Item extends Prepared>(client: Client, batch: Item[]): Promise<Item[]> {
  const chosen = choose(batch);
  if (chosen.length === 0) return batch;
  const messages: PlainMessage[] = [];
  const senders: PlainAddress[] = [];
  for (const { row, inbound } of chosen) {
    for (const one of inbound as Plain[]) {
      const n = messages.length;
      const named = one.event.contact.name === undefined ? 0 : 1;
      messages.push({ ...arrivingRow(one), n, rawId: row.id, threadKey: '', named });
      for (const identity of one.event.contact.identities) senders.push({ n, ...addressOf(one.route, identity) });
    }
  }
  const taken = await storePlain(
    client,
    chosen.map(({ row }) => row),
    messages,
    senders,
  );
  return batch.filter(({ row }) => !taken.has(row.id));
}

/** Of one person's events in a batch all go the same way, so that they are told in their order. */
function choose<Item extends Prepared>(batch: Item[]): Item[] {
  const candidates = batch.filter(({ row, inbound }) => row.state === 'applied' && inbound.length > 0 && inbound.every(isPlain));
  if (candidates.length === batch.length) return candidates;
  const long = new Set(candidates);
  const held = new Set(batch.filter((item) => !long.has(item)).flatMap(({ inbound }) => inbound.flatMap(senderKeys)));
  return held.size === 0 ? candidates : candidates.filter(({ inbound }) => !inbound.flatMap(senderKeys).some((key) => held.has(key)));
}

function isPlain({ event, route }: Inbound): boolean {
  if (event.kind !== 'message' || event.direction !== 'in') return false;
  if (event.own || event.ourId || event.thread || event.replyTo || event.fingerprint !== undefined) return false;
  return event.contact.identities.length > 0 && !route.connector.mediaOf && mediaOf(event.content).length === 0;
}

function senderKeys({ event, route }: Inbound): string[] {
  return event.kind === 'message' ? event.contact.identities.map((identity) => addressKey(addressOf(route, identity))) : [];
}
