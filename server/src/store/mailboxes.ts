import type { Client } from './database.ts';

/**
 * The mailbox of the built-in mail server that takes mail for an address: its own, else (for a domain that was verified)
 * the first mailbox of that domain. null when nobody takes it.
 */
export async function builtinMailbox(client: Client, address: string): Promise<string | null> {
  const result = await client.query<{ address: string }>(
    `select c.source_channel_id as address from channels c
     where c.source = 'email' and c.settings ->> 'provider' = 'aurion' and c.status in ('active', 'warning', 'failed', 'pending')
       and (c.source_channel_id = $1
         or (split_part(c.source_channel_id, '@', 2) = $2 and exists (
           select 1 from email_domains d where d.workspace_id = c.workspace_id and d.domain = $2 and d.verified_at is not null)))
     order by (c.source_channel_id = $1) desc, c.created_at, c.id limit 1`,
    [address, address.slice(address.lastIndexOf('@') + 1)],
  );
  return result.rows[0]?.address ?? null;
}
