/** Who listens to which channel, and how far it has been read. */
import type { Client } from './database.ts';
import { toJson } from './json.ts';

export interface LeaseKey {
  workspaceId: string;
  channelId: string;
}

/** Takes or renews the leases of channels for a node; answers those that it holds now. */
export async function holdLeases(client: Client, node: string, channels: LeaseKey[], seconds: number): Promise<LeaseKey[]> {
  if (channels.length === 0) return [];
  const result = await client.query<LeaseKey>(
    `insert into receive_leases (workspace_id, channel_id, node, leased_until)
     select "workspaceId", "channelId", $2, now() + make_interval(secs => $3)
     from json_to_recordset($1) as x("workspaceId" uuid, "channelId" uuid) order by 1, 2
     on conflict (workspace_id, channel_id) do update set node = excluded.node, leased_until = excluded.leased_until
       where receive_leases.node = excluded.node or receive_leases.leased_until < now()
     returning workspace_id as "workspaceId", channel_id as "channelId"`,
    [toJson(channels.map(({ workspaceId, channelId }) => ({ workspaceId, channelId }))), node, seconds],
  );
  return result.rows;
}

/** Gives leases back, so that another node may take them at once. */
export async function dropLeases(client: Client, node: string, channels?: LeaseKey[]): Promise<void> {
  await client.query('delete from receive_leases where node = $1 and ($2::uuid[] is null or channel_id = any($2))', [
    node,
    channels?.map((channel) => channel.channelId) ?? null,
  ]);
}

export async function loadCursor(client: Client, { workspaceId, channelId }: LeaseKey): Promise<unknown> {
  const result = await client.query<{ value: unknown }>('select value from receive_cursors where workspace_id = $1 and channel_id = $2', [
    workspaceId,
    channelId,
  ]);
  return result.rows[0]?.value;
}

/** Keeps the cursor; false when the node does not hold the lease any more: somebody else reads on. */
export async function saveCursor(client: Client, node: string, { workspaceId, channelId }: LeaseKey, value: unknown): Promise<boolean> {
  const result = await client.query(
    `insert into receive_cursors (workspace_id, channel_id, value)
     select workspace_id, channel_id, $4::jsonb from receive_leases
     where workspace_id = $1 and channel_id = $2 and node = $3 and leased_until > now()
     on conflict (workspace_id, channel_id) do update set value = excluded.value, updated_at = now()`,
    [workspaceId, channelId, node, toJson(value ?? null)],
  );
  return result.rowCount === 1;
}
