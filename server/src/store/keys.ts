import { createHash, randomInt } from 'node:crypto';
import { uuidv7 } from '../model/ids.ts';
import type { Client } from './database.ts';

export interface ApiKey {
  workspaceId: string;
  id: string;
  name: string;
  prefix: string;
  scopes: string[];
  /** `ak_test_`: its channels are stand-ins. */
  sandbox: boolean;
  createdAt: Date;
  lastUsedAt: Date | null;
  revokedAt: Date | null;
}

const COLUMNS = `workspace_id as "workspaceId", id, name, prefix, scopes, sandbox, created_at as "createdAt",
  last_used_at as "lastUsedAt", revoked_at as "revokedAt"`;
const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/** A new key's text: 40 random characters, 238 bits. */
export function newKeyText(sandbox: boolean): string {
  const random = Array.from({ length: 40 }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');
  return `${sandbox ? 'ak_test_' : 'ak_live_'}${random}`;
}

/** What is stored of a key. A plain digest is enough: the keys are random, not words. */
export function hashKey(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/** Stores a key by its hash; the text itself is only in the caller's hands. */
export async function insertKey(
  client: Client,
  key: { workspaceId: string; name: string; text: string; scopes: string[] },
): Promise<ApiKey> {
  const result = await client.query<ApiKey>(
    `insert into api_keys (workspace_id, id, name, prefix, hash, scopes, sandbox) values ($1, $2, $3, $4, $5, $6, $7) returning ${COLUMNS}`,
    [key.workspaceId, uuidv7(), key.name, key.text.slice(0, 12), hashKey(key.text), key.scopes, key.text.startsWith('ak_test_')],
  );
  return result.rows[0]!;
}

/** The key with this text, unless it was revoked. */
export async function findKey(client: Client, text: string): Promise<ApiKey | undefined> {
  const result = await client.query<ApiKey>({
    name: 'find-key',
    text: `select ${COLUMNS} from api_keys where hash = $1 and revoked_at is null`,
    values: [hashKey(text)],
  });
  return result.rows[0];
}

export async function getKey(client: Client, workspaceId: string, id: string): Promise<ApiKey | undefined> {
  const result = await client.query<ApiKey>(`select ${COLUMNS} from api_keys where workspace_id = $1 and id = $2 and revoked_at is null`, [
    workspaceId,
    id,
  ]);
  return result.rows[0];
}

export async function listKeys(client: Client, workspaceId: string): Promise<ApiKey[]> {
  const result = await client.query<ApiKey>(`select ${COLUMNS} from api_keys where workspace_id = $1 and revoked_at is null order by id`, [
    workspaceId,
  ]);
  return result.rows;
}

/** False when there is no such key. */
export async function revokeKey(client: Client, workspaceId: string, id: string): Promise<boolean> {
  const result = await client.query('update api_keys set revoked_at = now() where workspace_id = $1 and id = $2 and revoked_at is null', [
    workspaceId,
    id,
  ]);
  return (result.rowCount ?? 0) > 0;
}

/** Notes that a key was used, at most once a minute. */
export async function touchKey(client: Client, workspaceId: string, id: string): Promise<void> {
  await client.query(
    `update api_keys set last_used_at = now() where workspace_id = $1 and id = $2 and (last_used_at is null or last_used_at < now() - interval '1 minute')`,
    [workspaceId, id],
  );
}
