/** Messages of which nobody knows yet whether their provider took them. */
import type { Client } from './database.ts';
import { toJson } from './json.ts';
import type { OutboxOptions } from './outbox.ts';

export interface Unsettled {
  workspaceId: string;
  messageId: string;
  /** When the call began whose answer never came. */
  calledAt: Date;
  reason: string;
  options: OutboxOptions;
  attempts: number;
}

/** Parks a message as `unknown`; false when a receipt has moved it on meanwhile. */
export async function park(client: Client, entry: Omit<Unsettled, 'attempts'>, askAgainAt: Date): Promise<boolean> {
  const moved = await client.query(
    `update messages set state = 'unknown', state_at = now(), updated_at = now(), metadata = metadata || $3::jsonb
     where workspace_id = $1 and id = $2 and state in ('pending', 'scheduled')`,
    [entry.workspaceId, entry.messageId, toJson({ unknownBecause: entry.reason })],
  );
  await client.query('delete from outbox where workspace_id = $1 and message_id = $2', [entry.workspaceId, entry.messageId]);
  if (!moved.rowCount) return false;
  await client.query(
    `insert into unsettled (workspace_id, message_id, called_at, reason, options, run_at) values ($1, $2, $3, $4, $5, $6)
     on conflict (workspace_id, message_id) do update set called_at = excluded.called_at, reason = excluded.reason,
       options = excluded.options, attempts = 0, run_at = excluded.run_at`,
    [entry.workspaceId, entry.messageId, entry.calledAt, entry.reason, toJson(entry.options), askAgainAt],
  );
  return true;
}

/** Takes those that are to be asked about now; they come up again after the next of `waits` (seconds). */
export async function claimUnsettled(client: Client, limit: number, waits: number[]): Promise<Unsettled[]> {
  const result = await client.query<Unsettled>(
    `update unsettled u set attempts = u.attempts + 1,
       run_at = now() + make_interval(secs => ($2::integer[])[least(u.attempts + 1, array_length($2::integer[], 1))])
     where (workspace_id, message_id) in (select workspace_id, message_id from unsettled where run_at <= now() order by run_at limit $1 for update skip locked)
     returning workspace_id as "workspaceId", message_id as "messageId", called_at as "calledAt", reason, options, attempts`,
    [limit, waits],
  );
  return result.rows;
}

export async function removeUnsettled(client: Client, workspaceId: string, messageId: string): Promise<void> {
  await client.query('delete from unsettled where workspace_id = $1 and message_id = $2', [workspaceId, messageId]);
}

/** The provider never got it: back to `pending`; false when a receipt has moved it on meanwhile. */
export async function unpark(client: Client, workspaceId: string, messageId: string): Promise<boolean> {
  await removeUnsettled(client, workspaceId, messageId);
  const moved = await client.query(
    `update messages set state = 'pending', state_at = now(), updated_at = now(), metadata = metadata - 'unknownBecause'
     where workspace_id = $1 and id = $2 and state = 'unknown'`,
    [workspaceId, messageId],
  );
  return (moved.rowCount ?? 0) > 0;
}
