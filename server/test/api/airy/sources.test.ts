/** Airy's Sources API, as a program that speaks for a source of its own calls it. */
import { createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type TestApp, type TestWorkspace, testApp } from '../../support/app.ts';
import { until } from '../../support/until.ts';

let app: TestApp;
let own: TestWorkspace;
let token: string;
let channelId: string;
let endpoint: string;
const posted: { signature: string; body: string }[] = [];

const program = createServer((request, response) => {
  let body = '';
  request.setEncoding('utf8').on('data', (text: string) => {
    body += text;
  });
  request.on('end', () => {
    posted.push({ signature: String(request.headers['x-airy-content-signature']), body });
    response.setHeader('content-type', 'application/json').end(JSON.stringify({ source_message_id: `out-${posted.length}` }));
  });
});

const asSource = (name: string, body?: unknown, text = token) => app.post(name, body, { authorization: `Bearer ${text}` });
const said = (message: object) => ({
  messages: [
    {
      source_message_id: 'm1',
      source_conversation_id: 'ada',
      source_channel_id: 'lobby',
      source_sender_id: 'ada',
      content: { text: 'Lovely place' },
      from_contact: true,
      sent_at: 1_700_000_000_000,
      ...message,
    },
  ],
});

beforeAll(async () => {
  await new Promise<void>((resolve) => program.listen(0, '127.0.0.1', resolve));
  afterAll(() => program.close());
  endpoint = `http://127.0.0.1:${(program.address() as AddressInfo).port}/action`;
  app = await testApp({ ALLOW_PRIVATE_NETWORK: '1' });
  own = await app.workspace();
  const made = await own.call('sources.create', { source_id: 'guestbook', name: 'Guestbook', action_endpoint: endpoint });
  expect([made.status, made.json]).toEqual([
    200,
    { source_id: 'guestbook', token: expect.any(String), action_endpoint: endpoint, name: 'Guestbook', image_url: null },
  ]);
  token = made.json.token;
  const channel = await asSource('sources.channels.create', {
    name: 'Lobby',
    source_channel_id: 'lobby',
    metadata: { image_url: 'https://example.org/a.png', floor: 1 },
  });
  expect([channel.status, channel.json]).toEqual([
    201,
    {
      id: expect.any(String),
      source: 'guestbook',
      source_channel_id: 'lobby',
      metadata: { name: 'Lobby', image_url: 'https://example.org/a.png', user_data: { floor: 1 } },
      connected: true,
    },
  ]);
  channelId = channel.json.id;
});

describe('a source', () => {
  it('is listed without its token, and there once', async () => {
    expect((await own.call('sources.list')).json).toEqual({
      data: [{ source_id: 'guestbook', action_endpoint: endpoint, name: 'Guestbook', image_url: null }],
    });
    for (const source_id of ['guestbook', 'facebook']) {
      const again = await own.call('sources.create', { source_id });
      expect([again.status, again.json]).toEqual([409, { message: 'Source already exists' }]);
    }
    expect((await (await app.workspace()).call('sources.create', { source_id: 'guestbook' })).status).toBe(200);
    const { rows } = await app.engine.database.query(`select encode(token_hash, 'escape') as text from own_sources`);
    expect(JSON.stringify(rows)).not.toContain(token);
  });

  it('has channels that are listed by its name, and by nobody else', async () => {
    expect((await asSource('sources.channels.list')).json.data.map((channel: { id: string }) => channel.id)).toEqual([channelId]);
    expect((await own.call('channels.list', { source: 'guestbook' })).json.data).toHaveLength(1);
    expect((await own.call('channels.list', { source: 'visitors-book' })).json.data).toEqual([]);
    expect((await own.call('channels.info', { channel_id: channelId })).json.source).toBe('guestbook');
  });

  it('and keys do not do each other’s work', async () => {
    for (const name of ['sources.channels.create', 'sources.channels.list', 'sources.channels.disconnect', 'sources.webhook']) {
      expect((await own.call(name, { channel_id: channelId })).status, name).toBe(403);
      expect((await app.post(name, {})).status, name).toBe(403);
    }
    for (const name of ['sources.create', 'sources.update', 'sources.delete', 'sources.list', 'channels.list', 'conversations.list']) {
      expect((await asSource(name, { source_id: 'guestbook' })).status, name).toBe(403);
    }
    const other = (await own.call('sources.create', { source_id: 'diary' })).json.token;
    expect((await asSource('sources.channels.disconnect', { channel_id: channelId }, other)).status).toBe(403);
    const stranger = (await (await app.workspace()).call('sources.create', { source_id: 'guestbook' })).json.token;
    expect((await asSource('sources.channels.disconnect', { channel_id: channelId }, stranger)).status).toBe(404);
    expect((await asSource('sources.channels.list', {}, stranger)).json.data).toEqual([]);
  });
});

