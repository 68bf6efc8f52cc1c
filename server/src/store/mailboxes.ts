import type { Client } from './database.ts';

/** A channel of the built-in mail server. */
export interface BuiltinMailbox {
  workspaceId: string;
  channelId: string;
  address: string;
}

/**
 * The one workspace that a domain belongs to: the first whose DNS records for it were found. Word alone is no proof, and
 * who lost the records stands behind who has them.
 */
const OWNER = `select d.workspace_id from email_domains d where d.domain = $2 and d.verified_at is not null and not d.trusted and not d.sandbox
  order by d.failing_since is not null, d.verified_at, d.workspace_id limit 1`;

/**
 * The mailbox of the built-in mail server that takes mail for an address: its own, else (for a domain that was verified)
 * the first mailbox of that domain. Where a workspace owns the domain, only its mailboxes are meant; else the one that
 * has had the address longest. null when nobody takes it.
 */
export async function builtinMailbox(client: Client, address: string): Promise<BuiltinMailbox | null> {
  const result = await client.query<BuiltinMailbox>(
    `with owner as (${OWNER})
     select c.workspace_id as "workspaceId", c.id as "channelId", c.source_channel_id as address from channels c
     where c.source = 'email' and c.settings ->> 'provider' = 'aurion' and c.status in ('active', 'warning', 'failed', 'pending')
       and (c.source_channel_id = $1
         or (split_part(c.source_channel_id, '@', 2) = $2 and exists (
           select 1 from email_domains d
           where d.workspace_id = c.workspace_id and d.domain = $2 and d.sandbox = c.sandbox and d.verified_at is not null)))
       and c.workspace_id = coalesce((select workspace_id from owner), c.workspace_id)
     order by c.sandbox, (c.source_channel_id = $1) desc, c.created_at, c.id limit 1`,
    [address, domainOf(address)],
  );
  return result.rows[0] ?? null;
}

/** The workspace that a domain belongs to; undefined when it is nobody's. */
export async function domainOwner(client: Client, domain: string): Promise<string | undefined> {
  const result = await client.query<{ workspaceId: string }>(
    `select workspace_id as "workspaceId" from (${OWNER.replace('$2', '$1')}) as owner`,
    [domain],
  );
  return result.rows[0]?.workspaceId;
}

function domainOf(address: string): string {
  return address.slice(address.lastIndexOf('@') + 1);
}

/**
 * The primary mailboxes of a workspace, at most one among the real ones and one among those made with test keys: the one
 * that was chosen, else the first that works, else the first.
 */
export async function primaryMailboxes(client: Client, workspaceId: string): Promise<Set<string>> {
  const result = await client.query<{ id: string }>(
    `select distinct on (sandbox) id from channels where workspace_id = $1 and source = 'email' and status <> 'deleted'
     order by sandbox, metadata @> '{"is_primary": true}' desc, status in ('active', 'warning', 'failed') desc, created_at, id`,
    [workspaceId],
  );
  return new Set(result.rows.map((row) => row.id));
}

/** Makes a mailbox the primary one in place of another; answers the ids of those that changed. */
export async function choosePrimaryMailbox(
  client: Client,
  mailbox: { workspaceId: string; id: string; sandbox: boolean },
): Promise<string[]> {
  const result = await client.query<{ id: string }>(
    `update channels set updated_at = now(),
       metadata = case when id = $2 then metadata || '{"is_primary": true}' else metadata - 'is_primary' end
     where workspace_id = $1 and source = 'email' and sandbox = $3 and (id = $2) <> (metadata @> '{"is_primary": true}')
     returning id`,
    [mailbox.workspaceId, mailbox.id, mailbox.sandbox],
  );
  return result.rows.map((row) => row.id);
}
