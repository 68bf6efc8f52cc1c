import { Client, type IFrame, type IMessage } from '@stomp/stompjs';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { agentTyping } from '../../../src/engine/typing.ts';
import { type TestApp, type TestWorkspace, testApp } from '../../support/app.ts';
import { until } from '../../support/until.ts';

let app: TestApp;
let own: TestWorkspace;
let channelId: string;
let address: string;
const clients: Client[] = [];

beforeAll(async () => {
  app = await testApp();
  own = await app.workspace();
  channelId = (await own.call('channels.chatplugin.connect', { name: 'site' })).json.id;
  address = (await app.listen()).replace('http', 'ws');
});

afterEach(async () => {
  for (const client of clients.splice(0)) await client.deactivate({ force: true });
});

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

/** The official client, as Airy's inbox and widget use it. */
async function connect(path: string, options: { handshake?: Record<string, string>; connect?: Record<string, string> }) {
  const errors: IFrame[] = [];
  const client = new Client({
    webSocketFactory: () => new WebSocket(address + path, ['v12.stomp', 'v11.stomp', 'v10.stomp'], { headers: options.handshake ?? {} }),
    connectHeaders: options.connect ?? {},
    reconnectDelay: 0,
    heartbeatIncoming: 10_000,
    heartbeatOutgoing: 10_000,
    onStompError: (frame) => errors.push(frame),
  });
  clients.push(client);
  client.activate();
  await until(() => client.connected || errors.length > 0, { what: 'the STOMP connection' });
  return { client, errors };
}

async function follow(client: Client, destination: string, headers: Record<string, string> = {}) {
  const heard: { id: string; body: any }[] = [];
  const receipt = `r-${destination}-${heard.length}`;
  const subscribed = new Promise<void>((resolve) => client.watchForReceipt(receipt, () => resolve()));
  client.subscribe(destination, (message: IMessage) => heard.push({ id: message.headers['message-id']!, body: JSON.parse(message.body) }), {
    ...headers,
    receipt,
  });
  await subscribed;
  return heard;
}

const agent = (workspace = own) => connect('/ws.communication', { handshake: { authorization: `Bearer ${workspace.key}` } });

async function visitor(id = channelId) {
  const { token, cursor } = (await app.post('chatplugin.authenticate', { channel_id: id })).json;
  return { token: token as string, cursor: cursor as string };
}

const say = (token: string, text: string) => app.post('chatplugin.send', { message: { text } }, bearer(token));

describe('agents', () => {
  it('hear of messages, unread counts, states, tags and channels', async () => {
    const { client } = await agent();
    const heard = await follow(client, '/events');
    const { token } = await visitor();
    const { json: message } = await say(token, 'Hello agents');
    const conversationId = message.sender.id;
    const [created, metadata] = await until(() => heard.length >= 2 && heard.map((item) => item.body));
    expect(Object.keys(created)).toEqual(['payload', 'timestamp', 'type']);
    expect(created).toMatchObject({
      type: 'message.created',
      timestamp: Date.parse(message.sent_at),
      payload: {
        conversation_id: conversationId,
        channel_id: channelId,
        message: { id: message.id, content: { text: 'Hello agents' }, from_contact: true, metadata: null, source: 'chatplugin' },
      },
    });
    expect(metadata).toMatchObject({
      type: 'metadata.updated',
      payload: { subject: 'conversation', identifier: conversationId, metadata: { unread_count: 1 } },
    });
    expect(metadata.payload.metadata.contact.display_name).toBe(`Chatplugin ${conversationId.slice(-5)}`);

    await own.call('messages.send', { conversation_id: conversationId, message: { text: 'Answer' } });
    await until(() =>
      heard.some(({ body }) => body.payload.message?.content.text === 'Answer' && body.payload.message.delivery_state === 'delivered'),
    );
    await own.call('conversations.mark-read', { conversation_id: conversationId });
    await until(() =>
      heard.some(({ body }) => body.payload.subject === 'message' && body.payload.metadata.user_read === Date.parse(message.sent_at)),
    );
    await own.call('tags.create', { name: 'VIP', color: 'tag-red' });
    await until(() => heard.some(({ body }) => body.type === 'tag.updated' && body.payload.name === 'VIP'));
    await own.call('channels.update', { channel_id: channelId, name: 'renamed' });
    await until(() =>
      heard.some(({ body }) => body.type === 'channel.updated' && body.payload.id === channelId && body.timestamp === null),
    );
    await own.call('conversations.updateContact', { conversation_id: conversationId, display_name: 'Ada' });
    await until(() => heard.some(({ body }) => body.payload.metadata?.contact?.display_name === 'Ada'));
    expect(new Set(heard.map((item) => item.id)).size).toBe(heard.length);
  });

  it('hear nothing of another workspace', async () => {
    const other = await app.workspace();
    const theirs = (await other.call('channels.chatplugin.connect', { name: 'site' })).json.id;
    const { client } = await agent();
    const heard = await follow(client, '/events');
    const foreign = await agent(other);
    const heardThere = await follow(foreign.client, '/events');
    await say((await visitor(theirs)).token, 'secret');
    await until(() => heardThere.length > 0);
    await say((await visitor()).token, 'ours');
    await until(() => heard.length > 0);
    expect(JSON.stringify(heard)).not.toContain('secret');
    expect(JSON.stringify(heardThere)).not.toContain('ours');
  });

  it('are refused without a key, and let in with the session cookie', async () => {
    const refused = (headers: Record<string, string>) =>
      new Promise<number>((resolve, reject) => {
        const socket = new WebSocket(`${address}/ws.communication`, { headers });
        socket.on('unexpected-response', (_request, response) => resolve(response.statusCode ?? 0));
        socket.on('open', () => reject(new Error('it was let in')));
        socket.on('error', () => undefined);
      });
    expect(await refused({ authorization: 'Bearer wrong' })).toBe(403);
    expect(await refused({ origin: 'https://evil.test' })).toBe(403);
    const reader = await app.workspace(['channels:read']);
    expect(await refused({ authorization: reader.key })).toBe(403);

    const signedIn = await app.post('session', { key: own.key });
    const cookie = String(signedIn.headers['set-cookie']).split(';')[0]!;
    expect(await refused({ cookie, origin: 'https://evil.test' })).toBe(403);
    const { client } = await connect('/ws.communication', { handshake: { cookie } });
    expect(client.connected).toBe(true);
  });

  it.each([
    ['an allowed page', { origin: 'https://patchbay.test' }],
    ['a program', {}],
  ])('may show the key in the CONNECT frame from %s', async (_who, handshake) => {
    const { client } = await connect('/ws.communication', { handshake, connect: { Authorization: `Bearer ${own.key}` } });
    expect(client.connected).toBe(true);
    const wrong: Record<string, string>[] = [{ Authorization: 'Bearer wrong' }, {}];
    for (const frame of wrong) {
      const { client: stranger, errors } = await connect('/ws.communication', { handshake, connect: frame });
      expect(errors[0]!.headers.message).toContain('401');
      expect(stranger.connected).toBe(false);
    }
  });
});

