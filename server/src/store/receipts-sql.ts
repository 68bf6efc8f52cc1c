/** The statements that change messages after they were stored, each for a whole batch. */
import type { Client } from './database.ts';
import { toJson } from './json.ts';

export interface StateChange {
  /** Position in the caller's list. */
  n: number;
  workspaceId: string;
  channelId: string;
  /** One of the two finds the message. */
  messageId: string | null;
  providerId: string | null;
  state: string;
  at: Date;
  error: unknown;
  facts: Record<string, unknown>;
}

export interface StateOutcome {
  n: number;
  messageId: string;
  conversationId: string;
  contactId: string;
  /** False when the message already stood there or further on. */
  advanced: boolean;
}

const CHANGES = `json_to_recordset($1) as x(n integer, "workspaceId" uuid, "channelId" uuid, "messageId" uuid,
  "providerId" text, state text, at timestamptz, error jsonb, facts jsonb)`;

const ADVANCE = `
  advanced as (
    update messages m set state = found.new_state, state_at = found.at, updated_at = now(),
      provider_id = coalesce(m.provider_id, found.new_provider_id),
      error = case when found.new_state = 'failed' then found.error else null end,
      metadata = m.metadata || coalesce(found.facts, '{}')
    from found
    where m.workspace_id = found.workspace_id and m.id = found.id and state_rank(found.new_state) > state_rank(found.old_state)
    returning m.workspace_id, m.id),
  -- A receipt that comes late tells facts (the price) that a later state did not; it never overwrites any.
  completed as (
    update messages m set metadata = found.facts || m.metadata, provider_id = coalesce(m.provider_id, found.new_provider_id)
    from found
    where m.workspace_id = found.workspace_id and m.id = found.id and state_rank(found.new_state) <= state_rank(found.old_state)
      and ((found.facts is not null and not m.metadata ?& array(select jsonb_object_keys(found.facts)))
        or (m.provider_id is null and found.new_provider_id is not null)))
  select found.n, found.id as "messageId", found.conversation_id as "conversationId", found.contact_id as "contactId",
    advanced.id is not null as advanced
  from found left join advanced on advanced.workspace_id = found.workspace_id and advanced.id = found.id`;

/** Moves messages forward, found by the provider's id. Changes whose message is not known are left out of the answer. */
export async function advanceByProviderId(client: Client, changes: StateChange[]): Promise<StateOutcome[]> {
  if (changes.length === 0) return [];
  const result = await client.query({
    name: 'advance-by-provider-id',
    text: `with found as (
        select x.n, x.state as new_state, x.at, x.error, x.facts, null::text as new_provider_id, m.workspace_id, m.id, m.conversation_id, m.contact_id,
          m.state as old_state
        from ${CHANGES}
        join messages m on m.workspace_id = x."workspaceId" and m.channel_id = x."channelId" and m.provider_id = x."providerId"
        order by m.workspace_id, m.id for no key update of m),${ADVANCE}`,
    values: [toJson(changes)],
  });
  return result.rows as StateOutcome[];
}

/**
 * Moves messages forward, found by our own id; a provider id that comes with the change is kept. A provider that gives one
 * id twice (no real one does) does not stop the second message: its id gets an ending.
 */
export async function advanceById(client: Client, changes: StateChange[]): Promise<StateOutcome[]> {
  if (changes.length === 0) return [];
  const result = await client.query({
    name: 'advance-by-id',
    text: `with found as (
        select x.n, x.state as new_state, x.at, x.error, x.facts, case when m.provider_id is null and exists (select 1 from messages o
            where o.workspace_id = m.workspace_id and o.channel_id = m.channel_id and o.provider_id = x."providerId")
          then x."providerId" || '#' || m.id else x."providerId" end as new_provider_id, m.workspace_id, m.id, m.conversation_id, m.contact_id,
          m.state as old_state
        from ${CHANGES}
        join messages m on m.workspace_id = x."workspaceId" and m.id = x."messageId" and m.channel_id = x."channelId"
        order by m.workspace_id, m.id for no key update of m),${ADVANCE}`,
    values: [toJson(changes)],
  });
  return result.rows as StateOutcome[];
}

/** Moves every message that we sent to a contact until `at` forward. */
export async function advanceUpTo(
  client: Client,
  change: { workspaceId: string; channelId: string; contactId: string; state: string; at: Date },
): Promise<{ messageId: string; conversationId: string; contactId: string }[]> {
  const result = await client.query(
    `update messages m set state = $4, state_at = $5, updated_at = now()
     from conversations c
     where c.workspace_id = $1 and c.channel_id = $2 and c.contact_id = $3
       and m.workspace_id = $1 and m.conversation_id = c.id and m.direction = 'out' and m.sent_at <= $5
       and m.state in ('sent', 'delivered') and state_rank($4) > state_rank(m.state)
     returning m.id as "messageId", m.conversation_id as "conversationId", m.contact_id as "contactId"`,
    [change.workspaceId, change.channelId, change.contactId, change.state, change.at],
  );
  return result.rows;
}

export interface EarlyReceipt {
  workspaceId: string;
  channelId: string;
  providerId: string;
  /** Equal for a repeated one. */
  eventKey: string;
  event: unknown;
}

/** Keeps what came before the message that it is about. */
export async function keepEarly(client: Client, rows: EarlyReceipt[]): Promise<void> {
  if (rows.length === 0) return;
  await client.query({
    name: 'keep-early',
    text: `insert into early_receipts (workspace_id, channel_id, provider_id, event_key, event)
      select "workspaceId", "channelId", "providerId", "eventKey", event
      from json_to_recordset($1) as x("workspaceId" uuid, "channelId" uuid, "providerId" text, "eventKey" text, event jsonb)
      on conflict do nothing`,
    values: [toJson(rows)],
  });
}

