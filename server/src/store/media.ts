import type { MediaRef } from '../model/content.ts';
import type { Client } from './database.ts';
import { toJson } from './json.ts';

export interface WaitingMedia {
  workspaceId: string;
  id: string;
  channelId: string;
  messageId: string;
  ref: MediaRef;
}

export interface MediaRow {
  workspaceId: string;
  id: string;
  state: 'waiting' | 'ready' | 'failed';
  /** Lower-case hex; names the file. */
  sha256: string | null;
  mimeType: string | null;
  size: number | null;
  filename: string | null;
  channelId: string | null;
  messageId: string | null;
  providerRef: MediaRef | null;
  error: string | null;
  attempts: number;
  createdAt: Date;
}

const COLUMNS = `workspace_id as "workspaceId", id, state, sha256, mime_type as "mimeType", size, filename, channel_id as "channelId",
  message_id as "messageId", provider_ref as "providerRef", error, attempts, created_at as "createdAt"`;

/** Files of inbound messages that are to be fetched from their providers. */
export async function insertWaitingMedia(client: Client, rows: WaitingMedia[]): Promise<void> {
  if (rows.length === 0) return;
  await client.query(
    `insert into media (workspace_id, id, state, mime_type, size, filename, channel_id, message_id, provider_ref, run_at)
     select "workspaceId", id, 'waiting', ref->>'mimeType', (ref->>'size')::bigint, ref->>'filename', "channelId", "messageId", ref, now()
     from json_to_recordset($1) as x("workspaceId" uuid, id uuid, "channelId" uuid, "messageId" uuid, ref jsonb)`,
    [toJson(rows)],
  );
}

/** A file whose bytes are stored. */
export async function insertReadyMedia(
  client: Client,
  row: {
    workspaceId: string;
    id: string;
    sha256: string;
    mimeType: string;
    size: number;
    filename: string | null;
    channelId: string | null;
  },
): Promise<void> {
  await client.query(
    `insert into media (workspace_id, id, state, sha256, mime_type, size, filename, channel_id) values ($1, $2, 'ready', $3, $4, $5, $6, $7)`,
    [row.workspaceId, row.id, row.sha256, row.mimeType, row.size, row.filename, row.channelId],
  );
}

/** One file of a workspace; undefined when there is none. */
export async function getMedia(client: Client, workspaceId: string, id: string): Promise<MediaRow | undefined> {
  const result = await client.query<MediaRow>(`select ${COLUMNS} from media where workspace_id = $1 and id = $2`, [workspaceId, id]);
  return result.rows[0];
}

/** Files by id; those that are not there are left out. */
export async function getManyMedia(client: Client, workspaceId: string, ids: string[]): Promise<MediaRow[]> {
  if (ids.length === 0) return [];
  const result = await client.query<MediaRow>(`select ${COLUMNS} from media where workspace_id = $1 and id = any($2)`, [workspaceId, ids]);
  return result.rows;
}

/** Takes files that are due, for `leaseSeconds`: another process takes them again when this one dies. */
export async function claimMedia(client: Client, limit: number, leaseSeconds: number): Promise<MediaRow[]> {
  const result = await client.query<MediaRow>(
    `update media set attempts = attempts + 1, run_at = now() + make_interval(secs => $2)
     where (workspace_id, id) in (
       select workspace_id, id from media where state = 'waiting' and run_at <= now() order by run_at limit $1 for update skip locked)
     returning ${COLUMNS}`,
    [limit, leaseSeconds],
  );
  return result.rows;
}

export async function finishMedia(
  client: Client,
  row: { workspaceId: string; id: string; sha256: string; mimeType: string; size: number; filename: string | null },
): Promise<void> {
  await client.query(
    `update media set state = 'ready', sha256 = $3, mime_type = $4, size = $5, filename = coalesce(filename, $6), error = null, run_at = null
     where workspace_id = $1 and id = $2`,
    [row.workspaceId, row.id, row.sha256, row.mimeType, row.size, row.filename],
  );
}

/** Lets a file that could not be fetched be fetched now. False for one that is here, or that came from nowhere. */
export async function fetchMediaAgain(client: Client, workspaceId: string, id: string): Promise<boolean> {
  const result = await client.query(
    `update media set state = 'waiting', attempts = 0, run_at = now()
     where workspace_id = $1 and id = $2 and state <> 'ready' and provider_ref is not null`,
    [workspaceId, id],
  );
  return (result.rowCount ?? 0) > 0;
}

/** The file could not be fetched; tried again at `retryAt`, or given up when that is null. */
export async function failMedia(client: Client, workspaceId: string, id: string, error: string, retryAt: Date | null): Promise<void> {
  await client.query(
    `update media set state = case when $4::timestamptz is null then 'failed' else 'waiting' end, error = $3, run_at = $4
     where workspace_id = $1 and id = $2`,
    [workspaceId, id, error, retryAt],
  );
}
