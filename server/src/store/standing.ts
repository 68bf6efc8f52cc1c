import type { Client } from './database.ts';

export interface Standing {
  /** Messages that are due, by the source of their channel. */
  outbox: { source: string; messages: number; oldestSeconds: number }[];
  rawEvents: { state: 'waiting' | 'failed' | 'unrouted'; events: number }[];
}

/** What waits in the database now. */
export async function standing(client: Client): Promise<Standing> {
  const [outbox, rawEvents] = await Promise.all([
    client.query<Standing['outbox'][number]>(
      `select c.source, sum(o.messages)::float8 as messages, max(extract(epoch from now() - o.since))::float8 as "oldestSeconds"
       from (select workspace_id, channel_id, count(*) as messages, min(run_at) as since from outbox where run_at <= now()
             group by workspace_id, channel_id) o
       join channels c on c.workspace_id = o.workspace_id and c.id = o.channel_id group by c.source`,
    ),
    client.query<Standing['rawEvents'][number]>(
      `select state, count(*)::float8 as events from raw_events where state in ('waiting', 'failed', 'unrouted') group by state`,
    ),
  ]);
  return { outbox: outbox.rows, rawEvents: rawEvents.rows };
}
