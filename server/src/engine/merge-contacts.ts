/** Two contacts turn out to be one person. */
import type { Client } from '../store/database.ts';

/**
 * Moves everything of `sourceId` to `destinationId`: addresses, conversations, messages. Where both have a
 * conversation on the same channel the source's is kept as history, and the next message goes to the destination's.
 */
export async function moveContact(client: Client, workspaceId: string, sourceId: string, destinationId: string): Promise<void> {
  const values = [workspaceId, sourceId, destinationId];
  await client.query('update identities set contact_id = $3 where workspace_id = $1 and contact_id = $2', values);
  await client.query('update messages set contact_id = $3, updated_at = now() where workspace_id = $1 and contact_id = $2', values);
  await client.query(
    `update conversations c set contact_id = $3, updated_at = now(), thread_key = case when exists (
         select 1 from conversations o where o.workspace_id = $1 and o.contact_id = $3 and o.channel_id = c.channel_id and o.thread_key = c.thread_key)
       then c.thread_key || ' merged ' || c.id else c.thread_key end
     where c.workspace_id = $1 and c.contact_id = $2`,
    values,
  );
  await client.query('update contacts set merged_into = $3, updated_at = now() where workspace_id = $1 and id = $2', values);
}
