/** For providers whose webhooks can get lost: looks into their own lists every few minutes. What is known already changes nothing. */
import { ProviderError } from '../model/errors.ts';
import type { Engine } from './engine.ts';
import { Worker } from './worker.ts';

type Parts = Pick<Engine, 'database' | 'channels' | 'contexts' | 'ingest' | 'log'>;

const EVERY_MINUTES = 5;
/** Lists lag and clocks differ: each look begins this long before the end of the last one. */
const OVERLAP_MS = 2 * 60_000;

export function reconciler(parts: Parts): Worker {
  return new Worker({
    name: 'reconciling',
    restMs: 30_000,
    log: parts.log,
    work: async () => {
      const sources = parts.channels.sourcesThat((connector) => connector.reconcile !== undefined);
      const due = await parts.database.query<{ workspaceId: string; id: string; since: Date }>(
        `update channels c set reconciled_at = now() from (
           select workspace_id, id, coalesce(reconciled_at, created_at) as since from channels
           where source = any($2) and status in ('active', 'warning')
             and coalesce(reconciled_at, created_at) < now() - make_interval(mins => $1::integer) limit 10 for update skip locked) due
         where c.workspace_id = due.workspace_id and c.id = due.id
         returning c.workspace_id as "workspaceId", c.id, due.since`,
        [EVERY_MINUTES, sources],
      );
      for (const { workspaceId, id, since } of due.rows) await reconcile(parts, workspaceId, id, since);
      return due.rows.length;
    },
  });
}

/** Takes in what the provider lists since then. One that cannot be asked is asked about the same time again. */
export async function reconcile(parts: Parts, workspaceId: string, channelId: string, since: Date): Promise<void> {
  const { channels, contexts, database, ingest, log } = parts;
  const row = await channels.get(workspaceId, channelId);
  const connector = channels.connectorOf(row.source);
  if (!connector.reconcile) return;
  try {
    const context = contexts.for({ workspaceId, channelId, sandbox: row.sandbox });
    const events = await connector.reconcile(channels.view(row), context, new Date(since.getTime() - OVERLAP_MS));
    await ingest.submit(events.map((event) => ({ ...event, channelId })));
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    log.warn({ channel: channelId, class: error.class }, `the provider’s list could not be read: ${error.message}`);
    await database.query('update channels set reconciled_at = $3 where workspace_id = $1 and id = $2', [workspaceId, channelId, since]);
  }
}
