import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import fastify from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ChannelView, OutboundMessage } from '../../server/src/connectors/connector.ts';
import { custom, customSource, hookUrl } from '../../server/src/connectors/custom/index.ts';
import type { InboundEvent } from '../../server/src/connectors/events.ts';
import { uuidv7 } from '../../server/src/model/ids.ts';
import { testApp } from '../../server/test/support/app.ts';
import { channelOf, configOf, contextOf, hookRequest } from '../../server/test/support/connector-context-twilio.ts';
import { freePort, until } from '../../server/test/support/until.ts';

const hook = custom.hooks![0]!;
const receiver = fastify();
const seen: InboundEvent[] = [];
let channel: ChannelView;
let guestbook: ChildProcess;
let address: string;

beforeAll(async () => {
  receiver.removeAllContentTypeParsers();
  receiver.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  receiver.post('/hooks/custom/*', async (request, reply) => {
    const hooked = hookRequest(`http://patchbay${request.url}`, request.body as Buffer, request.headers as Record<string, string>);
    if (hook.verify(hooked, { config: configOf({}), channels: [channel] }) !== 'ok') return reply.code(403).send();
    for (const piece of hook.unpack(hooked)) seen.push(...customSource.parse(piece));
    return reply.send();
  });
  const publicUrl = await receiver.listen({ port: 0, host: '127.0.0.1' });
  channel = channelOf({
    ...(await customSource.connect({ source_id: 'guestbook', source_channel_id: 'front desk' }, contextOf({}))),
    details: {},
  } as ChannelView);
  guestbook = spawn(process.execPath, ['docs/examples/custom-source/guestbook.mjs'], {
    env: {
      ...process.env,
      PORT: '0',
      SECRET: String(channel.credentials.secret),
      INBOUND_URL: hookUrl({ ...configOf({}), publicUrl }, channel.sourceChannelId),
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(guestbook.stdout!, 'data')) as [Buffer];
  address = /http:\S+/.exec(line.toString())![0];
  channel.settings.action_endpoint = `${address}/action`;
});
afterAll(async () => {
  guestbook.kill();
  await receiver.close();
});

async function post(path: string, body: unknown): Promise<Response> {
  return await fetch(address + path, { method: 'POST', body: JSON.stringify(body) });
}

describe('the guestbook of the guide', () => {
  it('tells what visitors write', async () => {
    expect((await post('/say', { name: 'ada', text: 'Lovely place!' })).status).toBe(200);
    expect(seen).toMatchObject([
      {
        kind: 'message',
        direction: 'in',
        content: { type: 'text', text: 'Lovely place!' },
        contact: { name: 'ada', identities: [{ kind: 'custom', value: 'ada' }] },
      },
    ]);
  });

  it('takes each message once, and says why it does not take another', async () => {
    const message: OutboundMessage = { id: uuidv7(), to: [{ kind: 'custom', value: 'ada' }], content: { type: 'text', text: 'Thank you' } };
    const context = contextOf({});
    expect(await customSource.send!(message, channel, context)).toMatchObject({ providerId: 'page-1' });
    expect(await customSource.send!(message, channel, context)).toMatchObject({ providerId: 'page-1' });
    expect(await (await fetch(`${address}/book/ada`)).json()).toEqual([
      { who: 'ada', text: 'Lovely place!' },
      { who: 'us', text: 'Thank you' },
    ]);
    const place: OutboundMessage = { ...message, id: uuidv7(), content: { type: 'location', latitude: 1, longitude: 2 } };
    await expect(customSource.send!(place, channel, context)).rejects.toMatchObject({
      class: 'rejected',
      message: 'A guestbook takes text only',
    });
  });

  it('refuses what is not signed', async () => {
    expect((await post('/action', { payload: {} })).status).toBe(401);
  });
});

describe('the whole way, as the page tells it', () => {
  it('a visitor’s word reaches the inbox, the agent’s answer the book', async () => {
    const port = await freePort();
    const patchbay = await testApp({ ALLOW_PRIVATE_NETWORK: '1', PUBLIC_URL: `http://127.0.0.1:${port}` });
    await patchbay.app.listen({ port, host: '127.0.0.1' });
    const { id: workspace, key } = await patchbay.workspace();
    const call = async (method: string, path: string, body?: unknown): Promise<any> => {
      const response = await fetch(`http://127.0.0.1:${port}/workspaces/${workspace}${path}`, {
        method,
        headers: { 'x-api-key': key, ...(body ? { 'content-type': 'application/json' } : {}) },
        ...(body ? { body: JSON.stringify(body) } : {}),
      });
      expect(response.status, `${method} ${path}`).toBeLessThan(300);
      return response.json();
    };
    const bookPort = await freePort();
    const connected = await call('POST', '/channels', {
      source: 'custom',
      name: 'Guestbook',
      input: { action_endpoint: `http://127.0.0.1:${bookPort}/action` },
    });
    const setup: { label: string; value: string }[] = (await call('GET', `/channels/${connected.id}/setup`)).results;
    const shown = (label: string) => setup.find((line) => line.label === label)!.value;
    const book = spawn(process.execPath, ['docs/examples/custom-source/guestbook.mjs'], {
      env: { ...process.env, PORT: String(bookPort), INBOUND_URL: shown('Inbound address'), SECRET: shown('Secret') },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      await once(book.stdout!, 'data');
      const page = `http://127.0.0.1:${bookPort}`;
      const told = await fetch(`${page}/say`, { method: 'POST', body: JSON.stringify({ name: 'ada', text: 'Lovely place!' }) });
      expect(await told.json()).toEqual({ patchbay: 200 });
      const [conversation] = (await call('GET', '/conversations')).results;
      expect(conversation).toMatchObject({
        contact: { computedDisplayName: 'ada' },
        lastMessage: { body: { text: { text: 'Lovely place!' } } },
      });
      await call('POST', `/conversations/${conversation.id}/messages`, { body: { type: 'text', text: { text: 'Come again' } } });
      await until(async () => JSON.stringify(await (await fetch(`${page}/book/ada`)).json()).includes('Come again'));
    } finally {
      book.kill();
    }
  });
});
