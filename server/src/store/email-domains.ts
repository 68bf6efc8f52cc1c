import type { RecordCheck } from '../model/mail-domain.ts';
import type { Client } from './database.ts';
import { toJson } from './json.ts';
import type { Sealed } from './vault.ts';

export interface EmailDomain {
  workspaceId: string;
  id: string;
  domain: string;
  dkimSelector: string;
  dkimPublic: string;
  dkimPrivate: Buffer;
  dkimKeyId: string;
  trusted: boolean;
  /** Made with a test key. */
  sandbox: boolean;
  checks: RecordCheck[];
  checkedAt: Date | null;
  verifiedAt: Date | null;
  /** Since when a domain that was verified lacks its records. */
  failingSince: Date | null;
  createdAt: Date;
  updatedAt: Date;
}

const COLUMNS = `workspace_id as "workspaceId", id, domain, dkim_selector as "dkimSelector", dkim_public as "dkimPublic",
  dkim_private as "dkimPrivate", dkim_key_id as "dkimKeyId", trusted, sandbox, checks, checked_at as "checkedAt", verified_at as "verifiedAt",
  failing_since as "failingSince", created_at as "createdAt", updated_at as "updatedAt"`;

export async function getEmailDomain(client: Client, workspaceId: string, id: string): Promise<EmailDomain | undefined> {
  const result = await client.query<EmailDomain>(`select ${COLUMNS} from email_domains where workspace_id = $1 and id = $2`, [
    workspaceId,
    id,
  ]);
  return result.rows[0];
}

export async function emailDomainByName(client: Client, workspaceId: string, domain: string): Promise<EmailDomain | undefined> {
  const result = await client.query<EmailDomain>(`select ${COLUMNS} from email_domains where workspace_id = $1 and domain = $2`, [
    workspaceId,
    domain,
  ]);
  return result.rows[0];
}

/** As it stands, held until the transaction ends. */
export async function lockEmailDomain(client: Client, workspaceId: string, id: string): Promise<EmailDomain | undefined> {
  const result = await client.query<EmailDomain>(`select ${COLUMNS} from email_domains where workspace_id = $1 and id = $2 for update`, [
    workspaceId,
    id,
  ]);
  return result.rows[0];
}

/** Takes some domains whose records should be looked at again, each for one process; those that are trusted never are. */
export async function takeDueDomains(
  client: Client,
  every: { verifiedMinutes: number; otherMinutes: number },
  limit: number,
): Promise<EmailDomain[]> {
  const result = await client.query<EmailDomain>(
    `update email_domains set looked_at = now() where (workspace_id, id) in (
       select workspace_id, id from email_domains
       where not trusted and greatest(looked_at, checked_at, created_at) < now()
         - make_interval(mins => case when verified_at is not null and failing_since is null then $1::integer else $2::integer end)
       limit $3 for update skip locked)
     returning ${COLUMNS}`,
    [every.verifiedMinutes, every.otherMinutes, limit],
  );
  return result.rows;
}

export async function listEmailDomains(
  client: Client,
  workspaceId: string,
  page: { search?: string; sandbox?: boolean; limit: number; offset: number },
): Promise<{ rows: EmailDomain[]; total: number }> {
  const where = `workspace_id = $1 and ($2::boolean is null or sandbox = $2) and ($3::text is null or strpos(domain, lower($3)) > 0)`;
  const values = [workspaceId, page.sandbox ?? null, page.search || null];
  const count = await client.query<{ n: number }>(`select count(*)::integer as n from email_domains where ${where}`, values);
  const rows = await client.query<EmailDomain>(
    `select ${COLUMNS} from email_domains where ${where} order by created_at desc, id desc limit $4 offset $5`,
    [...values, page.limit, page.offset],
  );
  return { rows: rows.rows, total: count.rows[0]!.n };
}

/** undefined when the workspace has the domain already. */
export async function insertEmailDomain(
  client: Client,
  row: Pick<EmailDomain, 'workspaceId' | 'id' | 'domain' | 'dkimSelector' | 'dkimPublic' | 'trusted' | 'sandbox'> & { dkimPrivate: Sealed },
): Promise<EmailDomain | undefined> {
  const result = await client.query<EmailDomain>(
    `insert into email_domains (workspace_id, id, domain, dkim_selector, dkim_public, dkim_private, dkim_key_id, trusted, sandbox, verified_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, case when $8 then now() end)
     on conflict (workspace_id, domain) do nothing returning ${COLUMNS}`,
    [
      row.workspaceId,
      row.id,
      row.domain,
      row.dkimSelector,
      row.dkimPublic,
      row.dkimPrivate.data,
      row.dkimPrivate.keyId,
      row.trusted,
      row.sandbox,
    ],
  );
  return result.rows[0];
}

/** How long a domain that was verified may lack its records before it counts as not verified. */
const GRACE = '72 hours';

/**
 * Keeps what the DNS said. `verified` undefined: it did not answer, so that the earlier verdict stands. With
 * `patient` a domain that was verified stays so for the grace time after its records went.
 */
export async function keepChecks(
  client: Client,
  domain: { workspaceId: string; id: string },
  checks: RecordCheck[],
  { verified, patient }: { verified: boolean | undefined; patient: boolean },
): Promise<EmailDomain | undefined> {
  const result = await client.query<EmailDomain>(
    `update email_domains set checks = $3, checked_at = now(), updated_at = now(),
       verified_at = case when $4::boolean is null or trusted then verified_at when $4 then coalesce(verified_at, now())
         when not $5 or failing_since < now() - interval '${GRACE}' then null else verified_at end,
       failing_since = case when $4::boolean is null or trusted then failing_since
         when not $4 then coalesce(failing_since, case when verified_at is not null then now() end) end
     where workspace_id = $1 and id = $2 returning ${COLUMNS}`,
    [domain.workspaceId, domain.id, toJson(checks), verified ?? null, patient],
  );
  return result.rows[0];
}

/** Removes one; `in-use` when a channel still sends from it, undefined when there is none. */
export async function deleteEmailDomain(client: Client, workspaceId: string, id: string): Promise<'deleted' | 'in-use' | undefined> {
  const used = await client.query(
    `select 1 from votel_channels v join channels c on c.workspace_id = v.workspace_id and c.id = v.channel_id
     where v.workspace_id = $1 and v.email_domain_id = $2 and c.status <> 'deleted' limit 1`,
    [workspaceId, id],
  );
  if (used.rows.length > 0) return 'in-use';
  const result = await client.query('delete from email_domains where workspace_id = $1 and id = $2', [workspaceId, id]);
  return (result.rowCount ?? 0) > 0 ? 'deleted' : undefined;
}
