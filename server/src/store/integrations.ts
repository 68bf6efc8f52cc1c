import { uuidv7 } from '../model/ids.ts';
import type { Client } from './database.ts';
import { toJson } from './json.ts';
import type { Sealed } from './vault.ts';

/** A provider account that channels and numbers use. */
export interface Integration {
  workspaceId: string;
  id: string;
  name: string;
  type: 'email' | 'sms';
  provider: string;
  settings: Record<string, unknown>;
  credentials: Buffer | null;
  credentialsKeyId: string | null;
  metadata: Record<string, unknown>;
  /** Made with a test key. */
  sandbox: boolean;
  createdAt: Date;
  updatedAt: Date;
}

const COLUMNS = `workspace_id as "workspaceId", id, name, type, provider, settings, credentials, credentials_key_id as "credentialsKeyId",
  metadata, sandbox, created_at as "createdAt", updated_at as "updatedAt"`;

export async function getIntegration(client: Client, workspaceId: string, id: string): Promise<Integration | undefined> {
  const result = await client.query<Integration>(`select ${COLUMNS} from integrations where workspace_id = $1 and id = $2`, [
    workspaceId,
    id,
  ]);
  return result.rows[0];
}

/** The newest integration of a type, of those made with test keys or of the others; undefined when there is none. */
export async function newestIntegration(
  client: Client,
  workspaceId: string,
  type: Integration['type'],
  sandbox: boolean,
): Promise<Integration | undefined> {
  const result = await client.query<Integration>(
    `select ${COLUMNS} from integrations where workspace_id = $1 and type = $2 and sandbox = $3 order by created_at desc, id desc limit 1`,
    [workspaceId, type, sandbox],
  );
  return result.rows[0];
}

export async function listIntegrations(
  client: Client,
  workspaceId: string,
  page: { type?: string; search?: string; sandbox?: boolean; limit: number; offset: number },
): Promise<{ rows: Integration[]; total: number }> {
  const where = `workspace_id = $1 and ($2::text is null or type = $2) and ($3::boolean is null or sandbox = $3)
    and ($4::text is null or strpos(lower(name), lower($4)) > 0 or strpos(provider, lower($4)) > 0)`;
  const values = [workspaceId, page.type ?? null, page.sandbox ?? null, page.search || null];
  const count = await client.query<{ n: number }>(`select count(*)::integer as n from integrations where ${where}`, values);
  const rows = await client.query<Integration>(
    `select ${COLUMNS} from integrations where ${where} order by created_at desc, id desc limit $5 offset $6`,
    [...values, page.limit, page.offset],
  );
  return { rows: rows.rows, total: count.rows[0]!.n };
}

export interface IntegrationFields {
  name: string;
  settings: Record<string, unknown>;
  /** null: the account brings none of its own. */
  credentials: Sealed | null;
  metadata: Record<string, unknown>;
}

export async function insertIntegration(
  client: Client,
  workspaceId: string,
  row: IntegrationFields & { id?: string; type: Integration['type']; provider: string; sandbox: boolean },
): Promise<Integration> {
  const result = await client.query<Integration>(
    `insert into integrations (workspace_id, id, name, type, provider, settings, credentials, credentials_key_id, metadata, sandbox)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) returning ${COLUMNS}`,
    [
      workspaceId,
      row.id ?? uuidv7(),
      row.name,
      row.type,
      row.provider,
      toJson(row.settings),
      row.credentials?.data ?? null,
      row.credentials?.keyId ?? null,
      toJson(row.metadata),
      row.sandbox,
    ],
  );
  return result.rows[0]!;
}

export async function updateIntegration(
  client: Client,
  workspaceId: string,
  id: string,
  fields: IntegrationFields,
): Promise<Integration | undefined> {
  const result = await client.query<Integration>(
    `update integrations set name = $3, settings = $4, credentials = $5, credentials_key_id = $6, metadata = $7, updated_at = now()
     where workspace_id = $1 and id = $2 returning ${COLUMNS}`,
    [
      workspaceId,
      id,
      fields.name,
      toJson(fields.settings),
      fields.credentials?.data ?? null,
      fields.credentials?.keyId ?? null,
      toJson(fields.metadata),
    ],
  );
  return result.rows[0];
}

/** Removes one; `in-use` when a channel or a number still needs it, undefined when there is none. */
export async function deleteIntegration(client: Client, workspaceId: string, id: string): Promise<'deleted' | 'in-use' | undefined> {
  const result = await client.query<{ used: boolean }>(
    `select exists (select 1 from votel_channels v join channels c on c.workspace_id = v.workspace_id and c.id = v.channel_id
         where v.workspace_id = i.workspace_id and v.integration_id = i.id and c.status <> 'deleted')
       or exists (select 1 from phone_numbers p where p.workspace_id = i.workspace_id and p.integration_id = i.id) as used
     from integrations i where i.workspace_id = $1 and i.id = $2 for update`,
    [workspaceId, id],
  );
  const found = result.rows[0];
  if (!found) return undefined;
  if (found.used) return 'in-use';
  await client.query('delete from integrations where workspace_id = $1 and id = $2', [workspaceId, id]);
  return 'deleted';
}
