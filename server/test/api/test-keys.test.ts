/** Keys that begin with `ak_test_` have the sandbox's channels and nothing else, whichever door they knock at. */
import { Client } from '@stomp/stompjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { type TestApp, type TestWorkspace, testApp } from '../support/app.ts';
import { until } from '../support/until.ts';

let app: TestApp;
let own: TestWorkspace;
let key: string;
const live: Record<string, string> = {};
const sandbox: Record<string, string> = {};

const asTest = (name: string, body?: unknown) => app.post(name, body, { authorization: `Bearer ${key}` });

async function say(channelId: string, text: string) {
  const { token } = (await app.post('chatplugin.authenticate', { channel_id: channelId })).json;
  return (await app.post('chatplugin.send', { message: { text } }, { authorization: `Bearer ${token}` })).json;
}

async function fill(ids: Record<string, string>, channel: { id: string }, text: string) {
  const message = await say(channel.id, text);
  const contact = (await own.call('contacts.info', { conversation_id: message.sender.id })).json;
  Object.assign(ids, { channel_id: channel.id, conversation_id: message.sender.id, message_id: message.id, contact_id: contact.id });
}

beforeAll(async () => {
  app = await testApp();
  own = await app.workspace();
  key = (await own.call(`workspaces/${own.id}/api-keys`, { name: 'Try', scopes: ['*'], sandbox: true })).json.key;
  await fill(live, (await own.call('channels.chatplugin.connect', { name: 'real' })).json, 'private words');
  await fill(sandbox, (await asTest('channels.chatplugin.connect', { name: 'sandbox' })).json, 'sandbox words');
});

describe('the Airy surface', () => {
  it('lists what is of the sandbox', async () => {
    const idsOf = async (name: string, body = {}) => (await asTest(name, body)).json.data.map((item: { id: string }) => item.id);
    expect(await idsOf('channels.list')).toEqual([sandbox.channel_id]);
    expect(await idsOf('conversations.list')).toEqual([sandbox.conversation_id]);
    expect(await idsOf('conversations.list', { filters: 'id:*' })).toEqual([sandbox.conversation_id]);
    expect(await idsOf('conversations.list', { filters: `channel_id:${live.channel_id}` })).toEqual([]);
    expect(await idsOf('contacts.list')).toEqual([sandbox.contact_id]);
  });

  it('answers for what is real as for what is not there, and leaves it as it is', async () => {
    const before = (await own.call('conversations.info', { conversation_id: live.conversation_id })).json;
    const { channel_id, conversation_id, message_id, contact_id } = live;
    const calls: [string, object, number][] = [
      ['channels.info', { channel_id }, 404],
      ['channels.update', { channel_id, name: 'taken over' }, 404],
      ['channels.chatplugin.disconnect', { channel_id }, 400],
      ['conversations.info', { conversation_id: conversation_id!.toUpperCase() }, 404],
      ['conversations.set-state', { conversation_id, state: 'CLOSED' }, 404],
      ['conversations.mark-read', { conversation_id }, 204],
      ['messages.list', { conversation_id }, 404],
      ['messages.send', { conversation_id, message: { text: 'mine' } }, 202],
      ['messages.send', { channel_id, source_recipient_id: 'somebody', message: { text: 'mine' } }, 403],
      ['messages.suggest-replies', { message_id, suggestions: { a: { content: 1 } } }, 404],
      ['metadata.upsert', { subject: 'conversation', id: conversation_id, data: { a: 1 } }, 204],
      ['contacts.info', { id: contact_id }, 404],
      ['contacts.info', { conversation_id }, 404],
      ['contacts.update', { id: contact_id, title: 'taken over' }, 404],
      ['contacts.recent-messages', { contact_id }, 404],
      ['contacts.create', { conversations: { [conversation_id!]: 'chatplugin' } }, 201],
      ['contacts.import', [{ conversations: { [conversation_id!]: 'chatplugin' } }], 201],
      ['contacts.delete', { id: contact_id }, 404],
      ['chatplugin.resumeToken', { channel_id, conversation_id }, 404],
    ];
    for (const [name, body, status] of calls) {
      const answer = await asTest(name, body);
      expect([name, answer.status]).toEqual([name, status]);
      expect(answer.text).not.toContain('private words');
    }
    expect((await own.call('conversations.info', { conversation_id })).json).toEqual(before);
    expect((await asTest('messages.list', { conversation_id: sandbox.conversation_id })).json.data[0].content.text).toBe('sandbox words');
  });

  it('does not make a stand-in of a real channel, nor of a stand-in a real one', async () => {
    expect((await asTest('channels.chatplugin.connect', { name: 'real' })).status).toBe(409);
    expect((await own.call('channels.chatplugin.connect', { name: 'sandbox' })).status).toBe(409);
    expect((await own.call('channels.chatplugin.connect', { name: 'real' })).json.id).toBe(live.channel_id);
  });
});

