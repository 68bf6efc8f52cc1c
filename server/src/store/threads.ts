/** Finding the conversation that a message belongs to by what it names, set-based. */
import type { Client } from './database.ts';
import { toJson } from './json.ts';

export interface RefQuery {
  /** Position in the caller's list. */
  n: number;
  workspaceId: string;
  channelId: string;
  contactId: string;
  ref: string;
}

/** The conversations of the same channel and contact that hold a message, have the key, or were named by the ref. */
export async function findByRefs(client: Client, queries: RefQuery[]): Promise<{ n: number; conversationId: string }[]> {
  if (queries.length === 0) return [];
  const result = await client.query<{ n: number; conversationId: string }>({
    name: 'find-by-refs',
    text: `with x as (select * from json_to_recordset($1) as x(n integer, "workspaceId" uuid, "channelId" uuid, "contactId" uuid, ref text)),
      hits as (
        select x.n, 1 as rank, m.conversation_id from x join messages m
          on m.workspace_id = x."workspaceId" and m.channel_id = x."channelId" and m.provider_id = x.ref
        union all
        select x.n, 2, c.id from x join conversations c
          on c.workspace_id = x."workspaceId" and c.channel_id = x."channelId" and c.contact_id = x."contactId" and c.thread_key = x.ref
        union all
        select x.n, 3, t.conversation_id from x join thread_refs t
          on t.workspace_id = x."workspaceId" and t.channel_id = x."channelId" and t.ref = x.ref)
      select distinct on (hits.n) hits.n, c.id as "conversationId"
      from hits join x on x.n = hits.n
      join conversations c on c.workspace_id = x."workspaceId" and c.id = hits.conversation_id
        and c.channel_id = x."channelId" and c.contact_id = x."contactId"
      order by hits.n, hits.rank, c.created_at, c.id`,
    values: [toJson(queries)],
  });
  return result.rows;
}

export interface GuessQuery {
  n: number;
  workspaceId: string;
  channelId: string;
  contactId: string;
  guess: string;
  at: Date;
}

/** The newest conversation of the channel and contact with the same guess, and with a message of the last seven days. */
export async function findByGuess(client: Client, queries: GuessQuery[]): Promise<{ n: number; conversationId: string }[]> {
  if (queries.length === 0) return [];
  const result = await client.query<{ n: number; conversationId: string }>({
    name: 'find-by-guess',
    text: `select distinct on (x.n) x.n, c.id as "conversationId"
      from json_to_recordset($1) as x(n integer, "workspaceId" uuid, "channelId" uuid, "contactId" uuid, guess text, at timestamptz)
      join conversations c on c.workspace_id = x."workspaceId" and c.channel_id = x."channelId" and c.contact_id = x."contactId"
        and c.thread_data ? 'guess' and c.thread_data ->> 'guess' = x.guess
        and c.last_message_at > x.at - interval '7 days'
      order by x.n, c.last_message_at desc, c.id`,
    values: [toJson(queries)],
  });
  return result.rows;
}

export interface ThreadRefRow {
  workspaceId: string;
  channelId: string;
  conversationId: string;
  ref: string;
}

/** Remembers what the messages of a conversation name. */
export async function insertThreadRefs(client: Client, rows: ThreadRefRow[]): Promise<void> {
  if (rows.length === 0) return;
  await client.query({
    name: 'insert-thread-refs',
    text: `insert into thread_refs (workspace_id, channel_id, ref, conversation_id)
      select distinct "workspaceId", "channelId", ref, "conversationId"
      from json_to_recordset($1) as x("workspaceId" uuid, "channelId" uuid, "conversationId" uuid, ref text)
      order by 1, 2, 3, 4
      on conflict do nothing`,
    values: [toJson(rows)],
  });
}

export interface ThreadDataRow {
  workspaceId: string;
  conversationId: string;
  data: Record<string, unknown>;
  at: Date;
}

/** Replaces what is kept about threads, unless it comes from a newer message already. One row a conversation. */
export async function replaceThreadData(client: Client, rows: ThreadDataRow[]): Promise<void> {
  if (rows.length === 0) return;
  await client.query({
    name: 'replace-thread-data',
    text: `update conversations c set thread_data = x.data, thread_data_at = x.at
      from json_to_recordset($1) as x("workspaceId" uuid, "conversationId" uuid, data jsonb, at timestamptz)
      where c.workspace_id = x."workspaceId" and c.id = x."conversationId" and coalesce(c.thread_data_at, '-infinity') <= x.at`,
    values: [toJson(rows)],
  });
}
