/**
 * Some providers repeat to us what we send, without our id and perhaps before their answer to the call. Such an echo
 * belongs to the message that is under way, and is never a second one.
 */
import type { MessageEvent } from '../connectors/events.ts';
import type { Client } from '../store/database.ts';
import { findEchoed } from '../store/echoes-sql.ts';
import type { Inbound } from './apply.ts';

/** The batch, with every echo of our own marked as such and led to its message. */
export async function claimEchoes(client: Client, batch: Inbound[]): Promise<Inbound[]> {
  const queries = batch.flatMap(({ event, route }, n) => {
    if (event.kind !== 'message' || event.direction !== 'out' || event.own || event.ourId) return [];
    const { content, contact } = event;
    return [
      {
        n,
        workspaceId: route.workspaceId,
        channelId: route.channelId,
        addresses: contact.identities.map(({ value }) => value),
        type: content.type,
        text: content.type === 'text' ? content.text : null,
      },
    ];
  });
  const echoed = queries.length > 0 ? await findEchoed(client, queries) : [];
  const ours = new Map(echoed.map(({ n, messageId }) => [n, messageId]));
  return batch.map((inbound, n) => {
    const { event } = inbound;
    const ourId = ours.get(n) ?? (event.kind === 'message' && event.direction === 'out' ? event.ourId : undefined);
    return ourId ? { ...inbound, event: { ...(event as MessageEvent), own: true, ourId } } : inbound;
  });
}
