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
           select 1 from email_domains d where d.workspace_id = c.workspace_id and d.domain = $2 and d.sandbox = c.sandbox and d.verified_at is not null)))
     order by (c.source_channel_id = $1) desc, c.created_at, c.id limit 1`,
    [address, address.slice(address.lastIndexOf('@') + 1)],
  );
  return result.rows[0]?.address ?? null;
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
