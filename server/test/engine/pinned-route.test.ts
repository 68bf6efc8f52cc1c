import { beforeAll, expect, it } from 'vitest';
import { type TestApp, type TestWorkspace, testApp } from '../support/app.ts';

let app: TestApp;
let first: TestWorkspace;
let second: TestWorkspace;
const channels: string[] = [];

beforeAll(async () => {
  app = await testApp();
  first = await app.workspace();
  second = await app.workspace();
  for (const workspace of [first, second]) channels.push((await workspace.call('channels.chatplugin.connect', { name: 'same' })).json.id);
});

const event = (id: string) => ({
  type: 'message',
  id,
  visitor: '018f2f6e-0000-7000-8000-000000000001',
  conversation: '018f2f6e-0000-7000-8000-000000000001',
  message: { text: id },
  at: new Date().toISOString(),
});

const submit = (body: string, channel?: { workspaceId: string; id: string }) =>
  app.engine.ingest.submit([
    {
      source: 'chatplugin',
      sourceChannelId: 'same',
      contentType: 'application/json',
      body: Buffer.from(body),
      ...(channel ? { channel } : {}),
    },
  ]);

const workspacesOf = async (providerId: string) => {
  const { rows } = await app.engine.database.query('select workspace_id as id from messages where provider_id = $1', [providerId]);
  return rows.map((row) => row.id);
};

it('brings an event that names its channel to that one alone', async () => {
  await submit(JSON.stringify(event('pinned')), { workspaceId: second.id, id: channels[1]! });
  expect(await workspacesOf('pinned')).toEqual([second.id]);
});

it('keeps an event for a channel that is gone, and gives it to nobody else', async () => {
  await submit(JSON.stringify(event('gone')), { workspaceId: second.id, id: '018f2f6e-0000-7000-8000-0000000000ff' });
  expect(await workspacesOf('gone')).toEqual([]);
  const { rows } = await app.engine.database.query(`select workspace_id as id from raw_events where state = 'unrouted'`);
  expect(rows).toEqual([{ id: second.id }]);
});

it('replays what was kept for one workspace into that one alone', async () => {
  await submit('{"type":"later"}', { workspaceId: first.id, id: channels[0]! });
  const { rows } = await app.engine.database.query(`select workspace_id as "workspaceId", id from raw_events where state = 'failed'`);
  expect(rows.map((row) => row.workspaceId)).toEqual([first.id]);
  // The reader was mended since: the same event can be read now.
  const body = Buffer.from(JSON.stringify(event('mended')));
  await app.engine.database.query('update raw_events set body = $2 where id = $1', [rows[0].id, body]);
  expect(await app.engine.ingest.replay(first.id, rows[0].id)).toBe('applied');
  expect(await workspacesOf('mended')).toEqual([first.id]);
});
