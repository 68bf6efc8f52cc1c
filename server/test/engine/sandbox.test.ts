import { createHmac } from 'node:crypto';
import { expect, it } from 'vitest';
import type { Engine } from '../../src/engine/engine.ts';
import { takeCall } from '../../src/engine/hook-calls.ts';
import { simulateCustomer } from '../../src/engine/sandbox-customers.ts';
import { uuidv7 } from '../../src/model/ids.ts';
import type { ChannelRow } from '../../src/store/channels.ts';
import { testEngine } from '../support/engine.ts';
import { until } from '../support/until.ts';

const engine = await testEngine({
  META_GRAPH_URL: 'http://127.0.0.1:9',
  META_APP_SECRET: 'the-real-secret',
  TWILIO_API_URL: 'http://127.0.0.1:9',
});
const sender = { id: 'test', name: null };

function connect(source: string, input: Record<string, unknown>, workspaceId = engine.defaultWorkspaceId): Promise<ChannelRow> {
  return engine.channels.connect({ workspaceId, source, input, sandbox: true, existing: 'reuse' });
}

async function rows(text: string, values: unknown[] = []): Promise<any[]> {
  return (await engine.database.query(text, values)).rows;
}

async function conversationOn(channel: ChannelRow): Promise<string> {
  const [conversation] = await rows('select id from conversations where channel_id = $1', [channel.id]);
  return conversation.id;
}

function stateOf(id: string): Promise<string> {
  return rows('select state from messages where id = $1', [id]).then(([row]) => row.state);
}

it.each([
  ['whatsapp', { phone_number_id: '1065', business_account_id: '2065', user_token: 'any' }, '+491701234567', 'read'],
  ['whatsapp', { phone_number: '+491234568', business_account_id: '2066', api_key: 'any' }, '+491701234567', 'read'],
  ['facebook', { page_id: '3065', page_token: 'any' }, '9001', 'read'],
  ['instagram', { page_id: '3066', page_token: 'any' }, '9002', 'read'],
  ['twilio.sms', { phone_number: '+491234567' }, '+15557770001', 'delivered'],
  ['twilio.whatsapp', { phone_number: '+491234567' }, '+15557770001', 'delivered'],
  ['google', { gbm_id: 'agent-1' }, 'c-1', 'sent'],
  ['rcs', { agent_id: 'agent-2' }, '+15557770001', 'sent'],
])('%s: a simulated customer writes and is answered', async (source, input, from, final) => {
  const channel = await connect(source, input);
  await simulateCustomer(engine, channel, { from, name: 'Ada', message: { type: 'text', text: 'Hello' } });
  const [message] = await rows(`select content, state from messages where channel_id = $1 and direction = 'in'`, [channel.id]);
  expect(message).toMatchObject({ content: { type: 'text', text: 'Hello' } });
  const answer = await engine.sender.send({
    workspaceId: channel.workspaceId,
    to: { conversationId: await conversationOn(channel) },
    content: { type: 'text', text: 'Good morning' },
    sender,
  });
  await until(async () => (await stateOf(answer.id)) === final, { what: `${source} ${final}` });
  expect(await rows(`select 1 from messages where channel_id = $1 and direction = 'out'`, [channel.id])).toHaveLength(1);
});

it('a picture that the customer sends is fetched and stored', async () => {
  const channel = await connect('whatsapp', { phone_number_id: '1070', business_account_id: '2070', user_token: 'any' });
  const png = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64');
  const file = await engine.media.upload(channel.workspaceId, png, { filename: 'dot.png' });
  await simulateCustomer(engine, channel, { from: '+491701', message: { type: 'image', media: { id: file.id }, caption: 'See' } });
  const [{ content }] = await rows('select content from messages where channel_id = $1', [channel.id]);
  await until(async () => (await engine.media.open(channel.workspaceId, content.media.id))?.data.equals(png));
  expect(content.caption).toBe('See');
});

it('a token that says itself that it is invalid is refused, in Meta’s words', async () => {
  await expect(connect('whatsapp', { phone_number_id: '1', user_token: 'invalid' })).rejects.toThrow(/token/i);
});

it('a restart keeps sandbox channels alive, with their templates', async () => {
  const channel = await connect('whatsapp', { phone_number_id: '1080', business_account_id: '2080', user_token: 'any' });
  await engine.sandboxes.close();
  await simulateCustomer(engine, channel, { from: '+491701', message: { type: 'text', text: 'Still there?' } });
  const answer = await engine.sender.send({
    workspaceId: channel.workspaceId,
    to: { conversationId: await conversationOn(channel) },
    content: { type: 'text', text: 'Yes' },
    sender,
  });
  await until(async () => (await stateOf(answer.id)) === 'read');
});

it('another workspace with the same number, and Meta itself, do not reach each other’s channels', async () => {
  const other = uuidv7();
  await rows(`insert into workspaces (workspace_id, name) values ($1, 'Other')`, [other]);
  const input = { phone_number_id: '1090', business_account_id: '2090', user_token: 'any' };
  const ours = await connect('whatsapp', input);
  const theirs = await connect('whatsapp', input, other);
  await simulateCustomer(engine, ours, { from: '+491701', message: { type: 'text', text: 'For us' } });
  expect(await rows('select 1 from messages where channel_id = $1', [theirs.id])).toHaveLength(0);

  const value = {
    metadata: { phone_number_id: '1090' },
    messages: [{ from: '491702', id: 'wamid.x', timestamp: '1', type: 'text', text: { body: 'Real' } }],
  };
  await callMeta(engine, { object: 'whatsapp_business_account', entry: [{ id: '2090', changes: [{ field: 'messages', value }] }] });
  expect(await rows('select 1 from messages where channel_id = any($1)', [[ours.id, theirs.id]])).toHaveLength(1);
  expect(await rows(`select 1 from raw_events where state = 'unrouted' and source_channel_id = '1090'`)).toHaveLength(1);
});

async function callMeta(to: Engine, value: unknown): Promise<void> {
  const body = Buffer.from(JSON.stringify(value));
  const signature = `sha256=${createHmac('sha256', 'the-real-secret').update(body).digest('hex')}`;
  const hook = to.registry.hooks.find(({ path }) => path === '/hooks/meta')!;
  const headers = { 'content-type': 'application/json', 'x-hub-signature-256': signature };
  const reply = await takeCall(to, hook, { method: 'POST', url: '', path: '/hooks/meta', query: {}, headers, body });
  expect(reply.status).toBe(200);
}
