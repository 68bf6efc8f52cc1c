import type { Channel, ChannelStatus } from '../model/channel.ts';
import type { Client, Database } from './database.ts';
import { toJson } from './json.ts';
import { columnsOf, type RowKey } from './row-key.ts';

/** A channel with what only the engine may see. */
export interface ChannelRow extends Channel {
  account: string;
  credentials: Buffer | null;
  credentialsKeyId: string | null;
  lastInAt: Date | null;
  lastOutAt: Date | null;
  lastError: { class: string; message: string; at: string } | null;
  health: Record<string, unknown> | null;
  healthAt: Date | null;
}

const COLUMNS = `workspace_id as "workspaceId", id, source, source_channel_id as "sourceChannelId", name, image_url as "imageUrl",
  status, status_reason as "statusReason", sandbox, settings, credentials, credentials_key_id as "credentialsKeyId", details, metadata,
  account, last_in_at as "lastInAt", last_out_at as "lastOutAt", last_error as "lastError", health, health_at as "healthAt",
  created_at as "createdAt", updated_at as "updatedAt", deleted_at as "deletedAt"`;

/** The channels that an account at a provider is connected as, in every workspace and state. */
export async function channelsByAddress(database: Client, source: string, sourceChannelId: string): Promise<ChannelRow[]> {
  const result = await database.query<ChannelRow>(`select ${COLUMNS} from channels where source = $1 and source_channel_id = $2`, [
    source,
    sourceChannelId,
  ]);
  return result.rows;
}

/** The channels that share a provider account (WABA, page), in every workspace and state. */
export async function channelsByAccount(database: Database, source: string, account: string): Promise<ChannelRow[]> {
  const result = await database.query<ChannelRow>(`select ${COLUMNS} from channels where source = $1 and account = $2`, [source, account]);
  return result.rows;
}

/** The connected channels of these sources, in every workspace. */
export async function receivingChannels(client: Client, sources: string[]): Promise<ChannelRow[]> {
  const result = await client.query<ChannelRow>(
    `select ${COLUMNS} from channels where source = any($1) and status in ('active', 'warning', 'failed', 'pending') order by id`,
    [sources],
  );
  return result.rows;
}

/** One channel of a workspace, deleted ones too; undefined when there is none. */
export async function getChannel(client: Client, workspaceId: string, id: string): Promise<ChannelRow | undefined> {
  const result = await client.query<ChannelRow>(`select ${COLUMNS} from channels where workspace_id = $1 and id = $2`, [workspaceId, id]);
  return result.rows[0];
}

/** Channels by id, deleted ones too; those that are not there are left out. */
export async function getChannels(client: Client, workspaceId: string, ids: string[]): Promise<ChannelRow[]> {
  if (ids.length === 0) return [];
  const result = await client.query<ChannelRow>(`select ${COLUMNS} from channels where workspace_id = $1 and id = any($2)`, [
    workspaceId,
    ids,
  ]);
  return result.rows;
}

/** A channel by its id alone, for those who know nothing but it: pages that embed a widget. */
export async function findChannel(client: Client, id: string): Promise<ChannelRow | undefined> {
  const result = await client.query<ChannelRow>({
    name: 'find-channel',
    text: `select ${COLUMNS} from channels where id = $1`,
    values: [id],
  });
  return result.rows[0];
}

/** Channels of any workspaces, deleted ones too; those that are not there are left out. */
export async function getChannelsAcross(client: Client, keys: RowKey[]): Promise<ChannelRow[]> {
  const result = await client.query<ChannelRow>({
    name: 'channels-across',
    text: `select ${COLUMNS} from channels where (workspace_id, id) in (select * from unnest($1::uuid[], $2::uuid[]))`,
    values: columnsOf(keys),
  });
  return result.rows;
}

/** Nothing is sent on the channel until then. */
export async function pauseChannel(client: Client, workspaceId: string, id: string, until: Date): Promise<void> {
  await client.query('update channels set paused_until = $3 where workspace_id = $1 and id = $2', [workspaceId, id, until]);
}