/** Takes out what was kept for messages that are known now, oldest first. */
export async function takeEarly(
  client: Client,
  messages: { workspaceId: string; channelId: string; providerId: string }[],
): Promise<{ workspaceId: string; channelId: string; event: unknown }[]> {
  if (messages.length === 0) return [];
  const result = await client.query({
    name: 'take-early',
    text: `with x as (select * from json_to_recordset($1) as x("workspaceId" uuid, "channelId" uuid, "providerId" text)),
      taken as (
        delete from early_receipts e using x
        where e.workspace_id = x."workspaceId" and e.channel_id = x."channelId" and e.provider_id = x."providerId"
        returning e.*)
      select workspace_id as "workspaceId", channel_id as "channelId", event from taken order by received_at, event_key`,
    values: [toJson(messages)],
  });
  return result.rows;
}

/** What was kept for messages that are there by now. */
export async function overdueEarly(
  client: Client,
  limit: number,
): Promise<{ workspaceId: string; channelId: string; providerId: string }[]> {
  const result = await client.query({
    name: 'overdue-early',
    text: `select distinct e.workspace_id as "workspaceId", e.channel_id as "channelId", e.provider_id as "providerId"
      from early_receipts e join messages m
        on m.workspace_id = e.workspace_id and m.channel_id = e.channel_id and m.provider_id = e.provider_id
      limit $1`,
    values: [limit],
  });
  return result.rows;
}

/** Ends the work on messages that a provider has taken or refused. */
export async function removeFromOutbox(client: Client, rows: { workspaceId: string; messageId: string }[]): Promise<void> {
  if (rows.length === 0) return;
  await client.query({
    name: 'remove-from-outbox',
    text: `delete from outbox o using json_to_recordset($1) as x("workspaceId" uuid, "messageId" uuid)
      where o.workspace_id = x."workspaceId" and o.message_id = x."messageId"`,
    values: [toJson(rows)],
  });
}

export interface TouchedMessage {
  messageId: string;
  conversationId: string;
  contactId: string;
}

export interface MessageChange {
  /** Changes of one kind replace each other; the one with the greatest `order` counts, whatever order they come in. */
  kind: 'reaction' | 'ownReaction' | 'edited' | 'completed' | 'revoked';
  order: string;
  /** null takes the fact away. */
  fact: unknown;
  content?: unknown;
}

/** Changes one message found by the provider's id, unless a newer change of the kind was there first; undefined when it is not known. */
export async function changeByProviderId(
  client: Client,
  target: { workspaceId: string; channelId: string; providerId: string },
  change: MessageChange,
): Promise<(TouchedMessage & { changed: boolean }) | undefined> {
  const result = await client.query(
    `with found as (
       select workspace_id, id, conversation_id, contact_id, coalesce(changes ->> $4, '') collate "C" < $5 as newer from messages
       where workspace_id = $1 and id = coalesce(
         (select id from messages where workspace_id = $1 and channel_id = $2 and provider_id = $3),
         (select message_id from message_parts where workspace_id = $1 and channel_id = $2 and provider_id = $3 limit 1))
       for no key update),
     changed as (
       update messages m set updated_at = now(), changes = m.changes || jsonb_build_object($4::text, $5::text),
         metadata = case when $6::jsonb is null then m.metadata - $4::text else m.metadata || jsonb_build_object($4::text, $6::jsonb) end,
         content = coalesce($7::jsonb, m.content)
       from found where m.workspace_id = found.workspace_id and m.id = found.id and found.newer)
     select id as "messageId", conversation_id as "conversationId", contact_id as "contactId", newer as changed from found`,
    [
      target.workspaceId,
      target.channelId,
      target.providerId,
      change.kind,
      change.order,
      change.fact === null ? null : toJson(change.fact),
      change.content === undefined ? null : toJson(change.content),
    ],
  );
  return result.rows[0] as (TouchedMessage & { changed: boolean }) | undefined;
}

/** Points an answer at the message that it answers, both by the provider's ids; undefined when one of them is not known. */
export async function pointAnswer(
  client: Client,
  answer: { workspaceId: string; channelId: string; providerId: string },
  target: string,
): Promise<TouchedMessage | undefined> {
  const result = await client.query<TouchedMessage>(
    `update messages a set reply_to = m.id, updated_at = now() from messages m
     where a.workspace_id = $1 and a.channel_id = $2 and a.provider_id = $3 and a.reply_to is null
       and m.workspace_id = $1 and m.channel_id = $2 and m.provider_id = $4
     returning a.id as "messageId", a.conversation_id as "conversationId", a.contact_id as "contactId"`,
    [answer.workspaceId, answer.channelId, answer.providerId, target],
  );
  return result.rows[0];
}

/** Tells whoever listens to these channels, once the transaction is committed, that there is something to look at. */
export async function notifyWakes(client: Client, wakes: { channelId: string; reason: string }[]): Promise<void> {
  if (wakes.length === 0) return;
  const payload = JSON.stringify(wakes.map(({ channelId, reason }) => [channelId, reason.slice(0, 100)]));
  // PostgreSQL takes less than 8000 bytes: without a list, everybody looks.
  await client.query('select pg_notify($1, $2)', ['patchbay_receivers', Buffer.byteLength(payload) < 7900 ? payload : '']);
}
