import type { Client } from './database.ts';
import { toJson } from './json.ts';

export interface OutboxJob {
  workspaceId: string;
  messageId: string;
  channelId: string;
  conversationId: string;
  attempts: number;
  /** When an earlier worker began the provider call and did not live to tell: whether it was sent is unknown. */
  interruptedAt: Date | null;
  options: OutboxOptions;
}

/** How the sender wants it sent. */
export interface OutboxOptions {
  /** The window tag (`HUMAN_AGENT`). */
  tag?: string;
  /** The provider's id of the message that is answered. */
  replyToProviderId?: string;
  /** The provider itself is to wait until then. */
  sendAt?: string;
  /** One try: it has failed when that one does, whatever the reason. */
  once?: boolean;
  /** Of no use to anybody afterwards. */
  validUntil?: string;
}

/** So many messages of the channel may be taken now. */
export interface Places {
  channelId: string;
  places: number;
}

/**
 * Takes the first message of each lane that is due, for `leaseSeconds`: at most `limit`, shared among the channels that
 * have any, and of a channel at most its `places` (`usual` where none are told). A lane is a conversation: its next
 * message waits until this one is done; one that is scheduled for later holds up nobody. A channel that is paused gives
 * none, one that failed gives a single message from time to time, to try. `skip locked` lets several processes take
 * different lanes at the same time. A call that was interrupted keeps its time: echoes are held against it (echoes-sql.ts).
 */
export async function claimOutbox(
  client: Client,
  options: { limit: number; usual: number; leaseSeconds: number; places: Places[] },
): Promise<OutboxJob[]> {
  const result = await client.query<OutboxJob>({
    name: 'claim-outbox',
    text: `with recursive waiting (workspace_id, channel_id) as (
        (select workspace_id, channel_id from outbox order by workspace_id, channel_id limit 1)
        union all
        select next.workspace_id, next.channel_id from waiting w cross join lateral (
          select o.workspace_id, o.channel_id from outbox o where (o.workspace_id, o.channel_id) > (w.workspace_id, w.channel_id)
          order by o.workspace_id, o.channel_id limit 1) next),
      open as materialized (
        select w.workspace_id, w.channel_id, case when h.status = 'failed' then least(1, coalesce(p.places, 1)) else coalesce(p.places, $2::integer) end as places
        from waiting w join channels h on h.workspace_id = w.workspace_id and h.id = w.channel_id
        left join json_to_recordset($4) as p("channelId" uuid, places integer) on p."channelId" = w.channel_id
        where coalesce(h.paused_until, 'epoch') <= now() and coalesce(p.places, 1) > 0),
      due as materialized (
        select o.workspace_id, o.message_id, o.call_started_at from open cross join lateral (
          select o.workspace_id, o.message_id, o.call_started_at from outbox o
          where o.workspace_id = open.workspace_id and o.channel_id = open.channel_id and o.run_at <= now()
            and (o.leased_until is null or o.leased_until < now())
            and not exists (select 1 from outbox e where e.workspace_id = o.workspace_id and e.conversation_id = o.conversation_id
              and e.message_id < o.message_id and not (e.scheduled and e.attempts = 0 and e.run_at > now()))
          order by o.run_at limit least(open.places, greatest(1, $1::integer / (select count(*) from open)::integer))
          for update skip locked) o
        limit $1)
      update outbox o set leased_until = now() + make_interval(secs => $3), call_started_at = coalesce(o.call_started_at, now()), attempts = o.attempts + 1
      from due where o.workspace_id = due.workspace_id and o.message_id = due.message_id
      returning o.workspace_id as "workspaceId", o.message_id as "messageId", o.channel_id as "channelId",
        o.conversation_id as "conversationId", o.attempts, due.call_started_at as "interruptedAt", o.options`,
    values: [options.limit, options.usual, options.leaseSeconds, toJson(options.places)],
  });
  return result.rows;
}

export interface NewOutboxJob {
  workspaceId: string;
  messageId: string;
  channelId: string;
  conversationId: string;
  runAt: Date | null;
  options: OutboxOptions;
}

/** Puts messages in line. */
export async function enqueue(client: Client, ...jobs: NewOutboxJob[]): Promise<void> {
  if (jobs.length === 0) return;
  await client.query({
    name: 'enqueue',
    text: `insert into outbox (workspace_id, message_id, channel_id, conversation_id, run_at, scheduled, options)
      select "workspaceId", "messageId", "channelId", "conversationId", coalesce("runAt", now()), "runAt" is not null, options
      from json_to_recordset($1) as x("workspaceId" uuid, "messageId" uuid, "channelId" uuid, "conversationId" uuid, "runAt" timestamptz, options jsonb)
      on conflict (workspace_id, message_id) do nothing`,
    values: [toJson(jobs)],
  });
}

/** Nothing was sent: the message may be taken again at `runAt`. `uncounted`: that was no attempt of the message's own. */
export async function putBack(client: Client, job: OutboxJob, runAt: Date, options: { uncounted?: boolean } = {}): Promise<void> {
  await client.query({
    name: 'put-back',
    text: `update outbox set leased_until = null, call_started_at = null, scheduled = false, run_at = $3, attempts = attempts - $4::integer
      where workspace_id = $1 and message_id = $2`,
    values: [job.workspaceId, job.messageId, runAt, options.uncounted ? 1 : 0],
  });
}

export async function takeOut(client: Client, workspaceId: string, messageId: string): Promise<void> {
  await client.query('delete from outbox where workspace_id = $1 and message_id = $2', [workspaceId, messageId]);
}

/** Takes a message out of the line that nobody is sending now; false when it is not there, or its call may be under way. */
export async function removeWaiting(client: Client, workspaceId: string, messageId: string): Promise<boolean> {
  const result = await client.query(
    `delete from outbox where workspace_id = $1 and message_id = $2 and call_started_at is null
       and (leased_until is null or leased_until < now())`,
    [workspaceId, messageId],
  );
  return (result.rowCount ?? 0) > 0;
}

/** When the next message that is not due yet will be; null when none waits. */
export async function nextDue(client: Client): Promise<Date | null> {
  const result = await client.query<{ at: Date | null }>({
    name: 'next-due',
    text: 'select min(run_at) as at from outbox where run_at > now()',
  });
  return result.rows[0]!.at;
}

/** Keeps the leases of messages whose calls still run. */
export async function renewLeases(
  client: Client,
  messages: { workspaceId: string; messageId: string }[],
  leaseSeconds: number,
): Promise<void> {
  if (messages.length === 0) return;
  await client.query(
    `update outbox o set leased_until = now() + make_interval(secs => $2) from json_to_recordset($1) as x("workspaceId" uuid, "messageId" uuid)
     where o.workspace_id = x."workspaceId" and o.message_id = x."messageId" and o.leased_until is not null`,
    [toJson(messages.map(({ workspaceId, messageId }) => ({ workspaceId, messageId }))), leaseSeconds],
  );
}
