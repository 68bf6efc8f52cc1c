/** R1 for Twilio, RCS, Business Messages and brought sources: killed at any moment, nothing is lost and nothing is there twice, in and out. */
import { createHmac, randomUUID } from 'node:crypto';
import fastify from 'fastify';
import { afterAll, expect, it } from 'vitest';
import { createGoogleSandbox } from '../../../sandbox/google/index.ts';
import { createTwilioSandbox } from '../../../sandbox/twilio/index.ts';
import { testDatabase } from '../support/database.ts';
import { killUnderLoad, repeatedly } from '../support/kill.ts';
import { type RunningPatchbay, startPatchbay } from '../support/patchbay.ts';
import { freePort, until } from '../support/until.ts';

const KEY = 'ak_live_sourcesourcesourcesourcesourcesourcesour';
const WORKSPACE = '018f0000-0000-7000-8000-0000000000ab';
const ACCOUNT = `AC${'a'.repeat(32)}`;
const NUMBER = '+15551230001';
const AGENT = 'shop_agent';
const TOKEN = 'agent-client-token';
const PARTNER_KEY = 'partner-key';
const PEOPLE = 4;
const ROUNDS = 4;
const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/;

const closers: (() => Promise<unknown>)[] = [];
afterAll(() => Promise.all(closers.map((close) => close())));

async function post(patchbay: RunningPatchbay, path: string, body: object, headers: Record<string, string> = {}): Promise<any> {
  const response = await fetch(`${patchbay.url}/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-api-key': KEY, ...headers },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${path} answered ${response.status}: ${text}`);
  return text ? JSON.parse(text) : undefined;
}

