import { afterAll, afterEach, expect, it } from 'vitest';
import { createTwilioSandbox } from '../../../sandbox/twilio/index.ts';
import { reconcile } from '../../src/engine/reconciling.ts';
import { hookedEngine } from '../support/hooked-engine.ts';
import { until } from '../support/until.ts';

const ACCOUNT = `AC${'a'.repeat(32)}`;
const twilio = createTwilioSandbox({
  accountSid: ACCOUNT,
  authToken: 'secret',
  numbers: ['+491234567', '+491234568'],
  senders: ['+491234567'],
});
const api = await twilio.app.listen({ port: 0, host: '127.0.0.1' });
afterAll(() => twilio.app.close());
const { engine, workspaceId, rows, send, message, reaches, conversationOn } = await hookedEngine(async () => ({
  TWILIO_API_URL: api,
  TWILIO_ACCOUNT_SID: ACCOUNT,
  TWILIO_AUTH_TOKEN: 'secret',
}));
const connect = (source: string, phone_number: string) =>
  engine.channels.connect({ workspaceId, source, input: { phone_number }, sandbox: false, existing: 'reuse' });
const sms = await connect('twilio.sms', '+491234567');
const whatsapp = await connect('twilio.whatsapp', '+491234567');
const CUSTOMER = '+15557770001';
const sentTimes = (text: string) => twilio.account.messages.filter(({ body }) => body === text).length;
const to = (channelId: string, value = CUSTOMER) => ({ channelId, identity: { kind: 'phonenumber', value } });

afterEach(async () => {
  twilio.faults.clear();
  await twilio.settled();
});

it('an MMS and a WhatsApp message come in, and their files are fetched', async () => {
  const png = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64');
  const media = [{ type: 'image/png', data: png }];
  const mms = await twilio.customer.writes({ from: CUSTOMER, to: '+491234567', body: 'Hallo', media, mediaBase: api });
  const chat = await twilio.customer.writes({
    from: 'whatsapp:+15557770002',
    to: 'whatsapp:+491234567',
    body: 'Hallo WA',
    profileName: 'Ada',
  });
  expect([mms.delivery?.attempts, chat.delivery?.attempts]).toEqual([[200], [200]]);
  const [stored] = await rows(`select content from messages where channel_id = $1`, [sms.id]);
  await until(async () => (await engine.media.open(workspaceId, stored.content.media.id))?.data.equals(png));
  const [contact] = await rows(
    `select display_name as name from contacts k join conversations c on c.contact_id = k.id where c.channel_id = $1`,
    [whatsapp.id],
  );
  expect(contact.name).toBe('Ada');
});

it('an answer is sent and its receipts arrive', async () => {
  const { id } = await send(await conversationOn(sms), 'Antwort');
  expect((await reaches(id, 'delivered')).metadata).toMatchObject({ num_segments: '1' });
});

it('a lost answer is settled by the status callback, and nothing is sent twice', async () => {
  twilio.faults.add({ kind: 'lost', match: ({ method }) => method === 'POST' });
  const { id } = await send(await conversationOn(sms), 'Lost answer');
  await reaches(id, 'delivered');
  expect(sentTimes('Lost answer')).toBe(1);
});

it('a call that broke is not taken for an earlier message with the same words', async () => {
  const conversation = await conversationOn(sms);
  await reaches((await send(conversation, 'Same again')).id, 'delivered');
  twilio.faults.add({ kind: 'down', match: ({ method }) => method === 'POST' });
  const { id } = await send(conversation, 'Same again');
  await until(async () => (await message(id)).state !== 'pending' || sentTimes('Same again') === 2);
  const { state, providerId } = await message(id);
  if (state === 'unknown') expect(providerId).toBeNull();
  await rows(`update unsettled set called_at = now() - interval '1 minute', run_at = now() where message_id = $1`, [id]);
  await reaches(id, 'delivered');
  expect(sentTimes('Same again')).toBe(2);
});

it.each([
  ['is down', { kind: 'answer', status: 503, body: { code: 20503, message: 'Service unavailable', status: 503 } }],
  ['asks to go slower', { kind: 'answer', status: 429, body: { code: 20429, message: 'Too many requests', status: 429 } }],
] as const)('Twilio %s: the message is tried again, and sent once', async (what, fault) => {
  twilio.faults.add({ ...fault, match: ({ method }) => method === 'POST' });
  const { id } = await send(await conversationOn(sms), `Twilio ${what}`);
  await reaches(id, 'delivered');
  expect(sentTimes(`Twilio ${what}`)).toBe(1);
});

