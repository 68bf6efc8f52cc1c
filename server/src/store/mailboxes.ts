import type { Client } from './database.ts';

/** A channel of the built-in mail server. */
export interface BuiltinMailbox {
  workspaceId: string;
  channelId: string;
  address: string;
}

/** The one workspace that a domain belongs to: the first whose DNS records for it were found. Word alone is no proof. */
const OWNER = `select d.workspace_id from email_domains d where d.domain = $2 and d.verified_at is not null and not d.trusted
  order by d.verified_at, d.workspace_id limit 1`;

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
           select 1 from email_domains d where d.workspace_id = c.workspace_id and d.domain = $2 and d.verified_at is not null)))
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
