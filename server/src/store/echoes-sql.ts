import type { Content } from '../model/content.ts';
import type { Client } from './database.ts';
import { toJson } from './json.ts';

export interface EchoQuery {
  n: number;
  workspaceId: string;
  channelId: string;
  /** Any address of the reader. */
  addresses: string[];
  /** When the provider took what it repeats, by its own clock. */
  at: Date | null;
}

export interface UnderWay {
  n: number;
  messageId: string;
  content: Content;
  /** Parts that the provider is known to have. */
  parts: number;
}

/**
 * For each echo, our messages to its reader that are being handed to the provider or were without an answer. An echo of a
 * file may say no more than that it is one: taken for a file that never arrived, it would let the rest of that message go
 * without it. A conversation's calls follow each other, so the last one that began before the echo comes first; where
 * no call did, what is being handed over comes before what had no answer, and the oldest first.
 */
export async function findUnderWay(client: Client, queries: EchoQuery[]): Promise<UnderWay[]> {
  const result = await client.query<UnderWay>({
    name: 'find-under-way',
    text: `select n, "messageId", content, parts from (select distinct on (x.n, m.id) x.n, m.state, m.id as "messageId", m.content,
        case when coalesce(u.called_at, o.call_started_at) <= x.at then coalesce(u.called_at, o.call_started_at) end as called_before, (select count(*)::integer from message_parts p
        where p.workspace_id = m.workspace_id and p.message_id = m.id and p.channel_id = m.channel_id) as parts
      from json_to_recordset($1) as x(n integer, "workspaceId" uuid, "channelId" uuid, addresses jsonb, at timestamptz)
      join identities i on i.workspace_id = x."workspaceId" and i.value in (select jsonb_array_elements_text(x.addresses))
      join conversations c on c.workspace_id = i.workspace_id and c.channel_id = x."channelId" and c.contact_id = i.contact_id
      join messages m on m.workspace_id = c.workspace_id and m.conversation_id = c.id and m.direction = 'out' and m.provider_id is null
        and m.state in ('pending', 'scheduled', 'unknown') and m.sent_at > now() - interval '2 days'
      left join outbox o on o.workspace_id = m.workspace_id and o.message_id = m.id
      left join unsettled u on u.workspace_id = m.workspace_id and u.message_id = m.id
      where m.state = 'unknown' or o.call_started_at is not null
      order by x.n, m.id) as found
      order by n, called_before desc nulls last, state = 'unknown', "messageId"`,
    values: [toJson(queries)],
  });
  return result.rows;
}

/** Which of these messages there are, by `workspace message`: ids that come from outside may be anybody's. */
export async function ownMessages(client: Client, keys: { workspaceId: string; messageId: string }[]): Promise<Set<string>> {
  const result = await client.query<{ key: string }>({
    name: 'own-messages',
    text: `select m.workspace_id || ' ' || m.id as key from json_to_recordset($1) as x("workspaceId" uuid, "messageId" uuid)
      join messages m on m.workspace_id = x."workspaceId" and m.id = x."messageId"`,
    values: [toJson(keys)],
  });
  return new Set(result.rows.map(({ key }) => key));
}
