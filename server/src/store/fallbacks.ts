/** Messages that go by another channel when the present one fails or takes too long. */
import type { Client } from './database.ts';
import { toJson } from './json.ts';

export interface Fallback<Step = unknown> {
  workspaceId: string;
  messageId: string;
  /** The ways still left, next first. */
  steps: Step[];
}

/** `runAt`: when the present way has had its time; null while it may take for ever. */
export async function keepFallback(client: Client, fallback: Fallback, runAt: Date | null): Promise<void> {
  await client.query(
    `insert into fallbacks (workspace_id, message_id, steps, run_at) values ($1, $2, $3, $4)
     on conflict (workspace_id, message_id) do update set steps = excluded.steps, run_at = excluded.run_at`,
    [fallback.workspaceId, fallback.messageId, toJson(fallback.steps), runAt],
  );
}

/** Those whose time is over, or whose message has failed; taken for a minute. Those that have arrived are forgotten. */
export async function claimFallbacks(client: Client, limit: number): Promise<Fallback[]> {
  await client.query(
    `delete from fallbacks f using messages m
     where m.workspace_id = f.workspace_id and m.id = f.message_id and m.state in ('delivered', 'read')`,
  );
  const result = await client.query<Fallback>(
    `update fallbacks f set run_at = now() + interval '1 minute' where (workspace_id, message_id) in (
       select f.workspace_id, f.message_id from fallbacks f join messages m on m.workspace_id = f.workspace_id and m.id = f.message_id
       where f.run_at <= now() or m.state = 'failed' limit $1 for update of f skip locked)
     returning workspace_id as "workspaceId", message_id as "messageId", steps`,
    [limit],
  );
  return result.rows;
}

export async function removeFallback(client: Client, workspaceId: string, messageId: string): Promise<void> {
  await client.query('delete from fallbacks where workspace_id = $1 and message_id = $2', [workspaceId, messageId]);
}

export interface Move {
  workspaceId: string;
  messageId: string;
  channelId: string;
  conversationId: string;
  contactId: string;
  source: string;
  content: unknown;
  /** What became of the ways before. */
  attempts: object[];
}

/** The message goes another way under the same id; false when it has arrived, or is just being handed over. */
export async function moveMessage(client: Client, move: Move): Promise<boolean> {
  const busy = await client.query('select 1 from outbox where workspace_id = $1 and message_id = $2 and leased_until > now()', [
    move.workspaceId,
    move.messageId,
  ]);
  if (busy.rows.length > 0) return false;
  const moved = await client.query(
    `update messages set channel_id = $3, conversation_id = $4, contact_id = $5, source = $6, content = $7, state = 'pending',
       state_at = now(), updated_at = now(), error = null, provider_id = null, payload = null,
       metadata = (metadata - 'unknownBecause') || jsonb_build_object('attempts', coalesce(metadata -> 'attempts', '[]'::jsonb) || $8::jsonb)
     where workspace_id = $1 and id = $2 and state not in ('delivered', 'read')`,
    [
      move.workspaceId,
      move.messageId,
      move.channelId,
      move.conversationId,
      move.contactId,
      move.source,
      toJson(move.content),
      toJson(move.attempts),
    ],
  );
  if (!moved.rowCount) return false;
  await client.query('delete from outbox where workspace_id = $1 and message_id = $2', [move.workspaceId, move.messageId]);
  await client.query('delete from unsettled where workspace_id = $1 and message_id = $2', [move.workspaceId, move.messageId]);
  return true;
}
