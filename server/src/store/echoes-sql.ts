import type { Client } from './database.ts';
import { toJson } from './json.ts';

export interface EchoQuery {
  n: number;
  workspaceId: string;
  channelId: string;
  /** Any address of the reader. */
  addresses: string[];
  type: string;
  /** What a text says; null for everything else. */
  text: string | null;
}

/** For each echo, our message that is just being handed to the provider, or was without an answer, and says the same. */
export async function findEchoed(client: Client, queries: EchoQuery[]): Promise<{ n: number; messageId: string }[]> {
  const result = await client.query<{ n: number; messageId: string }>({
    name: 'find-echoed',
    text: `select distinct on (x.n) x.n, m.id as "messageId"
      from json_to_recordset($1) as x(n integer, "workspaceId" uuid, "channelId" uuid, addresses jsonb, type text, text text)
      join identities i on i.workspace_id = x."workspaceId" and i.value in (select jsonb_array_elements_text(x.addresses))
      join conversations c on c.workspace_id = i.workspace_id and c.channel_id = x."channelId" and c.contact_id = i.contact_id
      join messages m on m.workspace_id = c.workspace_id and m.conversation_id = c.id and m.direction = 'out' and m.provider_id is null
        and m.state in ('pending', 'scheduled', 'unknown') and m.sent_at > now() - interval '2 days'
      left join outbox o on o.workspace_id = m.workspace_id and o.message_id = m.id
      where (m.state = 'unknown' or o.call_started_at is not null)
        and (m.content ->> 'type' = 'native' or (m.content ->> 'type' = x.type and (x.text is null or m.content ->> 'text' = x.text)))
      order by x.n, m.id`,
    values: [toJson(queries)],
  });
  return result.rows;
}
