/** The wall between what was made with test keys and what is real. */
import type { Client } from './database.ts';

/** Over `contacts`: those who have written, or were written to, on real channels only. */
export const LIVE_CONTACT = `exists (select 1 from conversations c where c.workspace_id = contacts.workspace_id and c.contact_id = contacts.id)
  and not exists (select 1 from conversations c join channels h on h.workspace_id = c.workspace_id and h.id = c.channel_id
    where c.workspace_id = contacts.workspace_id and c.contact_id = contacts.id and h.sandbox)`;

/** Of these ids, the ones of channels, conversations, messages, files and contacts that test keys have no business with. */
export async function liveOnes(client: Client, workspaceId: string, ids: string[]): Promise<Set<string>> {
  if (ids.length === 0) return new Set();
  const result = await client.query<{ id: string }>(
    `with live as (select h.id from channels h where h.workspace_id = $1 and not h.sandbox)
     select id from live where id = any($2::uuid[])
     union select c.id from conversations c where c.workspace_id = $1 and c.id = any($2) and c.channel_id in (select id from live)
     union select m.id from messages m where m.workspace_id = $1 and m.id = any($2) and m.channel_id in (select id from live)
     union select f.id from media f where f.workspace_id = $1 and f.id = any($2) and f.channel_id in (select id from live)
     union select id from contacts where workspace_id = $1 and id = any($2) and ${LIVE_CONTACT}`,
    [workspaceId, ids],
  );
  return new Set(result.rows.map((row) => row.id));
}
