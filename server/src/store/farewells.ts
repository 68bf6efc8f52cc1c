/** Disconnects that a provider has not been told of yet. */
import type { Client } from './database.ts';
import type { Sealed } from './vault.ts';

export interface Farewell {
  workspaceId: string;
  channelId: string;
  source: string;
  /** The sealed channel as it was, credentials included. */
  channel: Buffer;
  keyId: string;
  attempts: number;
}

/** Notes that a channel's provider is to be told, `afterSeconds` from now at the earliest. */
export async function keepFarewell(
  client: Client,
  channel: { workspaceId: string; id: string; source: string },
  view: Sealed,
  afterSeconds: number,
): Promise<void> {
  await client.query(
    `insert into farewells (workspace_id, channel_id, source, channel, key_id, run_at) values ($1, $2, $3, $4, $5, now() + make_interval(secs => $6))
     on conflict (workspace_id, channel_id) do update set channel = excluded.channel, key_id = excluded.key_id, run_at = excluded.run_at, attempts = 0`,
    [channel.workspaceId, channel.id, channel.source, view.data, view.keyId, afterSeconds],
  );
}

/** Takes those that are due, each in the hands of one process; they come up again, ever later, until they are dropped. */
export async function dueFarewells(client: Client): Promise<Farewell[]> {
  const due = await client.query<Farewell>(
    `update farewells set attempts = attempts + 1, run_at = now() + make_interval(mins => least(60, 2 ^ attempts)::integer)
     where (workspace_id, channel_id) in (
       select workspace_id, channel_id from farewells where run_at <= now() limit 10 for update skip locked)
     returning workspace_id as "workspaceId", channel_id as "channelId", source, channel, key_id as "keyId", attempts`,
  );
  return due.rows;
}

/** The provider was told, or there is nothing to tell it any more. */
export async function dropFarewell(client: Client, workspaceId: string, channelId: string): Promise<void> {
  await client.query('delete from farewells where workspace_id = $1 and channel_id = $2', [workspaceId, channelId]);
}
