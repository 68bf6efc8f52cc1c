/**
 * What waits to be posted to webhook subscribers, and the log of what was. A lane (a conversation of a subscription)
 * keeps its order: only its first waiting row has a time to run at. Whoever changes which one that is holds the
 * subscription's row.
 */
import type { Client } from './database.ts';
import { toJson } from './json.ts';

export interface NewDelivery {
  id: string;
  seq: number;
  position: number;
  event: string;
  lane: string;
  body: string;
}

interface SubscriptionKey {
  workspaceId: string;
  subscriptionId: string;
}

/** Puts rows in line. The caller's transaction holds the subscription's row. */
export async function insertDeliveries(client: Client, key: SubscriptionKey, rows: NewDelivery[]): Promise<void> {
  if (rows.length === 0) return;
  await client.query(
    `insert into webhook_deliveries (workspace_id, subscription_id, id, event_seq, position, event, lane, body)
     select $1, $2, id, seq, position, event, lane, body
     from json_to_recordset($3) as x(id uuid, seq bigint, position smallint, event text, lane uuid, body text)
     on conflict do nothing`,
    [key.workspaceId, key.subscriptionId, toJson(rows)],
  );
  await releaseLanes(client, key, [...new Set(rows.map((row) => row.lane))]);
}

/** Gives the first waiting row of each lane a time to run at, where it has none. */
async function releaseLanes(client: Client, key: SubscriptionKey, lanes: string[]): Promise<void> {
  await client.query(
    `update webhook_deliveries d set run_at = now() from (
       select first.workspace_id, first.id from unnest($3::uuid[]) as l(lane) cross join lateral (
         select f.workspace_id, f.id, f.run_at from webhook_deliveries f
         where f.workspace_id = $1 and f.subscription_id = $2 and f.lane = l.lane and f.state = 'waiting'
         order by f.event_seq, f.position limit 1) first
       where first.run_at is null) n
     where d.workspace_id = n.workspace_id and d.id = n.id
       and not exists (select 1 from webhook_deliveries b where b.workspace_id = $1 and b.subscription_id = $2 and b.lane = d.lane
         and b.state = 'waiting' and b.run_at is not null)`,
    [key.workspaceId, key.subscriptionId, lanes],
  );
}

export interface DeliveryJob extends SubscriptionKey {
  id: string;
  event: string;
  lane: string;
  body: string;
  attempts: number;
  createdAt: Date;
  surface: string;
  url: string;
  secrets: Buffer;
  secretsKeyId: string;
}

/** Takes rows that are due, of each subscription at most as many as it may have under way at a time. */
export async function claimDeliveries(
  client: Client,
  options: { surfaces: string[]; limit: number; perSubscription: number; leaseSeconds: number },
): Promise<DeliveryJob[]> {
  if (options.limit <= 0) return [];
  const result = await client.query<DeliveryJob>({
    name: 'claim-webhooks',
    text: `with due as materialized (
        select d.workspace_id, d.id, s.surface, s.url, s.secrets, s.secrets_key_id from webhook_subscriptions s cross join lateral (
          select d.workspace_id, d.id from webhook_deliveries d
          where d.workspace_id = s.workspace_id and d.subscription_id = s.id and d.state = 'waiting' and d.run_at <= now()
            and (d.leased_until is null or d.leased_until < now())
          order by d.run_at, d.event_seq
          limit greatest(0, $3::integer - (select count(*) from webhook_deliveries b where b.workspace_id = s.workspace_id
            and b.subscription_id = s.id and b.state = 'waiting' and b.run_at <= now() and b.leased_until >= now())::integer)
          for update skip locked) d
        where s.status = 'active' and s.surface = any($1) limit $2)
      update webhook_deliveries d set leased_until = now() + make_interval(secs => $4), attempts = d.attempts + 1
      from due where d.workspace_id = due.workspace_id and d.id = due.id
      returning d.workspace_id as "workspaceId", d.subscription_id as "subscriptionId", d.id, d.event, d.lane, d.body, d.attempts,
        d.created_at as "createdAt", due.surface, due.url, due.secrets, due.secrets_key_id as "secretsKeyId"`,
    values: [options.surfaces, options.limit, options.perSubscription, options.leaseSeconds],
  });
  return result.rows;
}

/** What an attempt came to. `retryInSeconds`: it waits for another one. */
export interface Outcome {
  state: 'waiting' | 'succeeded' | 'failed' | 'dead';
  status: number | null;
  error: string | null;
  retryInSeconds?: number;
}

