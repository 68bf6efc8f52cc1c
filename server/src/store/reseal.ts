/** Seals anew, with the current key, what older keys have sealed. */
import type { Client, Database } from './database.ts';
import type { Vault } from './vault.ts';

interface Place {
  table: string;
  /** What names a row, beside its workspace. */
  key: string[];
  data: string;
  keyId: string;
  /** How the context that a value is bound to begins; workspace and key follow. */
  context: string;
}

/** Everywhere that sealed values are kept for longer than a day. */
const PLACES: Place[] = [
  { table: 'channels', key: ['id'], data: 'credentials', keyId: 'credentials_key_id', context: 'channel' },
  { table: 'integrations', key: ['id'], data: 'credentials', keyId: 'credentials_key_id', context: 'integration' },
  { table: 'email_domains', key: ['id'], data: 'dkim_private', keyId: 'dkim_key_id', context: 'dkim' },
  { table: 'memos', key: ['channel_id', 'key'], data: 'value', keyId: 'key_id', context: 'memo' },
  { table: 'farewells', key: ['channel_id'], data: 'channel', keyId: 'key_id', context: 'channel' },
];
const AT_A_TIME = 100;

/** Seals some rows anew; gives how many. Rows that somebody else is writing are left for the next time. */
export async function resealSome(database: Database, vault: Vault): Promise<number> {
  if (vault.olderKeyIds.length === 0) return 0;
  let done = 0;
  for (const place of PLACES) done += await database.transaction((client) => resealIn(client, vault, place));
  return done;
}

async function resealIn(client: Client, vault: Vault, { table, key, data, keyId, context }: Place): Promise<number> {
  const names = ['workspace_id', ...key];
  const { rows } = await client.query<{ names: string[]; sealed: Buffer; was: string }>(
    `select array[${names.map((name) => `${name}::text`).join(', ')}] as names, ${data} as sealed, ${keyId} as was
     from ${table} where ${keyId} = any($1) and ${data} is not null limit ${AT_A_TIME} for update skip locked`,
    [vault.olderKeyIds],
  );
  for (const row of rows) {
    const bound = [context, ...row.names].join(' ');
    const sealed = vault.seal(vault.open(row.sealed, row.was, bound), bound);
    const where = names.map((name, n) => `${name}::text = $${n + 3}`).join(' and ');
    await client.query(`update ${table} set ${data} = $1, ${keyId} = $2 where ${where}`, [sealed.data, sealed.keyId, ...row.names]);
  }
  return rows.length;
}
