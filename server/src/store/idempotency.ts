import { uuidv7 } from '../model/ids.ts';
import type { Client } from './database.ts';

export interface IdempotencyRow {
  fingerprint: Buffer;
  /** null while the first request is still running. */
  status: number | null;
  response: { data: string; keyId: string } | null;
}

/** A key that is ours now. */
export interface TakenKey {
  /** What the request makes gets this id: the same one when an earlier run of it died, since that may have made it already. */
  intendedId: string;
}

/** How long an answer is kept. */
const KEEP = "interval '24 hours'";
/** A request that ran longer than this died with its process. */
const ABANDONED = "interval '5 minutes'";

/**
 * Takes a key for a request that begins now. Answers the intended id when it is ours, else what is known of the
 * earlier request. A key whose time is over, or whose request died, is taken over; of one that died, with its id.
 */
export async function takeIdempotencyKey(
  client: Client,
  workspaceId: string,
  key: string,
  fingerprint: Buffer,
): Promise<TakenKey | IdempotencyRow> {
  const taken = await client.query<TakenKey>(
    `insert into idempotency_keys as i (workspace_id, key, fingerprint, response) values ($1, $2, $3, jsonb_build_object('intendedId', $4::text))
     on conflict (workspace_id, key) do update set fingerprint = excluded.fingerprint, status = null, created_at = now(),
         response = case when i.status is null and i.fingerprint = excluded.fingerprint and i.response ? 'intendedId' then i.response else excluded.response end
       where i.created_at < now() - ${KEEP} or (i.status is null and i.created_at < now() - ${ABANDONED})
     returning response->>'intendedId' as "intendedId"`,
    [workspaceId, key, fingerprint, uuidv7()],
  );
  if (taken.rows[0]) return taken.rows[0];
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
