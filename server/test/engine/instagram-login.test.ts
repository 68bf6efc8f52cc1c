/** An Instagram account that is connected with a token of its own, without a Facebook page, through the whole engine. */
import { createHmac } from 'node:crypto';
import { afterAll, beforeEach, expect, it } from 'vitest';
import { createMetaSandbox } from '../../../sandbox/meta/index.ts';
import { checkHealth } from '../../src/engine/health.ts';
import { hookedEngine } from '../support/hooked-engine.ts';
import { until } from '../support/until.ts';

const DAY_MS = 24 * 3_600_000;
let ahead = 0;
const meta = createMetaSandbox({
  appSecret: 'instagram-secret',
  tokens: [],
  now: () => Date.now() + ahead,
  instagramAccounts: [{ id: '17841', username: 'shop', name: 'Shop', token: 'short' }],
});
const graph = await meta.app.listen({ port: 0, host: '127.0.0.1' });
afterAll(() => meta.app.close());
const { engine, workspaceId, url, rows, send, reaches, conversationOn } = await hookedEngine(async (address) => {
  meta.pointTo(`${address}/hooks/meta`);
  const nowhere = 'http://127.0.0.1:1';
  return { META_GRAPH_URL: nowhere, META_INSTAGRAM_URL: graph, META_INSTAGRAM_APP_SECRET: 'instagram-secret', META_APP_SECRET: 'other' };
});
const connect = (input: Record<string, unknown>) =>
  engine.channels.connect({ workspaceId, source: 'instagram', input, sandbox: false, existing: 'reuse' });
beforeEach(() => {
  ahead = 0;
});

it('is refused with Meta’s words, and nothing is stored', async () => {
  await expect(connect({ access_token: 'wrong' })).rejects.toMatchObject({
    code: 'invalid-token',
    message: expect.stringContaining('Invalid OAuth'),
  });
  await expect(connect({ access_token: 'short', account_id: '4' })).rejects.toMatchObject({ code: 'unknown-account' });
  expect(await engine.channels.list(workspaceId, { sources: ['instagram'] })).toEqual([]);
});

it('connects, hears, answers, and disconnects', async () => {
  meta.state.pages[0]!.token = 'short';
  const channel = await connect({ access_token: 'short' });
  expect(channel).toMatchObject({ sourceChannelId: '17841', name: 'Shop', status: 'active', details: { username: 'shop' } });
  expect(engine.channels.view(channel).credentials).toEqual({ access_token: 'short-long' });
  expect(meta.state.pages[0]!.subscribedFields).toContain('messages');

  const customer = meta.pageCustomer('17841', '9001');
  customer.text('Is it still there?');
  const conversation = await conversationOn(channel);
  const { id } = await send(conversation, 'It is');
  await reaches(id, 'read');
  await meta.webhooks.settled();
  expect(await rows(`select 1 from messages where direction = 'out'`)).toHaveLength(1);
  await until(async () => (await rows(`select 1 from contacts where display_name = 'Sandra Box'`)).length === 1);

  expect((await checkHealth(engine, workspaceId, channel.id)).status).toBe('active');
  await engine.channels.disconnect(workspaceId, channel.id);
  expect(meta.state.pages[0]!.subscribedFields).toBeUndefined();
});

it('takes over from the page that the account was reached through, under the same id', async () => {
  const token = meta.state.pages[0]!.token;
  const [row] = await rows(`select id from channels where source_channel_id = '17841'`);
  await rows(`update channels set settings = '{"login": "page", "page_id": "555", "account_id": "17841"}' where id = $1`, [row.id]);
  await expect(connect({ access_token: token, page_token: 'x' })).rejects.toMatchObject({
    code: 'invalid',
    problems: [{ field: 'access_token' }],
  });
  const channel = await connect({ access_token: token });
  expect(channel.id).toBe(row.id);
  expect((await checkHealth(engine, workspaceId, channel.id)).status).toBe('active');
});

it('renews its token before it ends, and says so when it cannot', async () => {
  const token = meta.state.pages[0]!.token;
  const channel = await connect({ access_token: token });
  const before = engine.channels.view(channel).credentials.access_token;
  const ending = async (days: number) => {
    await rows(`update channels set details = details || jsonb_build_object('token_expires_at', $2::text) where id = $1`, [
      channel.id,
      new Date(Date.now() + days * DAY_MS).toISOString(),
    ]);
    return checkHealth(engine, workspaceId, channel.id);
  };
  await ending(50);
  expect(engine.channels.view(await engine.channels.get(workspaceId, channel.id)).credentials.access_token).toBe(before);

  meta.state.tokens.get(before as string)!.expiresAt = Math.floor(Date.now() / 1000) + 20 * 24 * 3600;
  await ending(20);
  const renewed = await engine.channels.get(workspaceId, channel.id);
  expect(engine.channels.view(renewed).credentials.access_token).toBe(`${before}+`);
  expect(Date.parse(renewed.details.token_expires_at as string)).toBeGreaterThan(Date.now() + 50 * DAY_MS);
  expect(renewed.status).toBe('active');

  // A day has to pass before the next renewal: this one is refused, and people are told.
  expect(await ending(3)).toMatchObject({ status: 'warning', statusReason: expect.stringContaining('ends on') });
  for (const known of meta.state.tokens.values()) known.valid = false;
  expect(await checkHealth(engine, workspaceId, channel.id)).toMatchObject({ status: 'failed' });
});

it('takes webhooks signed with the Instagram app’s secret for Instagram alone', async () => {
  const post = async (object: string, secret: string) => {
    const body = JSON.stringify({ object, entry: [{ id: '17841', messaging: [] }] });
    const signature = `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
    return (await fetch(`${url}/hooks/meta`, { method: 'POST', body, headers: { 'x-hub-signature-256': signature } })).status;
  };
  expect(await post('instagram', 'instagram-secret')).toBe(200);
  expect(await post('instagram', 'other')).toBe(200);
  expect(await post('page', 'instagram-secret')).toBe(403);
  expect(await post('whatsapp_business_account', 'instagram-secret')).toBe(403);
  expect(await post('instagram', 'guess')).toBe(403);
});
