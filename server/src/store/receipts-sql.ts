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
  updated as (
    update messages m set state = found.new_state, state_at = found.at, updated_at = now(),
      provider_id = coalesce(m.provider_id, found.new_provider_id),
      error = case when found.new_state = 'failed' then found.error else null end,
      metadata = m.metadata || coalesce(found.facts, '{}')
    from found
    where m.workspace_id = found.workspace_id and m.id = found.id and state_rank(found.new_state) > state_rank(m.state)
    returning m.workspace_id, m.id)
  select found.n, found.id as "messageId", found.conversation_id as "conversationId", found.contact_id as "contactId",
    updated.id is not null as advanced
  from found left join updated on updated.workspace_id = found.workspace_id and updated.id = found.id`;

/** Moves messages forward, found by the provider's id. Changes whose message is not known are left out of the answer. */
export async function advanceByProviderId(client: Client, changes: StateChange[]): Promise<StateOutcome[]> {
  if (changes.length === 0) return [];
  const result = await client.query({
    name: 'advance-by-provider-id',
    text: `with found as (
        select x.n, x.state as new_state, x.at, x.error, x.facts, null::text as new_provider_id, m.workspace_id, m.id, m.conversation_id, m.contact_id
        from ${CHANGES}
        join messages m on m.workspace_id = x."workspaceId" and m.channel_id = x."channelId" and m.provider_id = x."providerId"
        order by m.workspace_id, m.id for no key update of m),${ADVANCE}`,
    values: [toJson(changes)],
  });
  return result.rows as StateOutcome[];
}

/** Moves messages forward, found by our own id; a provider id that comes with the change is kept. */
export async function advanceById(client: Client, changes: StateChange[]): Promise<StateOutcome[]> {
  if (changes.length === 0) return [];
  const result = await client.query({
    name: 'advance-by-id',
    text: `with found as (
        select x.n, x.state as new_state, x.at, x.error, x.facts, x."providerId" as new_provider_id, m.workspace_id, m.id, m.conversation_id, m.contact_id
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
): Promise<{ messageId: string; conversationId: string }[]> {
  const result = await client.query(
    `update messages m set state = $4, state_at = $5, updated_at = now()
     from conversations c
     where c.workspace_id = $1 and c.channel_id = $2 and c.contact_id = $3
       and m.workspace_id = $1 and m.conversation_id = c.id and m.direction = 'out' and m.sent_at <= $5
       and m.state in ('sent', 'delivered') and state_rank($4) > state_rank(m.state)
     returning m.id as "messageId", m.conversation_id as "conversationId"`,
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

/** Merges facts into one message found by the provider's id; undefined when it is not known. */
export async function mergeByProviderId(
  client: Client,
  target: { workspaceId: string; channelId: string; providerId: string },
  change: { metadata: Record<string, unknown>; content?: unknown },
): Promise<TouchedMessage | undefined> {
  const result = await client.query(
    `update messages set metadata = jsonb_strip_nulls(metadata || $4::jsonb), content = coalesce($5::jsonb, content), updated_at = now()
     where workspace_id = $1 and channel_id = $2 and provider_id = $3
     returning id as "messageId", conversation_id as "conversationId", contact_id as "contactId"`,
    [
      target.workspaceId,
      target.channelId,
      target.providerId,
      toJson(change.metadata),
      change.content === undefined ? null : toJson(change.content),
    ],
  );
  return result.rows[0] as TouchedMessage | undefined;
}
