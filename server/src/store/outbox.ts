import type { Client } from './database.ts';

export interface OutboxJob {
  workspaceId: string;
  messageId: string;
  channelId: string;
  conversationId: string;
  attempts: number;
  /** An earlier worker began the provider call and did not live to tell: whether it was sent is unknown. */
  interrupted: boolean;
  options: OutboxOptions;
}

/** How the sender wants it sent. */
export interface OutboxOptions {
  /** The window tag (`HUMAN_AGENT`). */
  tag?: string;
  /** The provider's id of the message that is answered. */
  replyToProviderId?: string;
}

/**
 * Takes the first message of each lane that is due, for `leaseSeconds`. A lane is a conversation: its next message
 * waits until this one is done, but never for one that is scheduled for later. `skip locked` lets several processes take different lanes at the same time.
 */
export async function claimOutbox(client: Client, limit: number, leaseSeconds: number, busyChannels: string[]): Promise<OutboxJob[]> {
  const result = await client.query<OutboxJob>({
    name: 'claim-outbox',
    text: `with due as (
        select o.workspace_id, o.message_id, o.call_started_at is not null as interrupted from outbox o
        where o.run_at <= now() and (o.leased_until is null or o.leased_until < now()) and not (o.channel_id = any($3))
          and not exists (select 1 from outbox e where e.workspace_id = o.workspace_id and e.conversation_id = o.conversation_id
            and e.message_id < o.message_id and (e.attempts > 0 or e.run_at <= now()))
        order by o.run_at limit $1 for update of o skip locked)
      update outbox o set leased_until = now() + make_interval(secs => $2), call_started_at = now(), attempts = o.attempts + 1
      from due where o.workspace_id = due.workspace_id and o.message_id = due.message_id
      returning o.workspace_id as "workspaceId", o.message_id as "messageId", o.channel_id as "channelId",
        o.conversation_id as "conversationId", o.attempts, due.interrupted, o.options`,
    values: [limit, leaseSeconds, busyChannels],
  });
  return result.rows;
}

/** Puts a message in line. */
export async function enqueue(
  client: Client,
  job: { workspaceId: string; messageId: string; channelId: string; conversationId: string; runAt: Date | null; options: OutboxOptions },
): Promise<void> {
  await client.query(
    `insert into outbox (workspace_id, message_id, channel_id, conversation_id, run_at, options) values ($1, $2, $3, $4, coalesce($5, now()), $6)
     on conflict (workspace_id, message_id) do nothing`,
    [job.workspaceId, job.messageId, job.channelId, job.conversationId, job.runAt, JSON.stringify(job.options)],
  );
}

/** Nothing was sent: the message may be taken again at `runAt`. */
export async function putBack(client: Client, workspaceId: string, messageId: string, runAt: Date): Promise<void> {
  await client.query(
    `update outbox set leased_until = null, call_started_at = null, run_at = $3 where workspace_id = $1 and message_id = $2`,
    [workspaceId, messageId, runAt],
  );
}

export async function takeOut(client: Client, workspaceId: string, messageId: string): Promise<void> {
  await client.query('delete from outbox where workspace_id = $1 and message_id = $2', [workspaceId, messageId]);
}

/** When the next message is due; null when none waits. */
export async function nextDue(client: Client): Promise<Date | null> {
  const result = await client.query<{ at: Date | null }>('select min(greatest(run_at, coalesce(leased_until, run_at))) as at from outbox');
  return result.rows[0]!.at;
}
