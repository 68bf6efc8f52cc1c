/**
 * The statements of the inbound way, each for a whole batch: one request a message would spend most of its time on
 * round trips. What every message needs travels in columns; the rest as one JSON document, which PostgreSQL and Node
 * both read faster than arrays of text.
 */
import { as, Table } from './columns.ts';
import type { Client } from './database.ts';
import { toJson } from './json.ts';

export interface PartyQuery {
  /** Position in the caller's list. */
  n: number;
  workspaceId: string;
  channelId: string;
  threadKey: string;
  kind: string;
  scope: string;
  value: string;
}

export interface PartyRow {
  n: number;
  /** Which of the party's addresses was found. */
  value: string;
  kind: string;
  contactId: string;
  conversationId: string | null;
  /** The contact has no name yet. */
  nameless: boolean;
}

const partyQueries = new Table<PartyQuery>('x', {
  n: as.integer((query) => query.n),
  workspaceId: as.uuid((query) => query.workspaceId),
  channelId: as.uuid((query) => query.channelId),
  threadKey: as.text((query) => query.threadKey),
  kind: as.text((query) => query.kind),
  scope: as.text((query) => query.scope),
  value: as.text((query) => query.value),
});

/** Looks up contacts by their addresses, and their conversations on the channel, in one go. */
export async function findParties(client: Client, queries: PartyQuery[]): Promise<PartyRow[]> {
  if (queries.length === 0) return [];
  const result = await client.query({
    name: 'find-parties',
    text: `select x.n, x.value, x.kind, i.contact_id as "contactId", c.id as "conversationId", k.display_name is null as nameless
      from ${partyQueries.from()}
      join identities i on i.workspace_id = x."workspaceId" and i.kind = x.kind and i.scope = x.scope and i.value = x.value
      join contacts k on k.workspace_id = i.workspace_id and k.id = i.contact_id
      left join conversations c on c.workspace_id = x."workspaceId" and c.channel_id = x."channelId"
        and c.contact_id = i.contact_id and c.thread_key = x."threadKey"`,
    values: partyQueries.values(queries),
  });
  return result.rows as PartyRow[];
}

export interface NewContact {
  workspaceId: string;
  id: string;
  displayName: string | null;
  avatarUrl: string | null;
  profileState: string | null;
}

export interface NewIdentity {
  workspaceId: string;
  kind: string;
  scope: string;
  value: string;
  contactId: string;
}

export async function insertContacts(client: Client, rows: NewContact[]): Promise<void> {
  if (rows.length === 0) return;
  await client.query({
    name: 'insert-contacts',
    text: `insert into contacts (workspace_id, id, display_name, avatar_url, profile_state)
      select "workspaceId", id, "displayName", "avatarUrl", "profileState"
      from json_to_recordset($1) as x("workspaceId" uuid, id uuid, "displayName" text, "avatarUrl" text, "profileState" text)`,
    values: [toJson(rows)],
  });
}

/** Gives contacts their addresses. Addresses that another transaction took meanwhile are left out of the answer. */
export async function insertIdentities(client: Client, rows: NewIdentity[]): Promise<NewIdentity[]> {
  if (rows.length === 0) return [];
  const result = await client.query({
    name: 'insert-identities',
    text: `insert into identities (workspace_id, kind, scope, value, contact_id)
      select "workspaceId", kind, scope, value, "contactId"
      from json_to_recordset($1) as x("workspaceId" uuid, kind text, scope text, value text, "contactId" uuid)
      order by "workspaceId", kind, scope, value
      on conflict do nothing
      returning workspace_id as "workspaceId", kind, scope, value, contact_id as "contactId"`,
    values: [toJson(rows)],
  });
  return result.rows as NewIdentity[];
}

/** Removes contacts that were made in vain because another transaction was first. */
export async function deleteContacts(client: Client, workspaceId: string, ids: string[]): Promise<void> {
  await client.query('delete from contacts where workspace_id = $1 and id = any($2)', [workspaceId, ids]);
}

export interface NewConversation {
  workspaceId: string;
  id: string;
  channelId: string;
  contactId: string;
  threadKey: string;
  threadData: Record<string, unknown>;
  subject: string | null;
  /** Becomes the creation time: the time of the first message. */
  createdAt: Date;
}

/** Opens conversations; of two transactions that open the same one, the second gets the first one's. */
export async function insertConversations(
  client: Client,
  rows: NewConversation[],
): Promise<{ workspaceId: string; id: string; channelId: string; contactId: string; threadKey: string; isNew: boolean }[]> {
  if (rows.length === 0) return [];
  const result = await client.query({
    name: 'insert-conversations',
    text: `insert into conversations (workspace_id, id, channel_id, contact_id, thread_key, thread_data, subject, created_at)
      select "workspaceId", id, "channelId", "contactId", "threadKey", "threadData", subject, "createdAt"
      from json_to_recordset($1) as x("workspaceId" uuid, id uuid, "channelId" uuid, "contactId" uuid, "threadKey" text,
        "threadData" jsonb, subject text, "createdAt" timestamptz)
      order by "workspaceId", "channelId", "contactId", "threadKey"
      on conflict (workspace_id, channel_id, contact_id, thread_key) do update set updated_at = conversations.updated_at
      returning workspace_id as "workspaceId", id, channel_id as "channelId", contact_id as "contactId",
        thread_key as "threadKey", (xmax = 0) as "isNew"`,
    values: [toJson(rows)],
  });
  return result.rows;
}

