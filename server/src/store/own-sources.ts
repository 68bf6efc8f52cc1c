/** Kinds of channels that somebody else's program speaks for. */
import { createHash, randomBytes } from 'node:crypto';
import type { Client } from './database.ts';

export interface OwnSource {
  workspaceId: string;
  sourceId: string;
  name: string | null;
  imageUrl: string | null;
  actionEndpoint: string | null;
  sandbox: boolean;
  deletedAt: Date | null;
}

const COLUMNS = `workspace_id as "workspaceId", source_id as "sourceId", name, image_url as "imageUrl", action_endpoint as "actionEndpoint",
  sandbox, deleted_at as "deletedAt"`;

/** A new token's text; only its digest is stored. */
export function newSourceToken(): string {
  return `src_${randomBytes(32).toString('base64url')}`;
}

const hashOf = (token: string) => createHash('sha256').update(token).digest();

/** Adds a source, or brings a deleted one back with another token; undefined when there is one. */
export async function insertOwnSource(
  client: Client,
  row: Omit<OwnSource, 'deletedAt'> & { token: string },
): Promise<OwnSource | undefined> {
  const result = await client.query<OwnSource>(
    `insert into own_sources as s (workspace_id, source_id, name, image_url, action_endpoint, token_hash, sandbox)
     values ($1, $2, $3, $4, $5, $6, $7)
     on conflict (workspace_id, source_id) do update set name = excluded.name, image_url = excluded.image_url,
       action_endpoint = excluded.action_endpoint, token_hash = excluded.token_hash, sandbox = excluded.sandbox, deleted_at = null
       where s.deleted_at is not null
     returning ${COLUMNS}`,
    [row.workspaceId, row.sourceId, row.name, row.imageUrl, row.actionEndpoint, hashOf(row.token), row.sandbox],
  );
  return result.rows[0];
}

/** The source with this token, also one that was deleted. */
export async function ownSourceByToken(client: Client, token: string): Promise<OwnSource | undefined> {
  const result = await client.query<OwnSource>(`select ${COLUMNS} from own_sources where token_hash = $1`, [hashOf(token)]);
  return result.rows[0];
}

export async function listOwnSources(client: Client, workspaceId: string): Promise<OwnSource[]> {
  const result = await client.query<OwnSource>(
    `select ${COLUMNS} from own_sources where workspace_id = $1 and deleted_at is null order by created_at, source_id`,
    [workspaceId],
  );
  return result.rows;
}

export async function getOwnSource(client: Client, workspaceId: string, sourceId: string): Promise<OwnSource | undefined> {
  const result = await client.query<OwnSource>(
    `select ${COLUMNS} from own_sources where workspace_id = $1 and source_id = $2 and deleted_at is null`,
    [workspaceId, sourceId],
  );
  return result.rows[0];
}

export type OwnSourceChange = Partial<Pick<OwnSource, 'name' | 'imageUrl' | 'actionEndpoint'>>;

/** Changes what is given. */
export async function changeOwnSource(
  client: Client,
  workspaceId: string,
  sourceId: string,
  change: OwnSourceChange,
): Promise<OwnSource | undefined> {
  const result = await client.query<OwnSource>(
    `update own_sources set name = coalesce($3, name), image_url = coalesce($4, image_url), action_endpoint = coalesce($5, action_endpoint)
     where workspace_id = $1 and source_id = $2 and deleted_at is null returning ${COLUMNS}`,
    [workspaceId, sourceId, change.name ?? null, change.imageUrl ?? null, change.actionEndpoint ?? null],
  );
  return result.rows[0];
}

/** Its token is no good any more. */
export async function deleteOwnSource(client: Client, workspaceId: string, sourceId: string): Promise<void> {
  await client.query('update own_sources set deleted_at = now() where workspace_id = $1 and source_id = $2', [workspaceId, sourceId]);
}