export interface ChannelFilter {
  sources?: string[];
  statuses?: ChannelStatus[];
  ids?: string[];
  search?: string;
  /** Those made with test keys, or those not. */
  sandbox?: boolean;
  /** By what the workspace surface's users set as `useCaseType`. */
  useCaseTypes?: string[];
  /** Keyset: rows after this one in the order asked for. */
  after?: { createdAt: Date; id: string };
  newestFirst?: boolean;
  limit?: number;
}

/** Channels of a workspace, oldest first unless told; those marked deleted only when `statuses` asks for them. */
export async function listChannels(client: Client, workspaceId: string, filter: ChannelFilter = {}): Promise<ChannelRow[]> {
  const direction = filter.newestFirst ? 'desc' : 'asc';
  const result = await client.query<ChannelRow>(
    `select ${COLUMNS} from channels
     where workspace_id = $1
       and ($2::text[] is null or source = any($2))
       and (case when $3::text[] is null then status <> 'deleted' else status = any($3) end)
       and ($4::uuid[] is null or id = any($4))
       and ($5::text is null or strpos(lower(name), lower($5)) > 0 or strpos(lower(source_channel_id), lower($5)) > 0)
       and ($6::timestamptz is null or (date_trunc('milliseconds', created_at), id) ${filter.newestFirst ? '<' : '>'} ($6, $7::uuid))
       and ($9::boolean is null or sandbox = $9)
       and ($10::text[] is null or settings #>> '{channelOptions,useCaseType}' = any($10))
     order by date_trunc('milliseconds', created_at) ${direction}, id ${direction}
     limit $8`,
    [
      workspaceId,
      filter.sources ?? null,
      filter.statuses ?? null,
      filter.ids ?? null,
      filter.search ?? null,
      filter.after?.createdAt ?? null,
      filter.after?.id ?? null,
      filter.limit ?? null,
      filter.sandbox ?? null,
      filter.useCaseTypes ?? null,
    ],
  );
  return result.rows;
}

export interface NewChannel {
  workspaceId: string;
  id: string;
  source: string;
  sourceChannelId: string;
  account: string;
  name: string;
  imageUrl: string | null;
  status: ChannelStatus;
  statusReason: string | null;
  sandbox: boolean;
  settings: Record<string, unknown>;
  credentials: Buffer | null;
  credentialsKeyId: string | null;
  details: Record<string, unknown>;
  metadata: Record<string, unknown>;
}

/**
 * Connects a channel; the same account again keeps its id and its history, and what users stored on it unless the channel
 * was deleted.
 */
export async function upsertChannel(client: Client, channel: NewChannel): Promise<ChannelRow> {
  const result = await client.query<ChannelRow>(
    `insert into channels (workspace_id, id, source, source_channel_id, account, name, image_url, status, status_reason, sandbox,
       settings, credentials, credentials_key_id, details, metadata)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
     on conflict (workspace_id, source, source_channel_id) do update set
       account = excluded.account, name = excluded.name, image_url = ${keptUnlessDeleted('coalesce(excluded.image_url, channels.image_url)', 'image_url')},
       status = excluded.status, status_reason = excluded.status_reason, sandbox = excluded.sandbox,
       settings = ${keptUnlessDeleted('channels.settings || excluded.settings', 'settings')},
       credentials = excluded.credentials, credentials_key_id = excluded.credentials_key_id,
       details = ${keptUnlessDeleted('channels.details || excluded.details', 'details')},
       metadata = ${keptUnlessDeleted('channels.metadata || excluded.metadata', 'metadata')},
       last_error = null, paused_until = null, deleted_at = null, updated_at = now()
     returning ${COLUMNS}`,
    [
      channel.workspaceId,
      channel.id,
      channel.source,
      channel.sourceChannelId,
      channel.account,
      channel.name,
      channel.imageUrl,
      channel.status,
      channel.statusReason,
      channel.sandbox,
      toJson(channel.settings),
      channel.credentials,
      channel.credentialsKeyId,
      toJson(channel.details),
      toJson(channel.metadata),
    ],
  );
  return result.rows[0]!;
}

