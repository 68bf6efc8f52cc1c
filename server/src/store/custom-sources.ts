/** Sources that somebody brings: a kind of channel with a token of its own. */
import type { Client } from './database.ts';

export interface CustomSource {
  workspaceId: string;
  sourceId: string;
  name: string | null;
  imageUrl: string | null;
  /** Where it takes the messages to send. */
  actionEndpoint: string | null;
  sandbox: boolean;
  /** Its token is still known, and opens nothing. */
  deletedAt: Date | null;
}

const COLUMNS = `workspace_id as "workspaceId", source_id as "sourceId", name, image_url as "imageUrl",
  action_endpoint as "actionEndpoint", sandbox, deleted_at as "deletedAt"`;

/** Undefined when the workspace has a source of that id already. */
export async function insertCustomSource(
  client: Client,
  source: Omit<CustomSource, 'deletedAt'> & { tokenHash: Buffer },
): Promise<CustomSource | undefined> {
  const { workspaceId, sourceId, name, imageUrl, actionEndpoint, tokenHash, sandbox } = source;
  const result = await client.query<CustomSource>(
    `insert into custom_sources (workspace_id, source_id, name, image_url, action_endpoint, token_hash, sandbox) values ($1, $2, $3, $4, $5, $6, $7)
     on conflict (workspace_id, source_id) do update set name = excluded.name, image_url = excluded.image_url,
       action_endpoint = excluded.action_endpoint, token_hash = excluded.token_hash, sandbox = excluded.sandbox, deleted_at = null, updated_at = now()
       where custom_sources.deleted_at is not null
     returning ${COLUMNS}`,
    [workspaceId, sourceId, name, imageUrl, actionEndpoint, tokenHash, sandbox],
  );
  return result.rows[0];
}

/** One that is not deleted. */
export async function getCustomSource(client: Client, workspaceId: string, sourceId: string): Promise<CustomSource | undefined> {
  const result = await client.query<CustomSource>(
    `select ${COLUMNS} from custom_sources where workspace_id = $1 and source_id = $2 and deleted_at is null`,
    [workspaceId, sourceId],
  );
  return result.rows[0];
}

/** The source that a token belongs to, also after it was deleted. */
export async function customSourceByToken(client: Client, tokenHash: Buffer): Promise<CustomSource | undefined> {
  const result = await client.query<CustomSource>(`select ${COLUMNS} from custom_sources where token_hash = $1`, [tokenHash]);
  return result.rows[0];
}

/** In the order of their ids; `sandbox`: those made with test keys only. */
export async function listCustomSources(client: Client, workspaceId: string, filter: { sandbox: boolean }): Promise<CustomSource[]> {
  const result = await client.query<CustomSource>(
    `select ${COLUMNS} from custom_sources where workspace_id = $1 and deleted_at is null and (sandbox or not $2) order by source_id`,
    [workspaceId, filter.sandbox],
  );
  return result.rows;
}

/** Changes what is given; undefined when there is no such source. */
export async function changeCustomSource(
  client: Client,
  workspaceId: string,
  sourceId: string,
  change: Partial<Pick<CustomSource, 'name' | 'imageUrl' | 'actionEndpoint'>>,
): Promise<CustomSource | undefined> {
  const result = await client.query<CustomSource>(
    `update custom_sources set name = coalesce($3, name), image_url = coalesce($4, image_url), action_endpoint = coalesce($5, action_endpoint),
       updated_at = now() where workspace_id = $1 and source_id = $2 and deleted_at is null returning ${COLUMNS}`,
    [workspaceId, sourceId, change.name ?? null, change.imageUrl ?? null, change.actionEndpoint ?? null],
  );
  return result.rows[0];
}

export async function deleteCustomSource(client: Client, workspaceId: string, sourceId: string): Promise<void> {
  await client.query('update custom_sources set deleted_at = now() where workspace_id = $1 and source_id = $2', [workspaceId, sourceId]);
}

/** The channels, of these, on which a contact has the address. */
export async function channelsWithAddress(
  client: Client,
  workspaceId: string,
  address: { kind: string; value: string },
  channelIds: string[],
): Promise<string[]> {
  const result = await client.query<{ id: string }>(
    `select distinct c.channel_id as id from identities i
     join conversations c on c.workspace_id = i.workspace_id and c.contact_id = i.contact_id
     where i.workspace_id = $1 and i.kind = $2 and i.value = $3 and c.channel_id = any($4)`,
    [workspaceId, address.kind, address.value, channelIds],
  );
  return result.rows.map((row) => row.id);
}
