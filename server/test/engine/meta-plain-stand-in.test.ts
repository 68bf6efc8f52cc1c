/**
 * Others test against stand-ins of Meta that know the documented essentials and nothing else: token exchange, look-up of the
 * page, account or number, subscription, sending. What is merely nice to have must not be needed.
 */
import fastify, { type FastifyInstance } from 'fastify';
import { afterAll, describe, expect, it } from 'vitest';
import { checkHealth } from '../../src/engine/health.ts';
import type { Content } from '../../src/model/content.ts';
import { hookedEngine } from '../support/hooked-engine.ts';

/** How such a stand-in answers what it does not know. */
let unknown: { status: number; body: unknown };
let sent: Record<string, any>[] = [];
/** Such stand-ins may even give every message the same id. */
let idOf = () => `m_${crypto.randomUUID()}`;
const graph = await plain().listen({ port: 0, host: '127.0.0.1' });
const { engine, workspaceId, send, reaches, rows } = await hookedEngine(async () => ({
  META_GRAPH_URL: graph,
  META_APP_ID: '77',
  META_APP_SECRET: 'app-secret',
  META_VERIFY_TOKEN: 'v',
}));

function plain(): FastifyInstance {
  const app = fastify();
  const essential = (method: 'GET' | 'POST', url: string, answer: (body: any) => unknown) =>
    app.route({ method, url, handler: async ({ body }) => answer(body) });
  essential('GET', '/:v/oauth/access_token', () => ({ access_token: 'long' }));
  essential('GET', '/:v/555', () => ({ id: '555', name: 'Shop', access_token: 'page', instagram_business_account: { id: '17841' } }));
  essential('GET', '/:v/106540352242922', () => ({ id: '106540352242922', display_phone_number: '+49 30 123456' }));
  for (const id of ['555', '102290129340398']) essential('POST', `/:v/${id}/subscribed_apps`, () => ({ success: true }));
  essential('POST', '/:v/555/messages', (body) => {
    sent.push(body);
    return { recipient_id: body.recipient.id, message_id: idOf() };
  });
  essential('POST', '/:v/106540352242922/messages', (body) => {
    sent.push(body);
    return { messaging_product: 'whatsapp', messages: [{ id: idOf() }] };
  });
  app.setNotFoundHandler((_request, reply) => reply.status(unknown.status).send(unknown.body));
  afterAll(() => app.close());
  return app;
}

const INPUTS: Record<string, Record<string, unknown>> = {
  facebook: { page_id: '555', page_token: 'user' },
  instagram: { page_id: '555', page_token: 'user' },
  whatsapp: { phone_number_id: '106540352242922', business_account_id: '102290129340398', user_token: 'user' },
};
const graphError = { error: { message: 'Unsupported get request', type: 'GraphMethodException', code: 100 } };

describe.each([
  ['404 with a page', { status: 404, body: '<h1>Not found</h1>' }],
  ['404 in JSON', { status: 404, body: { message: 'Not Found' } }],
  ['400 as Meta does', { status: 400, body: graphError }],
  ['an empty object', { status: 200, body: {} }],
  ['an empty list', { status: 200, body: { data: [] } }],
])('a stand-in that answers %s to what it does not know', (_how, answer) => {
  it.each(Object.keys(INPUTS))('does for %s: it connects, sends, and is not called broken', async (source) => {
    unknown = answer;
    sent = [];
    const channel = await engine.channels.connect({ workspaceId, source, input: INPUTS[source]!, sandbox: false, existing: 'reuse' });
    expect(channel.status).toBe('active');
    expect((await checkHealth(engine, workspaceId, channel.id)).status).toBe('active');

    const identity = source === 'whatsapp' ? { kind: 'phonenumber', value: '+4930111' } : undefined;
    if (!identity) await written(source, source === 'facebook' ? '555' : '17841');
    const [conversation] = await rows('select id from conversations where channel_id = $1', [channel.id]);
    const to = identity ? { channelId: channel.id, identity } : { conversationId: conversation.id };
    const template: Content = { type: 'template', name: 'order_update', language: 'en_US', components: [] };
    const { id } = await send(to, source === 'whatsapp' ? template : 'Hello');
    await reaches(id, 'sent');
    expect(sent).toHaveLength(1);
    await engine.channels.disconnect(workspaceId, channel.id);
  });
});

it('one that gives every message the same id does not keep the second one waiting', async () => {
  unknown = { status: 404, body: '' };
  sent = [];
  idOf = () => 'wamid.TEST';
  const channel = await engine.channels.connect({
    workspaceId,
    source: 'whatsapp',
    input: INPUTS.whatsapp!,
    sandbox: false,
    existing: 'reuse',
  });
  const template: Content = { type: 'template', name: 'order_update', language: 'en_US', components: [] };
  const messages = await Promise.all(
    ['+4930111', '+4930222', '+4930333'].map((value) =>
      send({ channelId: channel.id, identity: { kind: 'phonenumber', value } }, template),
    ),
  );
  const settled = await Promise.all(messages.map(({ id }) => reaches(id, 'sent')));
  expect(settled.filter(({ providerId }) => providerId === 'wamid.TEST')).toHaveLength(1);
  expect(sent).toHaveLength(3);
});

async function written(source: string, account: string): Promise<void> {
  const mid = `m_${crypto.randomUUID()}`;
  const item = { sender: { id: '9' }, recipient: { id: account }, timestamp: Date.now(), message: { mid, text: 'Hi' } };
  const value = { object: source === 'facebook' ? 'page' : 'instagram', entry: [{ id: account, time: Date.now(), messaging: [item] }] };
  const body = Buffer.from(JSON.stringify(value));
  await engine.ingest.submit([{ source, sourceChannelId: account, contentType: 'application/json', body }]);
}
