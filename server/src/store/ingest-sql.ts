/**
 * The statements of the inbound way, each for a whole batch: one request a message would spend most of its time on
 * round trips. Rows travel as one JSON document, which PostgreSQL and Node both read faster than arrays of text.
 */
import type { Client } from './database.ts';
import { toJson } from './json.ts';

export interface RawEventRow {
  workspaceId: string;
  id: string;
  source: string;
  sourceChannelId: string | null;
  contentType: string;
  body: Buffer;
  state: 'waiting' | 'applied' | 'ignored' | 'unrouted' | 'failed';
  error: string | null;
  receivedAt: Date;
}

/** Keeps what providers said, byte for byte. */
export async function insertRawEvents(client: Client, rows: RawEventRow[]): Promise<void> {
  if (rows.length === 0) return;
  const documents = rows.map((row) => {
    const text = textOrNull(row.body);
    return {
      w: row.workspaceId,
      i: row.id,
      s: row.source,
      c: row.sourceChannelId,
      t: row.contentType,
      b: text ?? row.body.toString('base64'),
      u: text !== null,
      z: row.state,
      e: row.error,
      r: row.receivedAt,
    };
  });
  await client.query({
    name: 'insert-raw-events',
    text: `insert into raw_events (workspace_id, id, source, source_channel_id, content_type, body, state, error, received_at, applied_at)
      select w, i, s, c, t, case when u then convert_to(b, 'UTF8') else decode(b, 'base64') end, z, e, r,
             case when z in ('applied', 'ignored') then now() end
      from json_to_recordset($1) as x(w uuid, i uuid, s text, c text, t text, b text, u boolean, z text, e text, r timestamptz)
      on conflict (workspace_id, id) do update set state = excluded.state, error = excluded.error,
        attempts = raw_events.attempts + 1, applied_at = excluded.applied_at`,
    values: [toJson(documents)],
  });
}

function textOrNull(body: Buffer): string | null {
  if (body.includes(0)) return null;
  const text = body.toString('utf8');
  return Buffer.byteLength(text) === body.length && !text.includes('\ufffd') ? text : null;
}

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