describe('messages', () => {
  const conversation = async () => {
    const { data } = (await own.call('conversations.list', { filters: `channel_id:${channelId}` })).json;
    return data[0];
  };

  it('come in once, and are named by metadata', async () => {
    for (const _time of [1, 2]) {
      const answer = await asSource('sources.webhook', said({}));
      expect([answer.status, answer.text]).toEqual([200, '']);
    }
    const named = { namespace: 'conversation', source_id: 'ada', metadata: { contact: { display_name: 'Ada' } } };
    const noted = { namespace: 'message', source_id: 'm1', metadata: { mood: 'good' } };
    expect((await asSource('sources.webhook', { metadata: [named, noted] })).status).toBe(200);
    const { id, metadata, last_message: last } = await conversation();
    expect(metadata).toMatchObject({ contact: { display_name: 'Ada' }, unread_count: 1 });
    expect(last).toMatchObject({
      content: { text: 'Lovely place' },
      sent_at: '2023-11-14T22:13:20.000Z',
      from_contact: true,
      metadata: { source: { id: 'm1' }, user_data: { mood: 'good' } },
    });
    expect((await own.call('messages.list', { conversation_id: id })).json.pagination_data.total).toBe(1);
  });

  it('go to the action endpoint, signed with the token', async () => {
    await asSource('sources.webhook', said({}));
    const { id } = await conversation();
    const sent = (await own.call('messages.send', { conversation_id: id, message: { text: 'Thank you' } })).json;
    const { body, signature } = await until(() => posted[0]);
    expect(signature).toBe(createHmac('sha256', token).update(body).digest('hex'));
    expect(JSON.parse(body)).toMatchObject({
      type: 'message.send',
      payload: {
        message: { id: sent.id, source_recipient_id: 'ada', content: { text: 'Thank you' } },
        conversation: { id, channel_id: channelId, source_channel_id: 'lobby', source_conversation_id: 'ada' },
      },
    });
    await until(async () => (await conversation()).last_message.metadata.source?.id === 'out-1');
  });

  it.each([
    [{ metadata: [{ namespace: 'channel', source_id: 'x', metadata: {} }] }, 'Unknown metadata namespace channel'],
    [said({ source_message_id: undefined }), 'messages.0.source_message_id is required'],
    [{ messages: ['none'] }, 'messages.0 must be object'],
  ])('that cannot be read are refused: %j', async (body, message) => {
    const answer = await asSource('sources.webhook', body);
    expect([answer.status, answer.json]).toEqual([400, { message }]);
  });

  it('of a channel that was not made are kept in this workspace', async () => {
    const stranger = await app.workspace();
    const theirs = (await stranger.call('sources.create', { source_id: 'guestbook' })).json.token;
    await asSource('sources.channels.create', { name: 'Theirs', source_channel_id: 'elsewhere' }, theirs);
    expect((await asSource('sources.webhook', said({ source_channel_id: 'elsewhere', content: 'not theirs' }))).status).toBe(200);
    expect((await stranger.call('conversations.list')).json.data).toEqual([]);
    const { rows } = await app.engine.database.query(`select workspace_id as id from raw_events where state = 'unrouted'`);
    expect(rows).toEqual([{ id: own.id }]);
  });
});

it('a changed address is used, and the end ends everything', async () => {
  const changed = await own.call('sources.update', { source_id: 'guestbook', name: 'Book', action_endpoint: `${endpoint}/2` });
  expect([changed.status, changed.json]).toMatchObject([200, { name: 'Book', action_endpoint: `${endpoint}/2` }]);
  const channel = await app.engine.channels.get(own.id, channelId);
  expect(channel.settings.action_endpoint).toBe(`${endpoint}/2`);
  expect((await asSource('sources.channels.disconnect', { channel_id: channelId })).status).toBe(204);
  expect((await own.call('sources.delete', { source_id: 'guestbook' })).status).toBe(202);
  expect((await own.call('sources.delete', { source_id: 'guestbook' })).status).toBe(404);
  expect((await asSource('sources.webhook', said({}))).status).toBe(404);
  expect((await own.call('channels.info', { channel_id: channelId })).json.connected).toBe(false);
  const again = (await own.call('sources.create', { source_id: 'guestbook' })).json.token;
  expect(again).not.toBe(token);
  expect((await asSource('sources.channels.create', { name: 'Lobby', source_channel_id: 'lobby' }, again)).json.id).toBe(channelId);
  expect((await asSource('sources.webhook', said({}))).status).toBe(403);
});