describe('files', () => {
  it('of real channels open for real keys', async () => {
    const { token } = (await app.post('chatplugin.authenticate', { channel_id: live.channel_id })).json;
    const part = 'content-disposition: form-data; name="file"; filename="a.txt"\r\ncontent-type: text/plain';
    const uploaded = await app.app.inject({
      method: 'POST',
      url: '/media.upload',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'multipart/form-data; boundary=x' },
      payload: `--x\r\n${part}\r\n\r\nprivate words\r\n--x--\r\n`,
    });
    const { pathname } = new URL(uploaded.json().media_url);
    const statusFor = async (who: string) => (await app.app.inject({ url: pathname, headers: { 'x-api-key': who } })).statusCode;
    expect([await statusFor(own.key), await statusFor(key), await statusFor('ak_live_wrong')]).toEqual([200, 404, 403]);
  });
});

describe('the workspace surface', () => {
  const call = async (method: 'GET' | 'PATCH' | 'DELETE', path: string, payload?: object) =>
    (await app.app.inject({ method, url: `/workspaces/${own.id}${path}`, headers: { 'x-api-key': key }, ...(payload ? { payload } : {}) }))
      .statusCode;

  it('has no contact and no key of the real ones', async () => {
    const contact = `/contacts/${live.contact_id}`;
    expect(await call('GET', contact)).toBe(404);
    expect(await call('PATCH', contact, { displayName: 'taken over' })).toBe(404);
    expect(await call('DELETE', contact)).toBe(404);
    expect(await call('GET', `/channels/${sandbox.channel_id}${contact}`)).toBe(404);
    expect(await call('GET', `/contacts/${sandbox.contact_id}`)).toBe(200);
    const real = (await own.call(`workspaces/${own.id}/api-keys`, { name: 'Real', scopes: ['*'] })).json;
    expect(await call('DELETE', `/api-keys/${real.id}`)).toBe(404);
    expect((await own.call('channels.list', {}, { authorization: real.key })).status).toBe(200);
  });
});

describe('/ws.communication', () => {
  const clients: Client[] = [];
  afterAll(async () => {
    for (const client of clients) await client.deactivate({ force: true });
  });

  it('tells of the sandbox alone', async () => {
    const address = (await app.listen()).replace('http', 'ws');
    const heard: string[] = [];
    const client = new Client({
      webSocketFactory: () => new WebSocket(`${address}/ws.communication`, { headers: { authorization: key } }),
      reconnectDelay: 0,
    });
    clients.push(client);
    const subscribed = new Promise<void>((resolve) => {
      client.onConnect = () => {
        client.watchForReceipt('subscribed', () => resolve());
        client.subscribe('/events', (message) => heard.push(message.body), { receipt: 'subscribed' });
      };
    });
    client.activate();
    await subscribed;
    await say(live.channel_id!, 'more private words');
    await say(sandbox.channel_id!, 'more sandbox words');
    await until(() => heard.some((body) => body.includes('more sandbox words')));
    expect(heard.join('')).not.toContain('private words');
    expect(heard.join('')).not.toContain(live.channel_id);
  });
});
