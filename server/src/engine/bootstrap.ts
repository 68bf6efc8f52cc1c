import { sql, type Transaction } from 'kysely';
import { uuidv7 } from '../model/ids.ts';
import type { Database } from '../store/database.ts';
import type { Schema } from '../store/schema.ts';
import { EVERY_SCOPE, generateApiKey, storedFormOf } from './api-keys.ts';

/** Any number, as long as it stays the same: one node at a time makes what is missing. */
const LOCK = 7_262_824_002;
/** The name of the key that comes from the environment; another value there replaces it. */
const ENVIRONMENT_KEY = 'PATCHBAY_API_KEY';

export interface Bootstrapped {
  workspaceId: string;
  /** A key that was just generated, to be shown once. */
  newApiKey: string | undefined;
}

/**
 * Makes sure that there is a default workspace and a key for it. With `workspaceId` that one is the default, else the
 * oldest. With `apiKey` that one works with every scope, and no other value given earlier does; else one is generated
 * when the workspace has none that works.
 */
export async function bootstrap(
  database: Database,
  settings: { workspaceId?: string | undefined; apiKey?: string | undefined },
): Promise<Bootstrapped> {
  return database.transaction(async (transaction) => {
    await sql`select pg_advisory_xact_lock(${LOCK})`.execute(transaction);
    const workspaceId = await defaultWorkspace(transaction, settings.workspaceId);
    if (settings.apiKey) {
      await adoptEnvironmentKey(transaction, workspaceId, settings.apiKey);
      return { workspaceId, newApiKey: undefined };
    }
    const working = await transaction
      .selectFrom('api_keys')
      .select('id')
      .where('workspace_id', '=', workspaceId)
      .where('revoked_at', 'is', null)
      .limit(1)
      .executeTakeFirst();
    if (working) return { workspaceId, newApiKey: undefined };
    const newApiKey = generateApiKey();
    await insertKey(transaction, workspaceId, 'First key', newApiKey);
    return { workspaceId, newApiKey };
  });
}

async function defaultWorkspace(transaction: Transaction<Schema>, wanted: string | undefined): Promise<string> {
  if (!wanted) {
    const oldest = await transaction
      .selectFrom('workspaces')
      .select('workspace_id')
      .orderBy('created_at')
      .orderBy('workspace_id')
      .limit(1)
      .executeTakeFirst();
    if (oldest) return oldest.workspace_id;
  }
  const workspaceId = wanted ?? uuidv7();
  await transaction
    .insertInto('workspaces')
    .values({ workspace_id: workspaceId, name: 'Default' })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  return workspaceId;
}

async function adoptEnvironmentKey(transaction: Transaction<Schema>, workspaceId: string, key: string): Promise<void> {
  const { hash } = storedFormOf(key);
  await transaction
    .updateTable('api_keys')
    .set({ revoked_at: new Date() })
    .where('workspace_id', '=', workspaceId)
    .where('name', '=', ENVIRONMENT_KEY)
    .where('hash', '!=', hash)
    .where('revoked_at', 'is', null)
    .execute();
  const { numUpdatedRows } = await transaction
    .updateTable('api_keys')
    .set({ revoked_at: null, scopes: [EVERY_SCOPE] })
    .where('workspace_id', '=', workspaceId)
    .where('hash', '=', hash)
    .executeTakeFirst();
  if (numUpdatedRows === 0n) await insertKey(transaction, workspaceId, ENVIRONMENT_KEY, key);
}

async function insertKey(transaction: Transaction<Schema>, workspaceId: string, name: string, key: string): Promise<void> {
  await transaction
    .insertInto('api_keys')
    .values({ workspace_id: workspaceId, id: uuidv7(), name, scopes: [EVERY_SCOPE], ...storedFormOf(key) })
    .execute();
}
