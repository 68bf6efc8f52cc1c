import type { Party } from '../connectors/events.ts';
import type { Contact, Identity } from '../model/contact.ts';
import type { Client } from './database.ts';
import { toJson } from './json.ts';
import { columnsOf, type RowKey } from './row-key.ts';
import { LIVE_CONTACT } from './sandbox.ts';

const COLUMNS = `workspace_id as "workspaceId", id, display_name as "displayName", avatar_url as "avatarUrl", attributes, metadata,
  profile_state as "profileState", merged_into as "mergedInto", created_at as "createdAt", updated_at as "updatedAt"`;

/** One contact; one that was merged away is not found. */
export async function getContact(client: Client, workspaceId: string, id: string): Promise<Contact | undefined> {
  const result = await client.query<Contact>(
    `select ${COLUMNS} from contacts where workspace_id = $1 and id = $2 and merged_into is null`,
    [workspaceId, id],
  );
  return result.rows[0];
}

/** Contacts by id; those that are not there are left out. */
export async function getContacts(client: Client, workspaceId: string, ids: string[]): Promise<Contact[]> {
  if (ids.length === 0) return [];
  const result = await client.query<Contact>(`select ${COLUMNS} from contacts where workspace_id = $1 and id = any($2)`, [
    workspaceId,
    ids,
  ]);
  return result.rows;
}

/** The addresses of contacts, oldest first. */
export async function identitiesOf(client: Client, workspaceId: string, contactIds: string[]): Promise<Identity[]> {
  if (contactIds.length === 0) return [];
  const result = await client.query<Identity>(
    `select kind, scope, value, contact_id as "contactId" from identities where workspace_id = $1 and contact_id = any($2) order by created_at, kind, value`,
    [workspaceId, contactIds],
  );
  return result.rows;
}

/** The addresses of contacts of any workspaces, oldest first. */
export async function identitiesAcross(client: Client, contacts: RowKey[]): Promise<(Identity & { workspaceId: string })[]> {
  const result = await client.query<Identity & { workspaceId: string }>({
    name: 'identities-across',
    text: `select workspace_id as "workspaceId", kind, scope, value, contact_id as "contactId" from identities
      where (workspace_id, contact_id) in (select * from unnest($1::uuid[], $2::uuid[])) order by created_at, kind, value`,
    values: columnsOf(contacts),
  });
  return result.rows;
}

/** The contact with an address; undefined when nobody has it. */
export async function contactByIdentity(
  client: Client,
  workspaceId: string,
  identity: { kind: string; scope: string; value: string },
): Promise<string | undefined> {
  const result = await client.query<{ id: string }>(
    `select contact_id as id from identities where workspace_id = $1 and kind = $2 and scope = $3 and value = $4`,
    [workspaceId, identity.kind, identity.scope, identity.value],
  );
  return result.rows[0]?.id;
}

/** Gives a contact addresses that nobody has yet; how many there were. */
export async function addIdentities(
  client: Client,
  workspaceId: string,
  contactId: string,
  identities: { kind: string; value: string }[],
): Promise<number> {
  let added = 0;
  for (const identity of identities) {
    const result = await client.query(
      `insert into identities (workspace_id, kind, scope, value, contact_id) values ($1, $2, '', $3, $4) on conflict do nothing`,
      [workspaceId, identity.kind, identity.value, contactId],
    );
    added += result.rowCount ?? 0;
  }
  return added;
}

/** Takes over a name and picture from the provider unless a person wrote the name; true when something changed. */
export async function updateProfile(
  client: Client,
  workspaceId: string,
  contactId: string,
  party: Pick<Party, 'name' | 'avatarUrl'>,
): Promise<boolean> {
  const result = await client.query(
    `update contacts set display_name = coalesce($3, display_name), avatar_url = coalesce($4, avatar_url), profile_state = 'ok', updated_at = now()
     where workspace_id = $1 and id = $2 and profile_state is distinct from 'edited'
       and (coalesce($3, display_name), coalesce($4, avatar_url)) is distinct from (display_name, avatar_url)`,
    [workspaceId, contactId, party.name ?? null, party.avatarUrl ?? null],
  );
  return (result.rowCount ?? 0) > 0;
}

/** Sets how far fetching the provider's profile has come. */
export async function setProfileState(
  client: Client,
  workspaceId: string,
  contactId: string,
  state: 'wanted' | 'ok' | 'failed',
): Promise<void> {
  await client.query(
    `update contacts set profile_state = $3 where workspace_id = $1 and id = $2 and profile_state is distinct from 'edited'`,
    [workspaceId, contactId, state],
  );
}

/** Asks for the provider's profile once more, also where a person wrote the name; theirs is then overwritten. */
export async function wantProfile(client: Client, workspaceId: string, contactId: string): Promise<void> {
  await client.query(`update contacts set profile_state = 'wanted', updated_at = now() where workspace_id = $1 and id = $2`, [
    workspaceId,
    contactId,
  ]);
}