it('keeps what was acknowledged once, and hands over every message once', async () => {
  const { database, url } = await testDatabase();
  const port = String(await freePort());
  const publicUrl = `http://127.0.0.1:${port}`;
  const twilio = createTwilioSandbox({ accountSid: ACCOUNT, authToken: 'secret', numbers: [NUMBER] });
  const google = createGoogleSandbox({
    webhookUrl: `${publicUrl}/hooks/google`,
    partnerKey: PARTNER_KEY,
    agents: { [AGENT]: { clientToken: TOKEN } },
  });
  /** Somebody's own program: takes each id once, as the guide asks. */
  const program = fastify();
  const taken = new Map<string, string>();
  program.post('/action', async (request) => {
    const { message } = (request.body as any).payload;
    const known = taken.get(message.id);
    if (known !== undefined && known !== message.content.text) throw new Error('another message under the same id');
    taken.set(message.id, message.content.text);
    return { source_message_id: `page-${message.id}` };
  });
  closers.push(
    () => twilio.app.close(),
    () => google.app.close(),
    () => program.close(),
  );
  const listen = { port: 0, host: '127.0.0.1' };
  const googleUrl = await google.app.listen(listen);
  const env = {
    PORT: port,
    DATABASE_URL: url,
    PATCHBAY_API_KEY: KEY,
    PATCHBAY_WORKSPACE_ID: WORKSPACE,
    PATCHBAY_SECRET: Buffer.alloc(32, 5).toString('base64'),
    PUBLIC_URL: publicUrl,
    TWILIO_API_URL: await twilio.app.listen(listen),
    TWILIO_ACCOUNT_SID: ACCOUNT,
    TWILIO_AUTH_TOKEN: 'secret',
    GOOGLE_RCS_URL: googleUrl,
    GOOGLE_BUSINESS_MESSAGES_URL: googleUrl,
    GOOGLE_SERVICE_ACCOUNT: google.serviceAccount(googleUrl),
    GOOGLE_PARTNER_KEY: PARTNER_KEY,
    ALLOW_PRIVATE_NETWORK: '1',
    LOG_LEVEL: 'error',
  };
  const first = await startPatchbay(env);
  const sms = await post(first, 'channels.twilio.sms.connect', { phone_number: NUMBER, name: 'SMS' });
  await post(first, 'channels.google.connect', { gbm_id: 'gbm-1', name: 'Maps' });
  const rcs = await post(first, `workspaces/${WORKSPACE}/channels`, {
    source: 'rcs',
    name: 'RCS',
    input: { agent_id: AGENT, client_token: TOKEN },
  });
  const { token } = await post(first, 'sources.create', {
    source_id: 'guestbook',
    action_endpoint: `${await program.listen(listen)}/action`,
  });
  const asSource = { authorization: `Bearer ${token}`, 'x-api-key': token };
  const book = await post(first, 'sources.channels.create', { name: 'Book', source_channel_id: 'book' }, asSource);

  const said = new Set<string>();
  const phone = (person: number) => `+1555777000${person}`;
  /** Each of the doors; what was not answered is told again, and what was, once more. */
  const doors: ((patchbay: RunningPatchbay, person: number, text: string) => Promise<boolean>)[] = [
    async (_, person, text) => {
      const { delivery } = await twilio.customer.writes({ from: phone(person), to: NUMBER, body: text });
      return delivery?.attempts.at(-1) === 200;
    },
    async (_, person, text) => {
      const event = { senderPhoneNumber: phone(person), messageId: text, text };
      const answers = [await google.rcs(AGENT, event), await google.rcs(AGENT, event)];
      return answers.includes(200);
    },
    async (_, person, text) => {
      const event = { agent: 'brands/b/agents/gbm-1', conversationId: `person-${person}`, message: { messageId: text, text } };
      const answers = [await google.businessMessages(event), await google.businessMessages(event)];
      return answers.includes(200);
    },
    async (patchbay, person, text) => {
      const message = {
        source_message_id: text,
        source_conversation_id: `visitor-${person}`,
        source_channel_id: 'book',
        content: { text },
      };
      for (let time = 0; time < 2; time += 1) await post(patchbay, 'sources.webhook', { messages: [message] }, asSource);
      return true;
    },
  ];
  const ring = async (patchbay: RunningPatchbay, door: (typeof doors)[number], person: number) => {
    const text = randomUUID();
    if (await door(patchbay, person, text)) said.add(text);
  };

  const acknowledged = new Map<string, string>();
  const open = new Map<string, { text: string; key: string }>();
  const channels = [sms.id, rcs.id, book.id];
  const ask = async (patchbay: RunningPatchbay, channel: string, person: number) => {
    const request = open.get(`${channel} ${person}`) ?? { text: randomUUID(), key: randomUUID() };
    open.set(`${channel} ${person}`, request);
    const body = {
      channel_id: channel,
      source_recipient_id: channel === book.id ? `visitor-${person}` : phone(person),
      message: channel === sms.id ? { Body: request.text } : { text: request.text },
    };
    const { id } = await post(patchbay, 'messages.send', body, { 'idempotency-key': request.key });
    acknowledged.set(request.text, id);
    open.delete(`${channel} ${person}`);
  };
  const people = Array.from({ length: PEOPLE }, (_, person) => person);
  const patchbay = await killUnderLoad(first, env, {
    rounds: ROUNDS,
    progress: () => Math.min(said.size, acknowledged.size * 2),
    work: people.flatMap((person) => [
      ...doors.map((door) => (running: RunningPatchbay, gone: () => boolean) => repeatedly(gone, () => ring(running, door, person))),
      ...channels.map(
        (channel) => (running: RunningPatchbay, gone: () => boolean) => repeatedly(gone, () => ask(running, channel, person)),
      ),
    ]),
    afterKill: () =>
      database.query(
        `with l as (update outbox set leased_until = now() where leased_until is not null)
         update idempotency_keys set created_at = created_at - interval '10 minutes' where status is null`,
      ),
  });

  for (const channel of channels) for (const person of people) if (open.has(`${channel} ${person}`)) await ask(patchbay, channel, person);
  await until(async () => (await database.query('select 1 from outbox')).rows.length === 0, { timeoutMs: 60_000, what: 'an empty line' });

  await twilio.settled();

  const { rows } = await database.query<{ direction: string; source: string; state: string; id: string; content: string }>(
    'select direction, source, state, id, content::text from messages',
  );
  const textOf = (content: string) => UUID.exec(content)![0];
  const shown = rows.filter(({ direction }) => direction === 'in').map(({ content }) => textOf(content));
  expect(said.size).toBeGreaterThan(60);
  expect(new Set(shown).size, 'shown twice').toBe(shown.length);
  const there = new Set(shown);
  expect([...said].filter((text) => !there.has(text))).toEqual([]);

  const out = rows.filter(({ direction }) => direction === 'out');
  const atProviders = [
    ...twilio.account.messages.filter(({ direction }) => direction === 'outbound-api').map(({ body }) => body),
    ...google.messages.map(({ body }) => body.contentMessage.text as string),
    ...taken.values(),
  ];
  expect(acknowledged.size).toBeGreaterThan(30);
  expect(new Set(atProviders).size, 'handed over twice').toBe(atProviders.length);
  expect(new Set(out.map(({ content }) => textOf(content))).size, 'stored twice').toBe(out.length);
  const stored = new Map(out.map((row) => [textOf(row.content), row]));
  expect([...acknowledged].filter(([text, id]) => stored.get(text)?.id !== id)).toEqual([]);
  const delivered = new Set(atProviders);
  const wrong = out.filter(({ source, state, content }) => {
    // Only Twilio takes no id of ours, so only there may nobody know.
    if (state === 'unknown') return source !== 'twilio.sms';
    return !['sent', 'delivered', 'read'].includes(state) || !delivered.has(textOf(content));
  });
  expect(wrong).toEqual([]);
  // A signature that nobody could have made opens no door.
  const forged = await fetch(`${patchbay.url}/hooks/google`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-goog-signature': createHmac('sha512', 'guess').update('{}').digest('base64') },
    body: '{}',
  });
  expect(forged.status).toBe(403);
}, 300_000);