describe('visitors', () => {
  const attend = (token: string) => connect('/ws.chatplugin', { connect: { Authorization: `Bearer ${token}` } });

  it('hear the agent and their own echo', async () => {
    const { token } = await visitor();
    const { client } = await attend(token);
    const heard = await follow(client, '/user/queue/message');
    const { json } = await say(token, 'Anybody?');
    await until(() => heard.length === 1);
    expect(heard[0]!.body).toEqual({ conversation_id: json.sender.id, channel_id: channelId, message: json });
    await own.call('messages.send', { conversation_id: json.sender.id, message: { text: 'Yes' } });
    await until(() => heard.length === 2);
    expect(heard[1]!.body.message).toMatchObject({ content: { text: 'Yes' }, from_contact: false, source: 'chatplugin' });
    const stranger = await visitor();
    await say(stranger.token, 'elsewhere');
    await say(token, 'thanks');
    await until(() => heard.length === 3);
    expect(heard.map(({ body }) => body.message.content.text)).toEqual(['Anybody?', 'Yes', 'thanks']);
  });

  it('are told what they missed, once and in order', async () => {
    const { token, cursor } = await visitor();
    const texts = Array.from({ length: 30 }, (_, n) => `message ${n}`);
    for (const text of texts.slice(0, 10)) await say(token, text);
    const { client } = await attend(token);
    const writing = (async () => {
      for (const text of texts.slice(10)) await say(token, text);
    })();
    const heard = await follow(client, '/user/queue/message', { after: cursor });
    await writing;
    await until(() => heard.length >= texts.length);
    expect(heard.map(({ body }) => body.message.content.text)).toEqual(texts);
    const again = await attend(token);
    const rest = await follow(again.client, '/user/queue/message', { after: heard[24]!.id });
    await until(() => rest.length >= 5);
    expect(rest.map(({ body }) => body.message.content.text)).toEqual(texts.slice(25));
  });

  it('hear of typing, states and the end', async () => {
    const { token } = await visitor();
    const { client } = await attend(token);
    const heard = await follow(client, '/user/queue/events');
    const { json } = await say(token, 'Hello');
    const conversationId = json.sender.id;
    await agentTyping(app.engine, own.id, conversationId, true, 'Nora');
    await until(() => heard.some(({ body }) => body.type === 'typing' && body.on === true && body.name === 'Nora'));
    await own.call('conversations.mark-read', { conversation_id: conversationId });
    await until(() => heard.some(({ body }) => body.type === 'state' && body.message_id === json.id && body.delivery_state === 'read'));
    await app.post('chatplugin.end', {}, bearer(token));
    await until(() => heard.some(({ body }) => body.type === 'ended'));
    const { errors } = await attend(token);
    expect(errors[0]!.headers.message).toContain('401');
  });

  it('acknowledge their own messages, and nobody else’s', async () => {
    const [mine, theirs] = [await visitor(), await visitor()];
    const ids: string[] = [];
    for (const { token } of [mine, theirs]) {
      const { json } = await say(token, 'Hello');
      const answer = await own.call('messages.send', { conversation_id: json.sender.id, message: { text: 'Hi' } });
      ids.push(answer.json.id);
      await until(
        async () => (await own.call('messages.list', { conversation_id: json.sender.id })).json.data[0].delivery_state === 'delivered',
      );
    }
    const { client } = await attend(mine.token);
    client.publish({ destination: '/app/receipts', body: '{nonsense' });
    client.publish({ destination: '/app/typing', body: JSON.stringify({ on: true }) });
    client.publish({ destination: '/app/receipts', body: JSON.stringify({ message_ids: ids, state: 'read' }) });
    const stateOf = async (id: string) => (await app.engine.database.query('select state from messages where id = $1', [id])).rows[0].state;
    await until(async () => (await stateOf(ids[0]!)) === 'read');
    expect(await stateOf(ids[1]!)).toBe('sent');
    await until(
      async () =>
        (await app.engine.database.query(`select 1 from events where type = 'typing' and data->>'by' = 'contact'`)).rows.length > 0,
    );
    expect(client.connected).toBe(true);
  });

  it('are heard to the end, however fast they speak', async () => {
    const { token } = await visitor();
    const conversationId = (await say(token, 'Hello')).json.sender.id;
    const { client } = await attend(token);
    const ids: string[] = [];
    for (const text of ['one', 'two', 'three']) {
      ids.push((await own.call('messages.send', { conversation_id: conversationId, message: { text } })).json.id);
    }
    for (const id of ids) client.publish({ destination: '/app/receipts', body: JSON.stringify({ message_ids: [id], state: 'read' }) });
    for (const on of [true, true, false, true]) client.publish({ destination: '/app/typing', body: JSON.stringify({ on }) });
    const heard = async () =>
      (
        await app.engine.database.query<{ data: { on: boolean } }>(
          `select data from events where type = 'typing' and conversation_id = $1 order by seq`,
          [conversationId],
        )
      ).rows.map(({ data }) => data.on);
    await until(async () => (await heard()).length >= 3);
    expect(await heard()).toEqual([true, false, true]);
    const states = await app.engine.database.query('select state from messages where id = any($1)', [ids]);
    expect(states.rows.map(({ state }) => state)).toEqual(['read', 'read', 'read']);
  });

  it('are told 401 for a wrong token, and on a page that is not allowed', async () => {
    const { errors } = await attend('wrong');
    expect(errors[0]!.headers.message).toContain('401');
    const { id } = (await own.call('channels.chatplugin.connect', { name: 'shop', allowed_origins: ['https://shop.test'] })).json;
    const { token } = await visitor(id);
    const connectHeaders = { Authorization: `Bearer ${token}` };
    const evil = await connect('/ws.chatplugin', { handshake: { origin: 'https://evil.test' }, connect: connectHeaders });
    expect(evil.errors[0]!.headers.message).toContain('401');
    const good = await connect('/ws.chatplugin', { handshake: { origin: 'https://shop.test' }, connect: connectHeaders });
    expect(good.client.connected).toBe(true);
  });
});

