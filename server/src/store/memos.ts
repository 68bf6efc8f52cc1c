import type { Client } from './database.ts';
import type { Vault } from './vault.ts';

export interface MemoKey {
  workspaceId: string;
  channelId: string;
  key: string;
}

/** What was kept under a key; undefined when nothing was, or when its time is over. */
export async function readMemo(client: Client, vault: Vault, memo: MemoKey): Promise<unknown> {
  const result = await client.query<{ value: Buffer; keyId: string }>(
    `select value, key_id as "keyId" from memos where workspace_id = $1 and channel_id = $2 and key = $3 and expires_at > now()`,
    [memo.workspaceId, memo.channelId, memo.key],
  );
  const row = result.rows[0];
  return row && vault.open(row.value, row.keyId, contextOf(memo));
}

/** Keeps a value, sealed: access tokens are among them. */
export async function writeMemo(client: Client, vault: Vault, memo: MemoKey, value: unknown, ttlSeconds: number): Promise<void> {
  const sealed = vault.seal(value, contextOf(memo));
  await client.query(
    `insert into memos (workspace_id, channel_id, key, value, key_id, expires_at) values ($1, $2, $3, $4, $5, now() + make_interval(secs => $6))
     on conflict (workspace_id, channel_id, key) do update set value = excluded.value, key_id = excluded.key_id, expires_at = excluded.expires_at`,
    [memo.workspaceId, memo.channelId, memo.key, sealed.data, sealed.keyId, ttlSeconds],
  );
}

/** True when nothing is kept under the key, which then is: of several who ask at once, one gets it. */
export async function claimMemo(client: Client, vault: Vault, memo: MemoKey, ttlSeconds: number): Promise<boolean> {
  const sealed = vault.seal(true, contextOf(memo));
  const result = await client.query(
    `insert into memos (workspace_id, channel_id, key, value, key_id, expires_at) values ($1, $2, $3, $4, $5, now() + make_interval(secs => $6))
     on conflict (workspace_id, channel_id, key) do update set value = excluded.value, key_id = excluded.key_id, expires_at = excluded.expires_at
       where memos.expires_at <= now()`,
    [memo.workspaceId, memo.channelId, memo.key, sealed.data, sealed.keyId, ttlSeconds],
  );
  return result.rowCount === 1;
}

/** Forgets what is kept under a key. */
export async function dropMemo(client: Client, memo: MemoKey): Promise<void> {
  await client.query('delete from memos where workspace_id = $1 and channel_id = $2 and key = $3', [
    memo.workspaceId,
    memo.channelId,
    memo.key,
  ]);
}

/** What was kept under a key, and takes it away: of several who ask at once, one gets it. */
export async function takeMemo(client: Client, vault: Vault, memo: MemoKey): Promise<unknown> {
  const result = await client.query<{ value: Buffer; keyId: string; fresh: boolean }>(
    `delete from memos where workspace_id = $1 and channel_id = $2 and key = $3
     returning value, key_id as "keyId", expires_at > now() as fresh`,
    [memo.workspaceId, memo.channelId, memo.key],
  );
  const row = result.rows[0];
  return row?.fresh ? vault.open(row.value, row.keyId, contextOf(memo)) : undefined;
}

function contextOf(memo: MemoKey): string {
  return `memo ${memo.workspaceId} ${memo.channelId} ${memo.key}`;
}