function keptUnlessDeleted(kept: string, column: string): string {
  return `case channels.status when 'deleted' then excluded.${column} else ${kept} end`;
}

export interface ChannelChange {
  name?: string;
  imageUrl?: string | null;
  status?: ChannelStatus;
  statusReason?: string | null;
  settings?: Record<string, unknown>;
  /** Merged into what is there. */
  details?: Record<string, unknown>;
  /** Merged into what is there. */
  metadata?: Record<string, unknown>;
  /** null deletes them. */
  credentials?: { data: Buffer; keyId: string } | null;
  deletedAt?: Date | null;
  lastError?: { class: string; message: string; at: string } | null;
  health?: Record<string, unknown>;
  /** The provider is to be asked soon how the channel is doing. */
  askHealth?: true;
}

/** Changes what is given and nothing else; undefined when there is no such channel, or (with `connected`) none that is connected. */
export async function changeChannel(
  client: Client,
  workspaceId: string,
  id: string,
  change: ChannelChange,
  only?: 'connected',
): Promise<ChannelRow | undefined> {
  const sets: string[] = ['updated_at = now()'];
  const values: unknown[] = [workspaceId, id];
  const set = (expression: (parameter: string) => string, value: unknown) => {
    values.push(value);
    sets.push(expression(`$${values.length}`));
  };
  if (change.name !== undefined) set((p) => `name = ${p}`, change.name);
  if (change.imageUrl !== undefined) set((p) => `image_url = ${p}`, change.imageUrl);
  if (change.status !== undefined) set((p) => `status = ${p}`, change.status);
  // Repaired: what waits goes on.
  if (change.status === 'active') sets.push('paused_until = null');
  if (change.statusReason !== undefined) set((p) => `status_reason = ${p}`, change.statusReason);
  if (change.settings !== undefined) set((p) => `settings = settings || ${p}::jsonb`, toJson(change.settings));
  if (change.details !== undefined) set((p) => `details = details || ${p}::jsonb`, toJson(change.details));
  if (change.metadata !== undefined) set((p) => `metadata = metadata || ${p}::jsonb`, toJson(change.metadata));
  if (change.credentials !== undefined) {
    set((p) => `credentials = ${p}`, change.credentials?.data ?? null);
    set((p) => `credentials_key_id = ${p}`, change.credentials?.keyId ?? null);
  }
  if (change.deletedAt !== undefined) set((p) => `deleted_at = ${p}`, change.deletedAt);
  if (change.lastError !== undefined) set((p) => `last_error = ${p}`, change.lastError === null ? null : toJson(change.lastError));
  if (change.health !== undefined) {
    set((p) => `health = ${p}`, toJson(change.health));
    sets.push('health_at = now()');
  }
  if (change.askHealth) sets.push(`health_at = now() - interval '20 minutes'`);
  const result = await client.query<ChannelRow>(
    `update channels set ${sets.join(', ')} where workspace_id = $1 and id = $2
       ${only === 'connected' ? "and status in ('active', 'warning', 'failed', 'pending')" : ''} returning ${COLUMNS}`,
    values,
  );
  return result.rows[0];
}

/** Notes that channels sent something; not with every message, since each writes the channel's row. */
export async function noteSent(client: Client, keys: RowKey[]): Promise<void> {
  await client.query({
    name: 'note-sent',
    text: `update channels set last_out_at = now()
      where (workspace_id, id) in (select * from unnest($1::uuid[], $2::uuid[])) and coalesce(last_out_at, 'epoch') < now() - interval '10 seconds'`,
    values: columnsOf(keys),
  });
}

/** Notes when channels last took a message; times only move forward. */
export async function noteReceived(client: Client, rows: { workspaceId: string; channelId: string; at: Date }[]): Promise<void> {
  if (rows.length === 0) return;
  await client.query(
    `update channels c set last_in_at = greatest(c.last_in_at, x.at)
     from json_to_recordset($1) as x("workspaceId" uuid, "channelId" uuid, at timestamptz)
     where c.workspace_id = x."workspaceId" and c.id = x."channelId"`,
    [toJson(rows)],
  );
}