it('hears at one process what came in at another', async () => {
  const second = await testApp({}, app);
  const there = (await second.listen()).replace('http', 'ws');
  const client = new Client({
    webSocketFactory: () => new WebSocket(`${there}/ws.communication`, ['v12.stomp'], { headers: { authorization: own.key } }),
    reconnectDelay: 0,
  });
  clients.push(client);
  client.activate();
  await until(() => client.connected);
  const heard = await follow(client, '/events');
  await say((await visitor()).token, 'from the first');
  await until(() => heard.some(({ body }) => body.payload.message?.content.text === 'from the first'));
});

it('answers unknown addresses, and closes politely when it ends', async () => {
  const status = await new Promise((resolve) => {
    const socket = new WebSocket(`${address}/ws.nothing`);
    socket.on('unexpected-response', (_request, response) => resolve(response.statusCode));
    socket.on('error', () => undefined);
  });
  expect(status).toBe(404);
  const ending = await testApp({}, app);
  const socket = new WebSocket(`${(await ending.listen()).replace('http', 'ws')}/ws.chatplugin`, ['v12.stomp']);
  await new Promise((resolve) => socket.on('open', resolve));
  const closed = new Promise((resolve) => socket.on('close', resolve));
  await ending.app.close();
  expect(await closed).toBe(1001);
});
