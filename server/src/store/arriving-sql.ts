/** Messages that come in, whole batches at a time: stored, their conversations moved on, the log appended to. */
import { as, Table } from './columns.ts';
import type { Client } from './database.ts';
import { logRow, type NewEvent, type NewMessage } from './ingest-sql.ts';
import { toJson } from './json.ts';
import { type RawEventRow, rawEventColumns } from './raw-events.ts';

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

/** A message whose contact and conversation are still to be found. */
export type UnplacedMessage = Omit<ArrivingMessage, 'contactId' | 'conversationId'>;

const common = {
  workspaceId: as.uuid((row: UnplacedMessage) => row.workspaceId),
  id: as.uuid((row: UnplacedMessage) => row.id),
  channelId: as.uuid((row: UnplacedMessage) => row.channelId),
  source: as.text((row: UnplacedMessage) => row.source),
  direction: as.text((row: UnplacedMessage) => row.direction),
  providerId: as.text((row: UnplacedMessage) => row.providerId),
  state: as.text((row: UnplacedMessage) => row.state),
  content: as.jsonb((row: UnplacedMessage) => row.content),
  payload: as.jsonb((row: UnplacedMessage) => row.payload),
  metadata: as.jsonb((row: UnplacedMessage) => row.metadata),
  sentAt: as.timestamptz((row: UnplacedMessage) => row.sentAt),
  rawEventId: as.uuid((row: UnplacedMessage) => row.rawEventId),
  fingerprint: as.text((row: UnplacedMessage) => row.fingerprint),
  unread: as.integer((row: UnplacedMessage) => row.unread),
  inboundAt: as.timestamptz((row: UnplacedMessage) => row.inboundAt),
  windowEnd: as.timestamptz((row: UnplacedMessage) => row.windowEnd),
  subject: as.text((row: UnplacedMessage) => row.subject),
  replyTo: as.uuid((row: UnplacedMessage) => row.replyTo),
  eventData: as.jsonb((row: UnplacedMessage) => row.eventData),
};

const arriving = new Table<ArrivingMessage>('x', {
  ...common,
  contactId: as.uuid((row) => row.contactId),
  conversationId: as.uuid((row) => row.conversationId),
});

/** Parameter of the events that come before those of the messages: `[]` where there are none. */
const store = (eventsBefore: string) => `
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
          select w, t, h, v, c, m, d, 0 as o from json_to_recordset(${eventsBefore}) as x(w uuid, t text, h uuid, v uuid, c uuid, m uuid, d jsonb)
          union all
          select "workspaceId", 'message.created', "channelId", "conversationId", "contactId", id, "eventData", 1 from fresh) as every),
      numbered as (
        update workspaces s set event_seq = s.event_seq + wanted.n
        from (select w, count(*) as n from news group by w order by w) as wanted where s.workspace_id = wanted.w
        returning s.workspace_id, s.event_seq - wanted.n as base),
      logged as (
        insert into events (workspace_id, seq, type, channel_id, conversation_id, contact_id, message_id, data)
        select news.w, numbered.base + news.n, news.t, news.h, news.v, news.c, news.m, news.d
        from news join numbered on numbered.workspace_id = news.w),
      hinted as (
        select pg_notify('patchbay_events', case when count(*) > 100 then '*' else string_agg(workspace_id::text, ',') end)
        from numbered having count(*) > 0)`;

/**
 * Stores messages that came in, moves their conversations on and appends to the log, `events` first: one statement,
 * since under load the way to the database and back costs more than the work. A message whose provider id the channel
 * already has changes nothing. Answers the ids of the new ones, and whether anything waits for them in `early_receipts`.
 * Ends with the log: no other transaction can append to the same workspaces until the commit.
 */