/** Looks up contacts by their addresses, and their conversations on the channel, in one go. */
export async function findParties(client: Client, queries: PartyQuery[]): Promise<PartyRow[]> {
  if (queries.length === 0) return [];
  const result = await client.query({
    name: 'find-parties',
    text: `select x.n, x.value, x.kind, i.contact_id as "contactId", c.id as "conversationId", k.display_name is null as nameless
      from json_to_recordset($1) as x(n integer, "workspaceId" uuid, "channelId" uuid, "threadKey" text, kind text, scope text, value text)
      join identities i on i.workspace_id = x."workspaceId" and i.kind = x.kind and i.scope = x.scope and i.value = x.value
      join contacts k on k.workspace_id = i.workspace_id and k.id = i.contact_id
      left join conversations c on c.workspace_id = x."workspaceId" and c.channel_id = x."channelId"
        and c.contact_id = i.contact_id and c.thread_key = x."threadKey"`,
    values: [toJson(queries)],
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

/** A message that comes in, and what it does to its conversation. */
export interface ArrivingMessage extends NewMessage {
  /** The raw event that its files are cut out of. */
  rawEventId?: string;
  /** What it says, in short; tells another message under a known id from the same one again. */
  fingerprint?: string;
  /** Counts as unread: 1 or 0. */
  unread: number;
  /** Its time where it opens the service window, and the window's end. */
  inboundAt: Date | null;
  windowEnd: Date | null;
  subject: string | null;
  /** Of its `message.created` event. */
  eventData: Record<string, unknown>;
}

/**
 * Stores messages that came in, moves their conversations on and appends to the log, `events` first: one statement,
 * since under load the way to the database and back costs more than the work. A message whose provider id the channel
 * already has changes nothing. Answers the ids of the new ones, and whether anything waits in `early_receipts`.
 * Ends with the log: no other transaction can append to the same workspaces until the commit.
 */
export async function storeArriving(
  client: Client,
  rows: ArrivingMessage[],
  events: NewEvent[],
): Promise<{ stored: Set<string>; early: boolean }> {
  const result = await client.query<{ ids: string[] | null; early: boolean }>({
    name: 'store-arriving',
    text: `with m as materialized (
        select * from json_to_recordset($1) as x("workspaceId" uuid, id uuid, "channelId" uuid, "conversationId" uuid, "contactId" uuid,
          source text, direction text, "providerId" text, state text, content jsonb, payload jsonb, "replyTo" uuid, metadata jsonb,
          "sentAt" timestamptz, "rawEventId" uuid, fingerprint text, unread integer, "inboundAt" timestamptz, "windowEnd" timestamptz, subject text, "eventData" jsonb)),
      stored as (
        insert into messages (workspace_id, id, channel_id, conversation_id, contact_id, source, direction, provider_id, state, content,
          payload, reply_to, metadata, sent_at, raw_event_id, fingerprint)
        select "workspaceId", id, "channelId", "conversationId", "contactId", source, direction, "providerId", state, content,
          payload, "replyTo", metadata, "sentAt", "rawEventId", fingerprint from m
        on conflict (workspace_id, channel_id, provider_id) where provider_id is not null do nothing
        returning id),
      fresh as materialized (select m.* from m join stored on stored.id = m.id),
      touches as materialized (
        select "workspaceId", "conversationId", sum(unread)::integer as unread, max("inboundAt") as inbound_at, max("windowEnd") as window_end,
          max("sentAt") as last_at, (array_agg(id order by "sentAt" desc, id desc))[1] as last_id, max(subject) as subject
        from fresh group by "workspaceId", "conversationId" order by "workspaceId", "conversationId"),
      touched as (
        update conversations c set
          unread_count = c.unread_count + t.unread,
          last_message_id = case when c.last_message_at is null or (t.last_at, t.last_id) >= (c.last_message_at, c.last_message_id)
            then t.last_id else c.last_message_id end,
          last_message_at = greatest(c.last_message_at, t.last_at),
          last_inbound_at = greatest(c.last_inbound_at, t.inbound_at),
          window_expires_at = greatest(c.window_expires_at, t.window_end),
          subject = coalesce(c.subject, t.subject),
          state = case when t.unread > 0 and upper(c.state) = 'CLOSED' then 'OPEN' else c.state end,
          updated_at = now()
        from touches t where c.workspace_id = t."workspaceId" and c.id = t."conversationId"
        returning c.id),
      news as materialized (
        select *, row_number() over (partition by w order by o, m) as n from (
          select w, t, h, v, c, m, d, 0 as o from json_to_recordset($2) as x(w uuid, t text, h uuid, v uuid, c uuid, m uuid, d jsonb)
          union all
          select "workspaceId", 'message.created', "channelId", "conversationId", "contactId", id, "eventData", 1 from fresh) as every),
      numbered as (
        update workspaces s set event_seq = s.event_seq + wanted.n
        from (select w, count(*) as n from news group by w order by w) as wanted where s.workspace_id = wanted.w
        returning s.workspace_id, s.event_seq - wanted.n as base),
      logged as (
        insert into events (workspace_id, seq, type, channel_id, conversation_id, contact_id, message_id, data)
        select news.w, numbered.base + news.n, news.t, news.h, news.v, news.c, news.m, news.d
        from news join numbered on numbered.workspace_id = news.w)
      select (select array_agg(id) from stored) as ids, (select count(*) from touched) as touched,
        exists (select 1 from early_receipts) as early,
        (select pg_notify('patchbay_events', case when count(*) > 100 then '*' else string_agg(workspace_id::text, ',') end)
         from numbered having count(*) > 0)`,
    values: [toJson(rows), toJson(events.map((event) => logRow(event)))],
  });
  const { ids, early } = result.rows[0]!;
  return { stored: new Set(ids ?? []), early };
}

/** Of these messages, which were not stored, those whose id is taken by a message that says something else. */
export async function findImpostors(client: Client, rows: ArrivingMessage[]): Promise<Set<string>> {
  if (rows.length === 0) return new Set();
  const result = await client.query<{ id: string }>(
    `select x.id from json_to_recordset($1) as x("workspaceId" uuid, id uuid, "channelId" uuid, "providerId" text, fingerprint text)
     join messages m on m.workspace_id = x."workspaceId" and m.channel_id = x."channelId" and m.provider_id = x."providerId"
     where m.fingerprint <> x.fingerprint`,
    [
      toJson(
        rows.map(({ workspaceId, id, channelId, providerId, fingerprint }) => ({ workspaceId, id, channelId, providerId, fingerprint })),
      ),
    ],
  );
  return new Set(result.rows.map((row) => row.id));
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

function logRow(event: NewEvent) {
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
