/** Asks again what became of calls that got no answer, until the provider, or a receipt, tells; after a day nobody will. */
import { appendEvents } from '../store/ingest-sql.ts';
import { enqueue } from '../store/outbox.ts';
import { claimUnsettled, removeUnsettled, type Unsettled, unpark } from '../store/unsettled.ts';
import type { Engine } from './engine.ts';
import { loadOutgoing, type Outgoing } from './outgoing.ts';
import { Worker } from './worker.ts';

type Parts = Pick<Engine, 'database' | 'channels' | 'outbox' | 'log'>;

/** Seconds between the questions; the first comes 30 s after the call (delivery.ts). */
const WAITS = [120, 600, 3600, 3600];
const GIVE_UP_MS = 24 * 3_600_000;

export function settlementAsker(parts: Parts): Worker {
  return new Worker({
    name: 'settlements',
    restMs: 5_000,
    log: parts.log,
    work: async () => {
      const due = await claimUnsettled(parts.database, 50, WAITS);
      const outgoing = await loadOutgoing(parts.database, due);
      for (const entry of due) await settleOne(parts, entry, outgoing.get(entry.messageId));
      return due.length;
    },
  });
}

async function settleOne(parts: Parts, entry: Unsettled, outgoing: Outgoing | undefined): Promise<void> {
  const { database, channels, outbox } = parts;
  const { workspaceId, messageId, calledAt, options } = entry;
  if (outgoing?.message.state !== 'unknown') return removeUnsettled(database, workspaceId, messageId);
  const connector = channels.connectorOf(outgoing.channel.source);
  const answer = await outbox.delivery.ask(outgoing, connector, options, calledAt);
  if (answer === 'settled') return removeUnsettled(database, workspaceId, messageId);
  if (answer === 'goes-on') {
    await database.transaction(async (client) => {
      if (!(await unpark(client, workspaceId, messageId))) return;
      const { channelId, conversationId } = outgoing.message;
      await enqueue(client, { workspaceId, messageId, channelId, conversationId, runAt: null, options });
      await appendEvents(client, [{ ...outgoing.message, type: 'message.updated', messageId, data: { state: 'pending' } }]);
    });
    outbox.wake();
    return;
  }
  if (Date.now() - calledAt.getTime() < GIVE_UP_MS) return;
  await outbox.delivery.fail(outgoing, connector, {
    class: 'unknown-outcome',
    message: `The provider did not answer and never told whether it took the message (${entry.reason})`,
    hint: 'Look at the conversation at the provider before sending it again: the customer may have it already.',
  });
  await removeUnsettled(database, workspaceId, messageId);
}
