/** Until when somebody has got, or seen, all that was sent to them on a channel. By address: the contact may not be known yet. */
import type { Client } from './database.ts';
import { toJson } from './json.ts';

export interface Watermark {
  workspaceId: string;
  channelId: string;
  address: string;
  state: string;
  at: Date;
}

/** Keeps a watermark; it only ever moves forward. */
export async function keepWatermark(client: Client, { workspaceId, channelId, address, state, at }: Watermark): Promise<void> {
  await client.query(
    `insert into watermarks (workspace_id, channel_id, address, state, at) values ($1, $2, $3, $4, $5)
     on conflict (workspace_id, channel_id, address, state) do update set at = greatest(watermarks.at, excluded.at)`,
    [workspaceId, channelId, address, state, at],
  );
}

/** Moves messages that were sent at these times (the provider's) as far as the watermarks that came before them say. */
export async function advanceToWatermarks(
  client: Client,
  sent: { workspaceId: string; channelId: string; providerId: string; at: Date }[],
): Promise<{ channelId: string; messageId: string; conversationId: string; contactId: string; state: string }[]> {
  const result = await client.query({
    name: 'advance-to-watermarks',
    text: `update messages m set state = w.state, state_at = w.at, updated_at = now()
      from (select distinct on (m.workspace_id, m.id) m.workspace_id, m.id, w.state, w.at
        from json_to_recordset($1) as x("workspaceId" uuid, "channelId" uuid, "providerId" text, at timestamptz)
        join messages m on m.workspace_id = x."workspaceId" and m.channel_id = x."channelId" and m.provider_id = x."providerId"
        join identities i on i.workspace_id = m.workspace_id and i.contact_id = m.contact_id
        join watermarks w on w.workspace_id = m.workspace_id and w.channel_id = m.channel_id and w.address = i.value and w.at >= x.at
        where m.state in ('sent', 'delivered') and state_rank(w.state) > state_rank(m.state)
        order by m.workspace_id, m.id, state_rank(w.state) desc) w
      where m.workspace_id = w.workspace_id and m.id = w.id
      returning m.channel_id as "channelId", m.id as "messageId", m.conversation_id as "conversationId", m.contact_id as "contactId", m.state`,
    values: [toJson(sent)],
  });
  return result.rows;
}
