import { uuidv7 } from '../model/ids.ts';
import type { Client, Database } from '../store/database.ts';
import { hashKey, insertKey, listKeys, newKeyText } from '../store/keys.ts';

/** Any number, as long as it stays the same: one node at a time makes what is missing. */
const LOCK = 7_262_824_002;
/** The name of the key that comes from the environment; another value there replaces it. */
const ENVIRONMENT_KEY = 'PATCHBAY_API_KEY';
/** What a key of the default workspace may do: everything, also what later versions add. */
const EVERY_SCOPE = ['*'];

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
  return database.transaction(async (client) => {
    await client.query('select pg_advisory_xact_lock($1)', [LOCK]);
    const workspaceId = await defaultWorkspace(client, settings.workspaceId);
    if (settings.apiKey) {
      await adoptEnvironmentKey(client, workspaceId, settings.apiKey);
      return { workspaceId, newApiKey: undefined };
    }
    if ((await listKeys(client, workspaceId)).length > 0) return { workspaceId, newApiKey: undefined };
    const newApiKey = newKeyText(false);
    await insertKey(client, { workspaceId, name: 'First key', text: newApiKey, scopes: EVERY_SCOPE });
    return { workspaceId, newApiKey };
  });
}

async function defaultWorkspace(client: Client, wanted: string | undefined): Promise<string> {
  if (!wanted) {
    const oldest = await client.query<{ id: string }>(
      'select workspace_id as id from workspaces order by created_at, workspace_id limit 1',
    );
    if (oldest.rows[0]) return oldest.rows[0].id;
  }
  const workspaceId = wanted ?? uuidv7();
  await client.query(`insert into workspaces (workspace_id, name) values ($1, 'Default') on conflict do nothing`, [workspaceId]);
  return workspaceId;
}

async function adoptEnvironmentKey(client: Client, workspaceId: string, text: string): Promise<void> {
  await client.query('update api_keys set revoked_at = now() where workspace_id = $1 and name = $2 and hash <> $3 and revoked_at is null', [
    workspaceId,
    ENVIRONMENT_KEY,
    hashKey(text),
  ]);
  const revived = await client.query('update api_keys set revoked_at = null, scopes = $3 where workspace_id = $1 and hash = $2', [
    workspaceId,
    hashKey(text),
    EVERY_SCOPE,
  ]);
  if (revived.rowCount === 0) await insertKey(client, { workspaceId, name: ENVIRONMENT_KEY, text, scopes: EVERY_SCOPE });
}