export interface NewMessage {
  workspaceId: string;
  id: string;
  channelId: string;
  conversationId: string;
  contactId: string;
  source: string;
  direction: 'in' | 'out';
  providerId: string | null;
  state: string;
  content: unknown;
  payload: unknown;
  senderId: string | null;
  senderName: string | null;
  replyTo: string | null;
  metadata: Record<string, unknown>;
  sentAt: Date;
}

/** Stores messages; one whose provider id the channel already has is left out of the answer and changes nothing. */
export async function insertMessages(client: Client, rows: NewMessage[]): Promise<Set<string>> {
  if (rows.length === 0) return new Set();
  const result = await client.query({
    name: 'insert-messages',
    text: `insert into messages (workspace_id, id, channel_id, conversation_id, contact_id, source, direction, provider_id,
        state, content, payload, sender_id, sender_name, reply_to, metadata, sent_at)
      select "workspaceId", id, "channelId", "conversationId", "contactId", source, direction, "providerId",
        state, content, payload, "senderId", "senderName", "replyTo", metadata, "sentAt"
      from json_to_recordset($1) as x("workspaceId" uuid, id uuid, "channelId" uuid, "conversationId" uuid, "contactId" uuid,
        source text, direction text, "providerId" text, state text, content jsonb, payload jsonb, "senderId" text,
        "senderName" text, "replyTo" uuid, metadata jsonb, "sentAt" timestamptz)
      on conflict (workspace_id, channel_id, provider_id) where provider_id is not null do nothing
      returning id`,
    values: [toJson(rows)],
  });
  return new Set(result.rows.map((row: { id: string }) => row.id));
}

export interface ConversationTouch {
  workspaceId: string;
  id: string;
  unread: number;
  lastMessageId: string;
  lastMessageAt: Date;
  /** The newest inbound message that counts for the window; null when there is none among these. */
  lastInboundAt: Date | null;
  windowExpiresAt: Date | null;
  subject: string | null;
}

/**
 * Moves conversations on after new messages. Times only move forward, so any order of arrival ends the same; an
 * inbound message opens a closed conversation again.
 */
export async function touchConversations(client: Client, rows: ConversationTouch[]): Promise<void> {
  if (rows.length === 0) return;
  await client.query({
    name: 'touch-conversations',
    text: `with x as (
        select * from json_to_recordset($1) as x("workspaceId" uuid, id uuid, unread integer, "lastMessageId" uuid,
          "lastMessageAt" timestamptz, "lastInboundAt" timestamptz, "windowExpiresAt" timestamptz, subject text)),
      locked as (
        select c.workspace_id, c.id from conversations c join x on c.workspace_id = x."workspaceId" and c.id = x.id
        order by c.workspace_id, c.id for no key update of c)
      update conversations c set
        unread_count = c.unread_count + x.unread,
        last_message_id = case when c.last_message_at is null or (x."lastMessageAt", x."lastMessageId") >= (c.last_message_at, c.last_message_id)
          then x."lastMessageId" else c.last_message_id end,
        last_message_at = greatest(c.last_message_at, x."lastMessageAt"),
        last_inbound_at = greatest(c.last_inbound_at, x."lastInboundAt"),
        window_expires_at = greatest(c.window_expires_at, x."windowExpiresAt"),
        subject = coalesce(c.subject, x.subject),
        state = case when x.unread > 0 and upper(c.state) = 'CLOSED' then 'OPEN' else c.state end,
        updated_at = now()
      from x, locked
      where c.workspace_id = x."workspaceId" and c.id = x.id and locked.workspace_id = c.workspace_id and locked.id = c.id`,
    values: [toJson(rows)],
  });
}

export interface NewEvent {
  workspaceId: string;
  type: string;
  channelId?: string | null;
  conversationId?: string | null;
  contactId?: string | null;
  messageId?: string | null;
  data?: Record<string, unknown>;
}

/**
 * Appends to the log of each workspace, numbered in commit order, and hints the other processes. The last statement of
 * a transaction: from here until the commit no other transaction can append to the same workspaces.
 */
export async function appendEvents(client: Client, events: NewEvent[]): Promise<void> {
  if (events.length === 0) return;
  const counts = new Map<string, number>();
  const rows = events.map((event) => {
    const n = (counts.get(event.workspaceId) ?? 0) + 1;
    counts.set(event.workspaceId, n);
    return { ...logRow(event), n };
  });
  await client.query({
    name: 'append-events',
    text: `with x as (
        select * from json_to_recordset($1) as x(w uuid, n integer, t text, h uuid, v uuid, c uuid, m uuid, d jsonb)),
      wanted as (select w, max(n) as n from x group by w),
      locked as (select s.workspace_id from workspaces s join wanted on wanted.w = s.workspace_id
        order by s.workspace_id for no key update of s),
      numbered as (update workspaces s set event_seq = s.event_seq + wanted.n from wanted, locked
        where s.workspace_id = wanted.w and locked.workspace_id = s.workspace_id
        returning s.workspace_id, s.event_seq - wanted.n as base),
      stored as (insert into events (workspace_id, seq, type, channel_id, conversation_id, contact_id, message_id, data)
        select x.w, numbered.base + x.n, x.t, x.h, x.v, x.c, x.m, x.d from x join numbered on numbered.workspace_id = x.w)
      select pg_notify('patchbay_events', case when count(*) > 100 then '*' else string_agg(numbered.workspace_id::text, ',') end)
      from numbered`,
    values: [toJson(rows)],
  });
}

/** An event as the statements that append to the log take it: a member of a JSON document. */
export function logRow(event: NewEvent) {
  return {
    w: event.workspaceId,
    t: event.type,
    h: event.channelId ?? null,
    v: event.conversationId ?? null,
    c: event.contactId ?? null,
    m: event.messageId ?? null,
    d: event.data ?? {},
  };
}
