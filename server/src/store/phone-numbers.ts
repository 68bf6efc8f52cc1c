import { uuidv7 } from '../model/ids.ts';
import type { Client } from './database.ts';
import { toJson } from './json.ts';

export interface NumberAbilities {
  sms: boolean;
  mms: boolean;
  voice: boolean;
}

export interface PhoneNumberRow {
  workspaceId: string;
  id: string;
  phoneNumber: string;
  name: string | null;
  integrationId: string | null;
  /** The provider's id, where its account was asked. */
  providerId: string | null;
  capabilities: NumberAbilities;
  metadata: Record<string, unknown>;
  /** Made with a test key. */
  sandbox: boolean;
  createdAt: Date;
  updatedAt: Date;
}

const COLUMNS = `workspace_id as "workspaceId", id, phone_number as "phoneNumber", name, integration_id as "integrationId",
  provider_id as "providerId", capabilities, metadata, sandbox, created_at as "createdAt", updated_at as "updatedAt"`;

export async function getPhoneNumber(client: Client, workspaceId: string, id: string): Promise<PhoneNumberRow | undefined> {
  const result = await client.query<PhoneNumberRow>(`select ${COLUMNS} from phone_numbers where workspace_id = $1 and id = $2`, [
    workspaceId,
    id,
  ]);
  return result.rows[0];
}

export async function listPhoneNumbers(
  client: Client,
  workspaceId: string,
  page: { search?: string; sandbox?: boolean; limit: number; offset: number },
): Promise<{ rows: PhoneNumberRow[]; total: number }> {
  const where = `workspace_id = $1 and ($2::text is null or strpos(phone_number, $2) > 0 or strpos(lower(name), lower($2)) > 0)
    and ($3::boolean is null or sandbox = $3)`;
  const values = [workspaceId, page.search || null, page.sandbox ?? null];
  const count = await client.query<{ n: number }>(`select count(*)::integer as n from phone_numbers where ${where}`, values);
  const rows = await client.query<PhoneNumberRow>(
    `select ${COLUMNS} from phone_numbers where ${where} order by created_at desc, id desc limit $4 offset $5`,
    [...values, page.limit, page.offset],
  );
  return { rows: rows.rows, total: count.rows[0]!.n };
}

export interface NewPhoneNumber {
  workspaceId: string;
  phoneNumber: string;
  name: string | null;
  integrationId: string | null;
  providerId: string | null;
  capabilities: NumberAbilities;
  metadata: Record<string, unknown>;
  sandbox: boolean;
}

/** undefined when the workspace has the number already. */
export async function insertPhoneNumber(client: Client, row: NewPhoneNumber): Promise<PhoneNumberRow | undefined> {
  const result = await client.query<PhoneNumberRow>(
    `insert into phone_numbers (workspace_id, id, phone_number, name, integration_id, provider_id, capabilities, metadata, sandbox)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict (workspace_id, phone_number) do nothing returning ${COLUMNS}`,
    [
      row.workspaceId,
      uuidv7(),
      row.phoneNumber,
      row.name,
      row.integrationId,
      row.providerId,
      toJson(row.capabilities),
      toJson(row.metadata),
      row.sandbox,
    ],
  );
  return result.rows[0];
}

/** Changes what is given; undefined when there is no such number. */
export async function changePhoneNumber(
  client: Client,
  workspaceId: string,
  id: string,
  change: { name?: string | null; metadata?: Record<string, unknown> },
): Promise<PhoneNumberRow | undefined> {
  const result = await client.query<PhoneNumberRow>(
    `update phone_numbers set name = case when $3 then $4 else name end, metadata = coalesce($5::jsonb, metadata), updated_at = now()
     where workspace_id = $1 and id = $2 returning ${COLUMNS}`,
    [workspaceId, id, change.name !== undefined, change.name ?? null, change.metadata ? toJson(change.metadata) : null],
  );
  return result.rows[0];
}

/** The workspace's row of a number; undefined when it has none. */
export async function phoneNumberOf(client: Client, workspaceId: string, phoneNumber: string): Promise<PhoneNumberRow | undefined> {
  const result = await client.query<PhoneNumberRow>(`select ${COLUMNS} from phone_numbers where workspace_id = $1 and phone_number = $2`, [
    workspaceId,
    phoneNumber,
  ]);
  return result.rows[0];
}

export async function deletePhoneNumber(client: Client, workspaceId: string, id: string): Promise<boolean> {
  const result = await client.query('delete from phone_numbers where workspace_id = $1 and id = $2', [workspaceId, id]);
  return (result.rowCount ?? 0) > 0;
}