/**
 * Notes an attempt; the lane goes on when it was the last. A success that was not the first attempt means that the
 * subscriber is back: what else waits for another attempt is tried now. Answers whether anything reached the
 * subscriber since this one was put in line.
 */
export async function settleDelivery(client: Client, job: DeliveryJob, outcome: Outcome): Promise<{ reachedSince: boolean }> {
  const { workspaceId, subscriptionId } = job;
  const subscription = await client.query<{ lastSuccessAt: Date | null }>(
    `select last_success_at as "lastSuccessAt" from webhook_subscriptions where workspace_id = $1 and id = $2 for update`,
    [workspaceId, subscriptionId],
  );
  const attempt = { at: new Date().toISOString(), status: outcome.status, error: outcome.error };
  await client.query(
    `update webhook_deliveries set state = $3, last_status = $4, last_error = $5, leased_until = null, history = history || $6::jsonb,
       run_at = case when $3 = 'waiting' then now() + make_interval(secs => $7) end, done_at = case when $3 <> 'waiting' then now() end
     where workspace_id = $1 and id = $2`,
    [workspaceId, job.id, outcome.state, outcome.status, outcome.error, toJson([attempt]), outcome.retryInSeconds ?? 0],
  );
  if (outcome.state === 'succeeded') {
    await client.query('update webhook_subscriptions set last_success_at = now() where workspace_id = $1 and id = $2', [
      workspaceId,
      subscriptionId,
    ]);
    if (job.attempts > 1)
      await client.query(
        `update webhook_deliveries set run_at = now() where workspace_id = $1 and subscription_id = $2 and state = 'waiting'
           and run_at > now() and leased_until is null`,
        [workspaceId, subscriptionId],
      );
  }
  if (outcome.state !== 'waiting') await releaseLanes(client, job, [job.lane]);
  const at = subscription.rows[0]?.lastSuccessAt;
  return { reachedSince: !!at && at > job.createdAt };
}

export interface DeliveryRow {
  id: string;
  event: string;
  url: string;
  body: string;
  state: 'waiting' | 'succeeded' | 'failed' | 'dead';
  attempts: number;
  lastStatus: number | null;
  lastError: string | null;
  history: { at: string; status: number | null; error: string | null }[];
  createdAt: Date;
}

const COLUMNS = `d.id, d.event, s.url, d.body, d.state, d.attempts, d.last_status as "lastStatus", d.last_error as "lastError", d.history,
  d.created_at as "createdAt"`;
const FROM = 'from webhook_deliveries d join webhook_subscriptions s on s.workspace_id = d.workspace_id and s.id = d.subscription_id';

/** The log of a subscription, newest first. */
export async function listDeliveries(
  client: Client,
  key: SubscriptionKey,
  page: { limit: number; states?: string[]; before?: { at: Date; id: string } },
): Promise<DeliveryRow[]> {
  const result = await client.query<DeliveryRow>(
    `select ${COLUMNS} ${FROM} where d.workspace_id = $1 and d.subscription_id = $2 and ($3::text[] is null or d.state = any($3))
       and ($4::timestamptz is null or (date_trunc('milliseconds', d.created_at), d.id) < ($4, $5::uuid))
     order by date_trunc('milliseconds', d.created_at) desc, d.id desc limit $6`,
    [key.workspaceId, key.subscriptionId, page.states ?? null, page.before?.at ?? null, page.before?.id ?? null, page.limit],
  );
  return result.rows;
}

export async function getDelivery(client: Client, key: SubscriptionKey, id: string): Promise<DeliveryRow | undefined> {
  const result = await client.query<DeliveryRow>(
    `select ${COLUMNS} ${FROM} where d.workspace_id = $1 and d.subscription_id = $2 and d.id = $3`,
    [key.workspaceId, key.subscriptionId, id],
  );
  return result.rows[0];
}

/** Puts finished rows back in line, all that are dead or the one named; answers how many. Inside a transaction. */
export async function replayDeliveries(client: Client, key: SubscriptionKey, id?: string): Promise<number> {
  await client.query('select 1 from webhook_subscriptions where workspace_id = $1 and id = $2 for update', [
    key.workspaceId,
    key.subscriptionId,
  ]);
  const result = await client.query<{ lane: string }>(
    `update webhook_deliveries set state = 'waiting', attempts = 0, run_at = null, done_at = null
     where workspace_id = $1 and subscription_id = $2
       and case when $3::uuid is null then state in ('dead', 'failed') else id = $3 and state <> 'waiting' end returning lane`,
    [key.workspaceId, key.subscriptionId, id ?? null],
  );
  await releaseLanes(client, key, [...new Set(result.rows.map((row) => row.lane))]);
  return result.rows.length;
}