export interface NewContactRow {
  workspaceId: string;
  id: string;
  displayName: string | null;
  avatarUrl: string | null;
  attributes: Record<string, unknown>;
}

export async function insertContact(client: Client, row: NewContactRow): Promise<Contact> {
  const result = await client.query<Contact>(
    `insert into contacts (workspace_id, id, display_name, avatar_url, attributes, profile_state)
     values ($1, $2, $3, $4, $5, case when $3::text is null then null else 'edited' end) returning ${COLUMNS}`,
    [row.workspaceId, row.id, row.displayName, row.avatarUrl, toJson(row.attributes)],
  );
  return result.rows[0]!;
}

export interface ContactChange {
  displayName?: string | null;
  avatarUrl?: string | null;
  /** The new whole. */
  attributes?: Record<string, unknown>;
  metadata?: Record<string, unknown>;
}

/** Changes what is given; a name set here is not overwritten by the provider's any more. */
export async function changeContact(client: Client, workspaceId: string, id: string, change: ContactChange): Promise<Contact | undefined> {
  const result = await client.query<Contact>(
    `update contacts set
       display_name = case when $3 then $4 else display_name end,
       profile_state = case when $3 then 'edited' else profile_state end,
       avatar_url = case when $5 then $6 else avatar_url end,
       attributes = coalesce($7::jsonb, attributes),
       metadata = coalesce($8::jsonb, metadata),
       updated_at = now()
     where workspace_id = $1 and id = $2 and merged_into is null returning ${COLUMNS}`,
    [
      workspaceId,
      id,
      change.displayName !== undefined,
      change.displayName ?? null,
      change.avatarUrl !== undefined,
      change.avatarUrl ?? null,
      change.attributes ? toJson(change.attributes) : null,
      change.metadata ? toJson(change.metadata) : null,
    ],
  );
  return result.rows[0];
}

export interface ContactPage {
  search?: string;
  /** `name`: by display name, unnamed last; `created`: oldest first unless told. */
  order: 'name' | 'created';
  /** With `created` only. */
  newestFirst?: boolean;
  /** Without those who have conversations on live channels only. */
  sandboxOnly?: boolean;
  /** False spares counting: `total` is 0 then. */
  withTotal?: boolean;
  after?: { name: string | null; createdAt: Date; id: string };
  limit: number;
}

/** A page of contacts and how many there are in all. */
export async function listContacts(
  client: Client,
  workspaceId: string,
  page: ContactPage,
): Promise<{ contacts: Contact[]; total: number }> {
  const where = `workspace_id = $1 and merged_into is null
    and ($2::text is null or strpos(lower(display_name), lower($2)) > 0
      or exists (select 1 from identities i where i.workspace_id = contacts.workspace_id and i.contact_id = contacts.id and strpos(lower(i.value), lower($2)) > 0))
    ${page.sandboxOnly ? `and not (${LIVE_CONTACT})` : ''}`;
  const total =
    page.withTotal === false
      ? 0
      : (
          await client.query<{ n: number }>(`select count(*)::integer as n from contacts where ${where}`, [
            workspaceId,
            page.search ?? null,
          ])
        ).rows[0]!.n;
  const direction = page.newestFirst ? 'desc' : 'asc';
  const order =
    page.order === 'name'
      ? `coalesce(display_name, chr(1114111)), id`
      : `date_trunc('milliseconds', created_at) ${direction}, id ${direction}`;
  const keyset =
    page.order === 'name'
      ? `(coalesce(display_name, chr(1114111)), id) > (coalesce($4, chr(1114111)), $6::uuid)`
      : `(date_trunc('milliseconds', created_at), id) ${page.newestFirst ? '<' : '>'} ($5, $6::uuid)`;
  const result = await client.query<Contact>(
    `select ${COLUMNS} from contacts where ${where} and ($6::uuid is null or ${keyset}) and ($4::text is null or true) and ($5::timestamptz is null or true)
     order by ${order} limit $3`,
    [workspaceId, page.search ?? null, page.limit, page.after?.name ?? null, page.after?.createdAt ?? null, page.after?.id ?? null],
  );
  return { contacts: result.rows, total };
}

/** Removes a contact that has no conversations; its conversations keep it otherwise, nameless. */
export async function deleteContact(client: Client, workspaceId: string, id: string): Promise<boolean> {
  const used = await client.query('select 1 from conversations where workspace_id = $1 and contact_id = $2 limit 1', [workspaceId, id]);
  if (used.rows.length > 0) {
    const result = await client.query(
      `update contacts set display_name = null, avatar_url = null, attributes = '{}', metadata = '{}', merged_into = id, updated_at = now()
       where workspace_id = $1 and id = $2 and merged_into is null`,
      [workspaceId, id],
    );
    return (result.rowCount ?? 0) > 0;
  }
  await client.query('delete from identities where workspace_id = $1 and contact_id = $2', [workspaceId, id]);
  const result = await client.query('delete from contacts where workspace_id = $1 and id = $2', [workspaceId, id]);
  return (result.rowCount ?? 0) > 0;
}
