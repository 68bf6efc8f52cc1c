/** R6: several real processes start at once on an old database; migrations run once, and the data stays. */
import { copyFile, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { migrate } from '../../src/store/migrate.ts';
import { testDatabase } from '../support/database.ts';
import { startPatchbay, temporaryFolder } from '../support/patchbay.ts';

const MIGRATIONS = join(import.meta.dirname, '..', '..', 'src', 'store', 'migrations');
const KEY = 'ak_live_oldoldoldoldoldoldoldoldoldoldoldoldoldol';
const WORKSPACE = '018f0000-0000-7000-8000-0000000000ad';
const CHANNEL = '018f0000-0000-7000-8000-0000000000c1';
const CONTACT = '018f0000-0000-7000-8000-0000000000c2';
const CONVERSATION = '018f0000-0000-7000-8000-0000000000c3';

it('brings a database of the first version up to date once, whoever starts first, and keeps its data', async () => {
  const { database, connection, url } = await testDatabase();
  await database.query('drop schema public cascade; create schema public');
  const names = (await readdir(MIGRATIONS)).filter((name) => name.endsWith('.sql')).sort();
  const old = join(await temporaryFolder(), 'migrations');
  await mkdir(old);
  await copyFile(join(MIGRATIONS, names[0]!), join(old, names[0]!));
  await migrate(connection, old);
  await database.query(`insert into workspaces (workspace_id, name) values ('${WORKSPACE}', 'Old')`);
  await database.query(
    `insert into channels (workspace_id, id, source, source_channel_id, account, name, status)
     values ($1, $2, 'chatplugin', 'old', 'old', 'Old site', 'active')`,
    [WORKSPACE, CHANNEL],
  );
  await database.query('insert into contacts (workspace_id, id) values ($1, $2)', [WORKSPACE, CONTACT]);
  await database.query(
    'insert into conversations (workspace_id, id, channel_id, contact_id, last_message_at) values ($1, $2, $3, $4, now())',
    [WORKSPACE, CONVERSATION, CHANNEL, CONTACT],
  );
  await database.query(
    `insert into messages (workspace_id, id, channel_id, conversation_id, contact_id, source, direction, state, content, sent_at)
     select $1, gen_random_uuid(), $2, $3, $4, 'chatplugin', 'in', 'delivered', jsonb_build_object('type', 'text', 'text', 'old ' || n), now() from generate_series(1, 50) n`,
    [WORKSPACE, CHANNEL, CONVERSATION, CONTACT],
  );

  const env = {
    DATABASE_URL: url,
    PATCHBAY_API_KEY: KEY,
    PATCHBAY_WORKSPACE_ID: WORKSPACE,
    PATCHBAY_SECRET: Buffer.alloc(32, 9).toString('base64'),
    LOG_LEVEL: 'error',
  };
  const nodes = await Promise.all([startPatchbay(env), startPatchbay(env), startPatchbay(env)]);
  const { rows } = await database.query<{ name: string }>('select name from patchbay_migrations order by name');
  expect(rows.map((row) => row.name)).toEqual(names);
  for (const node of nodes) {
    const response = await fetch(`${node.url}/messages.list`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-api-key': KEY },
      body: JSON.stringify({ conversation_id: CONVERSATION, page_size: 100 }),
    });
    const answer = await response.text();
    expect(response.status, answer).toBe(200);
    const { data } = JSON.parse(answer) as { data: unknown[] };
    expect(data).toHaveLength(50);
  }
  for (const node of nodes) expect(await node.stop()).toEqual({ code: 0, signal: null });
}, 120_000);
