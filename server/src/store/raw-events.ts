import { as, Table } from './columns.ts';
import type { Client } from './database.ts';

export interface RawEventView {
  workspaceId: string;
  id: string;
  source: string;
  sourceChannelId: string | null;
  contentType: string;
  body: Buffer;
  state: 'waiting' | 'applied' | 'ignored' | 'unrouted' | 'failed';
  error: string | null;
  attempts: number;
  receivedAt: Date;
  appliedAt: Date | null;
}

const COLUMNS = `workspace_id as "workspaceId", id, source, source_channel_id as "sourceChannelId", content_type as "contentType", body,
  state, error, attempts, received_at as "receivedAt", applied_at as "appliedAt"`;

/** Raw events of a workspace in some states, newest first unless told. */
export async function listRawEvents(
  client: Client,
  workspaceId: string,
  page: { states: string[]; after?: string; oldestFirst?: boolean; limit: number },
): Promise<RawEventView[]> {
  const result = await client.query<RawEventView>(
    `select ${COLUMNS} from raw_events where workspace_id = $1 and state = any($2) and ($3::uuid is null or id ${page.oldestFirst ? '>' : '<'} $3)
     order by id ${page.oldestFirst ? 'asc' : 'desc'} limit $4`,
    [workspaceId, page.states, page.after ?? null, page.limit],
  );
  return result.rows;
}

export async function getRawEvent(client: Client, workspaceId: string, id: string): Promise<RawEventView | undefined> {
  const result = await client.query<RawEventView>(`select ${COLUMNS} from raw_events where workspace_id = $1 and id = $2`, [
    workspaceId,
    id,
  ]);
  return result.rows[0];
}

/** The raw event that a message was read from; undefined where none is kept for it. */
export async function rawEventOfMessage(client: Client, workspaceId: string, messageId: string): Promise<RawEventView | undefined> {
  const result = await client.query<{ id: string | null }>('select raw_event_id as id from messages where workspace_id = $1 and id = $2', [
    workspaceId,
    messageId,
  ]);
  const id = result.rows[0]?.id;
  return id ? getRawEvent(client, workspaceId, id) : undefined;
}

/** Events that were made durable and not applied yet, oldest first: what a killed process left. */
export async function waitingRawEvents(client: Client, limit: number): Promise<RawEventView[]> {
  const result = await client.query<RawEventView>(
    `select ${COLUMNS} from raw_events where state = 'waiting' order by workspace_id, id limit $1`,
    [limit],
  );
  return result.rows;
}

/** A raw event as it is written. */
export type RawEventRow = Omit<RawEventView, 'attempts' | 'appliedAt'>;

/** Raw events as a statement's columns. */
export const rawEventColumns = new Table<RawEventRow>('x', {
  w: as.uuid((row) => row.workspaceId),
  i: as.uuid((row) => row.id),
  s: as.text((row) => row.source),
  c: as.text((row) => row.sourceChannelId),
  t: as.text((row) => row.contentType),
  b: as.bytea((row) => row.body),
  z: as.text((row) => row.state),
  e: as.text((row) => row.error),
  r: as.timestamptz((row) => row.receivedAt),
});

/** Keeps what providers said, byte for byte. */
export async function insertRawEvents(client: Client, rows: RawEventRow[]): Promise<void> {
  if (rows.length === 0) return;
  await client.query({
    name: 'insert-raw-events',
    text: `insert into raw_events (workspace_id, id, source, source_channel_id, content_type, body, state, error, received_at, applied_at)
      select w, i, s, c, t, b, z, e, r, case when z in ('applied', 'ignored') then now() end
      from ${rawEventColumns.from()}
      on conflict (workspace_id, id) do update set state = excluded.state, error = excluded.error,
        attempts = raw_events.attempts + 1, applied_at = excluded.applied_at`,
    values: rawEventColumns.values(rows),
  });
}

/** Those of some spooled files that no raw event names any more. */
export async function unnamedFiles(client: Client, files: string[]): Promise<string[]> {
  if (files.length === 0) return [];
  const result = await client.query<{ file: string }>(
    `select file from unnest($1::text[]) as x(file) where not exists (
       select 1 from raw_events where substring(content_type from '; spool=([0-9a-f]{64})') = file
         and content_type like '%; spool=%')`,
    [files],
  );
  return result.rows.map(({ file }) => file);
}
