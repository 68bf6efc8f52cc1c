import { beforeAll, describe, expect, it } from 'vitest';
import { type TestApp, type TestWorkspace, testApp } from '../../support/app.ts';
import { until } from '../../support/until.ts';

let app: TestApp;
let own: TestWorkspace;
let channelId: string;

beforeAll(async () => {
  app = await testApp();
  own = await app.workspace();
  channelId = (await own.call('channels.chatplugin.connect', { name: 'site' })).json.id;
});

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

async function visitor(id = channelId, headers: Record<string, string> = {}) {
  const { json } = await app.post('chatplugin.authenticate', { channel_id: id }, headers);
  const token: string = json.token;
  return {
    token,
    say: (message: unknown, extra: object = {}) => app.post('chatplugin.send', { message, ...extra }, bearer(token)),
  };
}

describe('a visitor and an agent', () => {
  it('write to each other', async () => {
    const { token, say } = await visitor();
    expect((await own.call('conversations.list')).json?.data ?? []).toEqual([]);
    const sent = await say({ text: 'Hello' });
    expect(sent.status).toBe(200);
    expect(sent.json).toMatchObject({ content: { text: 'Hello' }, delivery_state: 'delivered', from_contact: true, source: 'chatplugin' });
    expect(sent.json.sent_at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    const conversationId = sent.json.sender.id;

    const answer = await own.call('messages.send', { conversation_id: conversationId, message: { text: 'Hi there' } });
    expect(answer.json).toMatchObject({ content: { text: 'Hi there' }, delivery_state: 'pending', from_contact: false, metadata: {} });
    const listed = await own.call('messages.list', { conversation_id: conversationId });
    expect(listed.json.data.map((message: any) => message.content.text)).toEqual(['Hi there', 'Hello']);
    expect(listed.json.pagination_data).toEqual({ previous_cursor: null, next_cursor: null, total: 2 });
    await until(async () => {
      const { json } = await own.call('messages.list', { conversation_id: conversationId });
      return json.data[0].delivery_state === 'delivered';
    });

    const { resume_token: resumeToken } = (await app.post('chatplugin.resumeToken', undefined, bearer(token))).json;
    const resumed = await app.post('chatplugin.authenticate', { channel_id: channelId, resume_token: resumeToken });
    expect(resumed.json.messages.map((message: any) => message.content.text)).toEqual(['Hello', 'Hi there']);
    expect((await app.post('chatplugin.send', { message: { text: 'Back' } }, bearer(resumed.json.token))).json.sender.id).toBe(
      conversationId,
    );
    const mastered = await own.call('chatplugin.resumeToken', { channel_id: channelId, conversation_id: conversationId });
    expect((await app.post('chatplugin.authenticate', mastered.json)).json.messages).toHaveLength(3);
  });

  it('keeps one message for one client_id', async () => {
    const { say } = await visitor();
    const clientId = '3b1f8c9e-6f5c-4c55-9d0b-0d3f6b1f8c9e';
    const first = await say({ text: 'once' }, { client_id: clientId });
    const again = await say({ text: 'once' }, { client_id: clientId });
    expect(again.json).toEqual(first.json);
    const { json } = await own.call('messages.list', { conversation_id: first.json.sender.id });
    expect(json.data).toHaveLength(1);
    const stranger = await visitor();
    expect((await stranger.say({ text: 'mine' }, { client_id: clientId })).json.id).not.toBe(first.json.id);
  });

  it('stays in its own workspace although another one has a site of the same name', async () => {
    const other = await app.workspace();
    const theirs = (await other.call('channels.chatplugin.connect', { name: 'site' })).json.id;
    const { say } = await visitor(theirs);
    const sent = await say({ text: 'for the others' });
    expect(sent.status).toBe(200);
    const count = 'select workspace_id from messages where payload = $1';
    const { rows } = await app.engine.database.query(count, [JSON.stringify({ text: 'for the others' })]);
    expect(rows).toEqual([{ workspace_id: other.id }]);
    expect((await own.call('messages.list', { conversation_id: sent.json.sender.id })).status).toBe(404);
    const strange = await own.call('messages.send', { conversation_id: sent.json.sender.id, message: { text: 'x' } });
    expect([strange.status, strange.json.source]).toEqual([202, '']);
    const stolen = await own.call('chatplugin.resumeToken', { channel_id: theirs, conversation_id: sent.json.sender.id });
    expect(stolen.status).toBe(404);
  });

  it('ends a chat for good', async () => {
    const { token, say } = await visitor();
    const { json } = await say({ text: 'Bye' });
    const { resume_token: resumeToken } = (await app.post('chatplugin.resumeToken', {}, bearer(token))).json;
    expect((await app.post('chatplugin.end', {}, bearer(token))).status).toBe(204);
    expect((await say({ text: 'one more' })).status).toBe(403);
    expect((await app.post('chatplugin.authenticate', { resume_token: resumeToken })).status).toBe(401);
    const { rows } = await app.engine.database.query('select state from conversations where id = $1', [json.sender.id]);
    expect(rows[0].state).toBe('CLOSED');
  });
});

describe('who may', () => {
  it('refuses wrong tokens, unknown channels and nothing at all', async () => {
    expect((await app.post('chatplugin.send', { message: { text: 'x' } })).status).toBe(403);
    expect((await app.post('chatplugin.send', { message: { text: 'x' } }, bearer('x.y.z'))).status).toBe(403);
    expect((await app.post('chatplugin.authenticate', { resume_token: 'x' })).status).toBe(401);
    expect((await app.post('chatplugin.authenticate', {})).status).toBe(400);
    const nowhere = '018f2f6e-0000-7000-8000-000000000001';
    expect((await app.post('chatplugin.authenticate', { channel_id: nowhere })).status).toBe(404);
    const { token } = await visitor();
    const { resume_token: resumeToken } = (await app.post('chatplugin.resumeToken', {}, bearer(token))).json;
    expect((await app.post('chatplugin.send', { message: { text: 'x' } }, bearer(resumeToken))).status).toBe(403);
    expect((await app.post('chatplugin.resumeToken', {}, { authorization: own.key })).status).toBe(400);
  });

  it('speaks only for pages of allowed origins', async () => {
    const settings = { name: 'shop', allowed_origins: ['https://shop.test'], config: { primaryColor: '#112233' } };
    const { id } = (await own.call('channels.chatplugin.connect', settings)).json;
    const evil = { origin: 'https://evil.test' };
    const good = { origin: 'https://shop.test' };
    expect((await app.post('chatplugin.authenticate', { channel_id: id }, evil)).status).toBe(403);
    const { token } = (await app.post('chatplugin.authenticate', { channel_id: id }, good)).json;
    expect((await app.post('chatplugin.send', { message: { text: 'x' } }, { ...bearer(token), ...evil })).status).toBe(403);
    const answer = await app.post('chatplugin.send', { message: { text: 'x' } }, { ...bearer(token), ...good });
    expect(answer.status).toBe(200);
    expect(answer.headers['access-control-allow-origin']).toBe('https://shop.test');
    expect(answer.headers['access-control-allow-credentials']).toBeUndefined();

    const config = (headers: Record<string, string>) => app.app.inject({ url: `/widget/config?channel_id=${id}`, headers });
    expect((await config(evil)).statusCode).toBe(403);
    expect((await config(good)).json()).toEqual({ channel: { id, name: 'shop', image_url: null }, config: { primaryColor: '#112233' } });
    expect((await app.app.inject({ url: '/widget/config?channel_id=x' })).statusCode).toBe(404);
    const preflight = await app.app.inject({
      method: 'OPTIONS',
      url: '/chatplugin.send',
      headers: { ...good, 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization,content-type' },
    });
    expect(preflight.headers['access-control-allow-origin']).toBe('https://shop.test');
    expect(preflight.headers['access-control-allow-credentials']).toBeUndefined();
    const agents = await app.app.inject({
      method: 'OPTIONS',
      url: '/channels.list',
      headers: { ...evil, 'access-control-request-method': 'POST' },
    });
    expect(agents.headers['access-control-allow-origin']).toBeUndefined();
  });

  it('slows a visitor down who writes too much', async () => {
    const { say } = await visitor();
    const answers = await Promise.all(Array.from({ length: 65 }, (_, n) => say({ text: `message ${n}` })));
    const refused = answers.filter((answer) => answer.status === 429);
    expect(refused).toHaveLength(5);
    expect(Number(refused[0]!.headers['retry-after'])).toBeGreaterThan(0);
    expect(typeof refused[0]!.json.message).toBe('string');
  });
});
