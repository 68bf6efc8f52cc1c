import type { Client } from './database.ts';

export interface IdempotencyRow {
  fingerprint: Buffer;
  /** null while the first request is still running. */
  status: number | null;
  response: { data: string; keyId: string } | null;
}

/** How long an answer is kept. */
const KEEP = "interval '24 hours'";
/** A request that ran longer than this died with its process. */
const ABANDONED = "interval '5 minutes'";

/**
 * Takes a key for a request that begins now. Answers undefined when it is ours, else what is known of the earlier
 * request. A key whose time is over, or whose request died, is taken over.
 */
export async function takeIdempotencyKey(
  client: Client,
  workspaceId: string,
  key: string,
  fingerprint: Buffer,
): Promise<IdempotencyRow | undefined> {
  const taken = await client.query(
    `insert into idempotency_keys as i (workspace_id, key, fingerprint) values ($1, $2, $3)
     on conflict (workspace_id, key) do update set fingerprint = excluded.fingerprint, status = null, response = null, created_at = now()
       where i.created_at < now() - ${KEEP} or (i.status is null and i.created_at < now() - ${ABANDONED})
     returning key`,
    [workspaceId, key, fingerprint],
  );
  if (taken.rows.length > 0) return undefined;
  const found = await client.query<IdempotencyRow>(
    'select fingerprint, status, response from idempotency_keys where workspace_id = $1 and key = $2',
    [workspaceId, key],
  );
  return found.rows[0] ?? { fingerprint, status: null, response: null };
}

/** Keeps the answer for whoever sends the same request again. */
export async function keepIdempotentAnswer(
  client: Client,
  workspaceId: string,
  key: string,
  answer: { status: number; response: { data: string; keyId: string } },
): Promise<void> {
  await client.query('update idempotency_keys set status = $3, response = $4 where workspace_id = $1 and key = $2', [
    workspaceId,
    key,
    answer.status,
    JSON.stringify(answer.response),
  ]);
}

/** The request did not come to an end that is worth repeating: the next one with the key is carried out. */
export async function dropIdempotencyKey(client: Client, workspaceId: string, key: string): Promise<void> {
  await client.query('delete from idempotency_keys where workspace_id = $1 and key = $2', [workspaceId, key]);
}

/** Forgets keys whose time is over. */
export async function sweepIdempotencyKeys(client: Client): Promise<void> {
  await client.query(`delete from idempotency_keys where created_at < now() - ${KEEP}`);
}
