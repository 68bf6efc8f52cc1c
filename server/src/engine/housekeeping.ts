/** Forgets what is not needed any more. */

import { unnamedFiles } from '../store/raw-events.ts';
import type { Engine } from './engine.ts';
import { Worker } from './worker.ts';

/** How long raw events are kept for looking back (those that a message's files are cut out of stay with it), and the log for those who come back late. */
const RAW_EVENT_DAYS = 30;
const EVENT_DAYS = 90;

/** Each removes a limited number of rows, so that no statement holds others up for long. */
const SWEEPS = [
  `delete from idempotency_keys where (workspace_id, key) in (
     select workspace_id, key from idempotency_keys where created_at < now() - interval '24 hours' limit 5000)`,
  `delete from memos where expires_at < now()`,
  `delete from webhook_deliveries where (workspace_id, id) in (
     select workspace_id, id from webhook_deliveries where done_at < now() - interval '7 days' limit 5000)`,
  `delete from early_receipts where received_at < now() - interval '7 days'`,
  `delete from raw_events where (workspace_id, id) in (
     select r.workspace_id, r.id from raw_events r where r.state in ('applied', 'ignored') and r.received_at < now() - interval '${RAW_EVENT_DAYS} days'
       and not exists (select 1 from messages m where m.workspace_id = r.workspace_id and m.raw_event_id = r.id) limit 5000)`,
  `delete from events where (workspace_id, seq) in (
     select workspace_id, seq from events where created_at < now() - interval '${EVENT_DAYS} days' limit 5000)`,
];

export function housekeeper(parts: Pick<Engine, 'database' | 'spool' | 'log'>): Worker {
  return new Worker({
    name: 'housekeeping',
    restMs: 10 * 60_000,
    log: parts.log,
    work: async () => {
      let removed = 0;
      for (const sweep of SWEEPS) removed += (await parts.database.query(sweep)).rowCount ?? 0;
      await parts.spool.sweep((files) => unnamedFiles(parts.database, files));
      return removed >= 5000 ? removed : 0;
    },
  });
}
