import { beforeAll, beforeEach, expect, it } from 'vitest';
import { generateApiKey, hashApiKey } from '../../src/engine/api-keys.ts';
import { bootstrap } from '../../src/engine/bootstrap.ts';
import { uuidv7 } from '../../src/model/ids.ts';
import { type TestDatabase, testDatabase } from '../support/database.ts';

let test: TestDatabase;
beforeAll(async () => {
  test = await testDatabase();
});
beforeEach(async () => {
  await test.database.pool.query('truncate workspaces, api_keys cascade');
});

const keys = () => test.database.kysely.selectFrom('api_keys').selectAll().orderBy('id').execute();

it('makes one workspace and one key, however many nodes start at once, and stores the hash alone', async () => {
  const nodes = await Promise.all([1, 2, 3].map(() => bootstrap(test.database, {})));
  expect(new Set(nodes.map((node) => node.workspaceId)).size).toBe(1);
  const shown = nodes.flatMap((node) => node.newApiKey ?? []);
  expect(shown).toEqual([expect.stringMatching(/^ak_live_[0-9A-Za-z]{40}$/)]);
  const stored = await keys();
  expect(stored).toHaveLength(1);
  expect(stored[0]).toMatchObject({ hash: hashApiKey(shown[0]!), prefix: shown[0]!.slice(0, 12), sandbox: false, scopes: ['*'] });
});

it('gives another key when none works any longer', async () => {
  const first = await bootstrap(test.database, {});
  await test.database.kysely.updateTable('api_keys').set({ revoked_at: new Date() }).execute();
  const second = await bootstrap(test.database, {});
  expect(second.workspaceId).toBe(first.workspaceId);
  expect(second.newApiKey).toBeDefined();
  expect(second.newApiKey).not.toBe(first.newApiKey);
});

it('takes the workspace and the key of the environment, and lets another value replace the key', async () => {
  const workspaceId = uuidv7();
  const [old, current] = [generateApiKey(), generateApiKey(true)];
  for (const apiKey of [old, old, current]) {
    expect(await bootstrap(test.database, { workspaceId, apiKey })).toEqual({ workspaceId, newApiKey: undefined });
  }
  const stored = await keys();
  expect(stored.map((key) => [key.hash.equals(hashApiKey(current)), key.revoked_at === null, key.sandbox])).toEqual([
    [false, false, false],
    [true, true, true],
  ]);
});