export async function storeArriving(
  client: Client,
  rows: ArrivingMessage[],
  events: NewEvent[],
): Promise<{ stored: Set<string>; early: boolean }> {
  const result = await client.query<{ ids: string[] | null; early: boolean }>({
    name: 'store-arriving',
    text: `with m as materialized (select * from ${arriving.from()}),
      ${store(`$${arriving.size + 1}`)}
      select (select array_agg(id) from stored) as ids, (select count(*) from touched) as touched, (select count(*) from hinted) as hinted,
        exists (select 1 from fresh join early_receipts e on e.workspace_id = fresh."workspaceId"
          and e.channel_id = fresh."channelId" and e.provider_id = fresh."providerId") as early`,
    values: [...arriving.values(rows), toJson(events.map((event) => logRow(event)))],
  });
  const { ids, early } = result.rows[0]!;
  return { stored: new Set(ids ?? []), early };
}

/** A message that is nothing but new words of somebody known, in a raw event. */
export interface PlainMessage extends UnplacedMessage {
  /** Position in the caller's list. */
  n: number;
  rawId: string;
  threadKey: string;
  /** 1: it tells the sender's name. */
  named: number;
}

/** An address of the message's sender. */
export interface PlainAddress {
  n: number;
  workspaceId: string;
  kind: string;
  scope: string;
  value: string;
}

const plain = new Table<PlainMessage>('x', {
  ...common,
  n: as.integer((row) => row.n),
  rawId: as.uuid((row) => row.rawId),
  threadKey: as.text((row) => row.threadKey),
  named: as.integer((row) => row.named),
});

const addresses = new Table<PlainAddress>('x', {
  n: as.integer((row) => row.n),
  workspaceId: as.uuid((row) => row.workspaceId),
  kind: as.text((row) => row.kind),
  scope: as.text((row) => row.scope),
  value: as.text((row) => row.value),
});

const FIRST = { raw: 1, message: 1 + rawEventColumns.size, address: 1 + rawEventColumns.size + plain.size };

/**
 * The short way for what most messages are: words of a person whose contact and conversation are there already. Raw
 * events, messages, conversations and log in one statement, which is its own transaction: one way to the database and
 * back. A raw event is taken whole or not at all: not when one of its senders' addresses is unknown or two of them
 * belong to different contacts, when there is no conversation yet, when its sender gets a name by it, or when a receipt waits
 * for the message. Answers the
 * ids of those that were taken.
 */
export async function storePlain(
  client: Client,
  raws: RawEventRow[],
  messages: PlainMessage[],
  senders: PlainAddress[],
): Promise<Set<string>> {
  const result = await client.query<{ taken: string[] | null }>({
    name: 'store-plain',
    text: `with arrived as materialized (select * from ${plain.from(FIRST.message)}),
      people as (
        select x.n, (array_agg(i.contact_id))[1] as "contactId"
        from ${addresses.from(FIRST.address)}
        left join identities i on i.workspace_id = x."workspaceId" and i.kind = x.kind and i.scope = x.scope and i.value = x.value
        group by x.n having count(i.contact_id) = count(*) and count(distinct i.contact_id) = 1),
      placed as materialized (
        select arrived.*, people."contactId", c.id as "conversationId"
        from arrived join people using (n)
        join conversations c on c.workspace_id = arrived."workspaceId" and c.contact_id = people."contactId"
          and c.channel_id = arrived."channelId" and c.thread_key = arrived."threadKey"
        join contacts k on k.workspace_id = arrived."workspaceId" and k.id = people."contactId"
        where (arrived.named = 0 or k.display_name is not null) and not exists (select 1 from early_receipts e where e.workspace_id = arrived."workspaceId"
          and e.channel_id = arrived."channelId" and e.provider_id = arrived."providerId")),
      whole as materialized (
        select arrived."rawId" from arrived left join placed using (n) group by arrived."rawId" having count(placed.n) = count(*)),
      raw as (
        insert into raw_events (workspace_id, id, source, source_channel_id, content_type, body, state, error, received_at, applied_at)
        select w, i, s, c, t, b, z, e, r, now() from ${rawEventColumns.from(FIRST.raw)} join whole on whole."rawId" = x.i),
      m as materialized (select placed.* from placed join whole using ("rawId")),
      ${store(`'[]'`)}
      select (select array_agg("rawId") from whole) as taken, (select count(*) from touched) as touched, (select count(*) from hinted) as hinted`,
    values: [...rawEventColumns.values(raws), ...plain.values(messages), ...addresses.values(senders)],
  });
  return new Set(result.rows[0]!.taken ?? []);
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