it('a refused account stops the channel; messages go on when it lets us in again', async () => {
  const refusal = { code: 20003, message: 'Authenticate', status: 401 };
  twilio.faults.add({ kind: 'answer', status: 401, body: refusal, match: ({ method }) => method === 'POST' });
  const { id } = await send(await conversationOn(sms), 'Waits');
  await until(async () => (await engine.channels.get(workspaceId, sms.id)).status === 'failed');
  expect((await message(id)).state).toBe('pending');
  await rows(`update channels set paused_until = now() where id = $1`, [sms.id]);
  engine.outbox.wake();
  await reaches(id, 'delivered');
  await until(async () => (await engine.channels.get(workspaceId, sms.id)).status === 'active');
});

it('who answered STOP is not written to by anybody', async () => {
  const conversation = await conversationOn(sms);
  await twilio.customer.writes({ from: CUSTOMER, to: '+491234567', body: 'STOP' });
  await expect(send(conversation, 'Still there?')).rejects.toMatchObject({ code: 'opted-out' });
  await expect(send(to(sms.id), 'Still there?')).rejects.toMatchObject({ code: 'opted-out' });
  await twilio.customer.writes({ from: CUSTOMER, to: '+491234567', body: 'START' });
  await reaches((await send(conversation, 'Welcome back')).id, 'delivered');
});

it('what a lost webhook would have told is found in Twilio’s list', async () => {
  const since = new Date();
  twilio.account.numbers[0]!.sms_url = '';
  await twilio.customer.writes({ from: CUSTOMER, to: '+491234567', body: 'Nobody was told of this' });
  await reconcile(engine, workspaceId, sms.id, since);
  await reconcile(engine, workspaceId, sms.id, since);
  expect(await rows(`select 1 from messages where content ->> 'text' = 'Nobody was told of this'`)).toHaveLength(1);
});

it('content that SMS cannot carry is refused, or made simpler, as the caller chooses', async () => {
  const content = {
    type: 'choices' as const,
    text: 'Which one?',
    choices: [
      { id: 'a', title: 'Red' },
      { id: 'b', title: 'Blue' },
    ],
  };
  const request = { workspaceId, to: await conversationOn(sms), content, sender: { id: 'test', name: null } };
  expect((await engine.sender.preview(request)).problems[0]).toMatchObject({ code: 'not-supported' });
  const preview = await engine.sender.preview({ ...request, degrade: 'degrade' });
  expect(preview).toMatchObject({
    problems: [],
    content: { type: 'text', text: 'Which one?\n1. Red\n2. Blue' },
    estimate: { parts: 1, encoding: 'GSM-7' },
  });
  const { id } = await engine.sender.send({ ...request, degrade: 'degrade' });
  const sent = await reaches(id, 'delivered');
  expect(sent.content).toEqual(preview.content);
  expect(sent.metadata.degraded).toEqual(preview.changes);
});

it('a message for later holds up nobody', async () => {
  const conversation = await conversationOn(sms);
  const later = await send(conversation, 'Tomorrow', { sendAt: new Date(Date.now() + 86_400_000) });
  expect(later.state).toBe('scheduled');
  await reaches((await send(conversation, 'Today')).id, 'delivered');
  expect((await message(later.id)).state).toBe('scheduled');
});

it('a message takes the next way when one fails, under the same id', async () => {
  const nobody = '+15557770009';
  await twilio.customer.writes({ from: `whatsapp:${nobody}`, to: 'whatsapp:+491234567', body: 'Book me a table' });
  // For Twilio the window has closed, whatever we think.
  twilio.account.lastInbound.clear();
  const { id } = await send(to(whatsapp.id, nobody), 'Your table is ready', { fallback: [{ to: to(sms.id, nobody) }] });
  const delivered = await reaches(id, 'delivered');
  expect(delivered).toMatchObject({ channelId: sms.id, source: 'twilio.sms' });
  expect(delivered.metadata.attempts).toMatchObject([{ channelId: whatsapp.id, state: 'failed', error: { providerCode: '63016' } }]);
});

it('a message takes the next way when it is not delivered in time', async () => {
  const second = await connect('twilio.sms', '+491234568');
  twilio.faults.add({
    kind: 'answer',
    status: 503,
    body: {},
    match: ({ path, method }) => method === 'POST' && path.endsWith('/Messages.json'),
  });
  const { id } = await send(to(sms.id), 'In time?', { timeoutSeconds: 0, fallback: [{ to: to(second.id) }] });
  const delivered = await reaches(id, 'delivered');
  expect(delivered.channelId).toBe(second.id);
  expect(delivered.metadata.attempts).toMatchObject([{ channelId: sms.id, state: 'pending' }]);
  expect(sentTimes('In time?')).toBe(1);
});
