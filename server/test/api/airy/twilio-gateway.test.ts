/** Gateways and stand-ins that serve a part of Twilio's API only: what is merely nice to have must not stop anything. */
import fastify from 'fastify';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { checkHealth } from '../../../src/engine/health.ts';
import { type TestWorkspace, testApp } from '../../support/app.ts';
import { freePort, until } from '../../support/until.ts';

const SID = `AC${'b'.repeat(32)}`;
const MESSAGES = `/2010-04-01/Accounts/${SID}/Messages.json`;
type Reply = { status: number; body?: unknown };

/** Takes messages as Twilio does; everything else is answered by `rest`, which each test sets. */
const sent: URLSearchParams[] = [];
let rest: (path: string, method: string) => Reply;
const gateway = fastify();
gateway.removeAllContentTypeParsers();
gateway.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));
gateway.all('/*', async (request, reply) => {
  const path = request.url.split('?')[0]!;
  if (path === MESSAGES && request.method === 'POST') {
    sent.push(new URLSearchParams(request.body as string));
    return reply.code(201).send({ sid: `SM${String(sent.length).padStart(32, '0')}`, status: 'queued' });
  }
  const { status, body } = rest(path, request.method);
  return reply.code(status).send(body ?? '');
});
afterAll(() => gateway.close());

const settings = (url: string) => ({
  TWILIO_API_URL: url,
  TWILIO_ACCOUNT_SID: SID,
  TWILIO_AUTH_TOKEN: 'token',
  ALLOW_PRIVATE_NETWORK: '1',
});

const app = await testApp(settings(await gateway.listen({ port: 0, host: '127.0.0.1' })));
let own: TestWorkspace;
beforeEach(async () => {
  sent.length = 0;
  own = await app.workspace();
});

const numbers = (...list: string[]) => ({
  incoming_phone_numbers: list.map((phone_number, n) => ({ sid: `PN${String(n).padStart(32, '0')}`, phone_number })),
});

describe.each<[string, (path: string, method: string) => Reply]>([
  ['answers 404 to everything else', () => ({ status: 404 })],
  ['answers 400 to everything else', () => ({ status: 400, body: { message: 'no' } })],
  ['answers 200 without anything', () => ({ status: 200, body: {} })],
  ['lists nothing', (path) => ({ status: 200, body: path.includes('Senders') ? { senders: [], meta: {} } : numbers() })],
  [
    'lists the number and lets nobody change it',
    (path, method) =>
      method !== 'GET'
        ? { status: 400, body: { code: 21402, message: 'Invalid Url' } }
        : { status: 200, body: path.includes('Senders') ? { senders: [] } : numbers('+491234567') },
  ],
])('a gateway that %s', (_what, answers) => {
  it('connects, sends and disconnects as the document says', async () => {
    rest = answers;
    for (const [source, id] of [
      ['twilio.sms', '+491234567'],
      ['twilio.whatsapp', 'whatsapp:+491234567'],
    ] as const) {
      const answer = await own.call(`channels.${source}.connect`, { phone_number: '+491234567', name: 'Receipts' });
      expect([answer.status, answer.json]).toEqual([
        200,
        { id: expect.any(String), source, source_channel_id: id, metadata: { name: 'Receipts' }, connected: true },
      ]);
      if (source === 'twilio.sms') {
        const message = await own.call('messages.send', {
          source_recipient_id: '+4915112345678',
          channel_id: answer.json.id,
          message: { Body: 'hi' },
        });
        expect(message.status).toBe(200);
        await until(() => sent.length === 1);
        expect(Object.fromEntries(sent[0]!)).toMatchObject({ From: '+491234567', To: '+4915112345678', Body: 'hi' });
      }
      const health = await checkHealth(app.engine, own.id, answer.json.id);
      expect(health.status).not.toBe('failed');
      expect((await own.call(`channels.${source}.disconnect`, { channel_id: answer.json.id })).status).toBe(202);
    }
  });
});

describe('an account', () => {
  it('that has other numbers does not get one that is not its own', async () => {
    rest = () => ({ status: 200, body: numbers('+491111111') });
    const answer = await own.call('channels.twilio.sms.connect', { phone_number: '+491234567', name: 'x' });
    expect([answer.status, answer.json.message]).toEqual([400, expect.stringContaining('no number +491234567')]);
    expect((await own.call('channels.list')).json.data).toEqual([]);
  });

  it.each([
    ['everywhere', () => ({ status: 401, body: { code: 20003, message: 'Authenticate' } })],
    [
      'at the account only',
      (path: string) => (path.endsWith(`${SID}.json`) ? { status: 401, body: { code: 20003, message: 'Authenticate' } } : { status: 404 }),
    ],
  ])('whose token is refused %s is told so in Twilio’s words', async (_where, answers) => {
    rest = answers;
    for (const source of ['twilio.sms', 'twilio.whatsapp']) {
      const answer = await own.call(`channels.${source}.connect`, { phone_number: '+491234567', name: 'x' });
      expect([answer.status, answer.json]).toEqual([400, { message: 'Authenticate' }]);
    }
    expect((await own.call('channels.list')).json.data).toEqual([]);
  });

  it('that is suspended is refused', async () => {
    rest = (path) => (path.endsWith(`${SID}.json`) ? { status: 200, body: { status: 'suspended' } } : { status: 404 });
    const answer = await own.call('channels.twilio.sms.connect', { phone_number: '+491234567', name: 'x' });
    expect([answer.status, answer.json.message]).toEqual([400, expect.stringContaining('suspended')]);
  });

  it('at an address where nobody answers: 503, and nothing is stored', async () => {
    const lonely = await (await testApp(settings(`http://127.0.0.1:${await freePort()}`))).workspace();
    for (const source of ['twilio.sms', 'twilio.whatsapp']) {
      expect((await lonely.call(`channels.${source}.connect`, { phone_number: '+491234567', name: 'x' })).status).toBe(503);
    }
    expect((await lonely.call('channels.list')).json.data).toEqual([]);
  });
});
