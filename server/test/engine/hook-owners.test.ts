import { createHmac } from 'node:crypto';
import { expect, it } from 'vitest';
import { takeCall } from '../../src/engine/hook-calls.ts';
import { uuidv7 } from '../../src/model/ids.ts';
import { testEngine } from '../support/engine.ts';

const engine = await testEngine();
const hook = engine.registry.hooks.find(({ path }) => path === '/hooks/google')!;

async function agentIn(workspaceId: string, clientToken: string): Promise<string> {
  const input = { agent_id: 'shared_agent', client_token: clientToken };
  const row = await engine.channels.connect({ workspaceId, source: 'rcs', input, sandbox: true, existing: 'reuse' });
  // As if both were real: only the secrets tell them apart.
  await engine.database.query('update channels set sandbox = false where id = $1', [row.id]);
  return row.id;
}

async function call(clientToken: string, text: string): Promise<number> {
  const data = JSON.stringify({ agentId: 'shared_agent@rbm.goog', senderPhoneNumber: '+15557770001', messageId: uuidv7(), text });
  const body = Buffer.from(JSON.stringify({ message: { data: Buffer.from(data).toString('base64') } }));
  const signature = createHmac('sha512', clientToken).update(data).digest('base64');
  const headers = { 'content-type': 'application/json', 'x-goog-signature': signature };
  return (await takeCall(engine, hook, { method: 'POST', url: '', path: '/hooks/google', query: {}, headers, body })).status;
}

it('where channels have secrets of their own, only the one whose secret signed a call hears of it', async () => {
  const other = uuidv7();
  await engine.database.query(`insert into workspaces (workspace_id, name) values ($1, 'Other')`, [other]);
  const ours = await agentIn(engine.defaultWorkspaceId, 'our-client-token');
  const theirs = await agentIn(other, 'their-client-token');
  expect(await call('our-client-token', 'for us')).toBe(200);
  expect(await call('their-client-token', 'for them')).toBe(200);
  expect(await call('somebody-else', 'for nobody')).toBe(403);
  const { rows } = await engine.database.query(`select channel_id, content ->> 'text' as text from messages order by text desc`);
  expect(rows).toEqual([
    { channel_id: ours, text: 'for us' },
    { channel_id: theirs, text: 'for them' },
  ]);
});
