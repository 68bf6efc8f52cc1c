/** What a sender may ask for besides sending: other channels, a time limit, a later time, taking back, and who wants nothing. */
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../support/until.ts';
import { type Client, startWorld, type World } from './world.ts';

let world: World;
let client: Client;
let sms: string;
let rcs: string;
let people = 0;
beforeAll(async () => {
  world = await startWorld();
});
beforeEach(async () => {
  people += 1;
  world.google.faults.clear();
  world.twilio.faults.clear();
  client = await world.client();
  sms = (await client.airy('channels.twilio.sms.connect', { phone_number: '+4915123450001', name: 'SMS' })).json.id;
  const agent = await client.workspace('POST', '/channels', { source: 'rcs', name: 'RCS', input: { agent_id: `agent_${people}` } });
  rcs = agent.json.id;
});

const phone = () => `+4915300${String(people).padStart(6, '0')}`;
const to = (value = phone()) => ({ contacts: [{ identifierKey: 'phonenumber', identifierValue: value }] });
const say = (text: string) => ({ body: { type: 'text', text: { text } } });
const send = (channel: string, body: object) => client.workspace('POST', `/channels/${channel}/messages`, { receiver: to(), ...body });
const sentBySms = (text: string) =>
  world.twilio.account.messages.filter(({ body, direction }) => direction === 'outbound-api' && body === text);

/** The message once it satisfies; a message that went another way belongs to that channel. */
const message = (id: string, satisfies: (message: any) => boolean) =>
  until(async () => {
    for (const channel of [sms, rcs]) {
      const { status, json } = await client.workspace('GET', `/channels/${channel}/messages/${id}`);
      if (status === 200 && satisfies(json)) return json;
    }
    return undefined;
  });

describe('a list of channels', () => {
  it('goes by SMS where the phone has no RCS, under the same id, and shows both attempts', async () => {
    const error = { error: { code: 404, status: 'NOT_FOUND', message: 'Requested entity was not found.' } };
    world.google.faults.add({ kind: 'answer', status: 404, body: error, match: ({ path }) => path.endsWith('/agentMessages') });
    const sent = await send(rcs, { ...say('Your order is here'), fallback: [{ channelId: sms }] });
    expect(sent.status).toBe(202);
    const shown = await message(sent.json.id, ({ status, channelId }) => channelId === sms && status === 'delivered');
    expect(shown.attempts).toEqual([
      {
        channelId: rcs,
        source: 'rcs',
        state: 'failed',
        at: expect.any(String),
        error: { class: 'recipient-unreachable', message: 'Requested entity was not found.', providerCode: 'NOT_FOUND' },
      },
    ]);
    expect(sentBySms('Your order is here')).toHaveLength(1);
  });

  it('takes the RCS message back when it is not delivered in time, and sends it by SMS once', async () => {
    const sent = await send(rcs, { ...say('In a second'), timeoutSeconds: 1, fallback: [{ channelId: sms, timeoutSeconds: 60 }] });
    const shown = await message(sent.json.id, ({ status, channelId }) => channelId === sms && status === 'delivered');
    expect(shown.attempts).toMatchObject([{ channelId: rcs, state: 'sent', revoked: true, platformReference: sent.json.id }]);
    expect(world.google.messages.filter(({ messageId }) => messageId === sent.json.id)).toEqual([]);
    expect(sentBySms('In a second')).toHaveLength(1);
  });

  it('passes over a way that refuses it, and says why', async () => {
    await client.airy('channels.twilio.sms.disconnect', { channel_id: sms });
    const error = { error: { code: 404, status: 'NOT_FOUND', message: 'x' } };
    world.google.faults.add({ kind: 'answer', status: 404, body: error, match: ({ path }) => path.endsWith('/agentMessages') });
    const sent = await send(rcs, { ...say('Nobody home'), fallback: [{ channelId: sms }] });
    const shown = await message(sent.json.id, ({ status }) => status === 'sending_failed');
    expect(shown).toMatchObject({ channelId: rcs, error: { class: 'recipient-unreachable' } });
  });

  it('is shown by the dry run, one by one', async () => {
    const body = {
      type: 'text',
      text: {
        text: 'Which one?',
        actions: [
          { type: 'reply', reply: { text: 'Red' } },
          { type: 'reply', reply: { text: 'Blue' } },
        ],
      },
    };
    const { status, json } = await client.workspace('POST', `/channels/${rcs}/messages/preview`, {
      receiver: to(),
      body,
      degrade: 'degrade',
      fallback: [{ channelId: sms }],
    });
    expect(status).toBe(200);
    expect(json).toMatchObject({
      channelId: rcs,
      sendable: true,
      content: { type: 'choices' },
      changes: [],
      fallback: [
        {
          channelId: sms,
          sendable: true,
          content: { type: 'text', text: 'Which one?\n1. Red\n2. Blue' },
          changes: [expect.stringContaining('sent as text')],
          estimate: { parts: 1, encoding: 'GSM-7' },
        },
      ],
    });
    expect((await client.workspace('GET', '/contacts')).json.results).toEqual([]);
  });

  it('names what is wrong with it', async () => {
    const alone = await send(sms, { ...say('x'), timeoutSeconds: 5 });
    expect([alone.status, Object.keys(alone.json.details)]).toEqual([422, ['timeoutSeconds']]);
    const unknown = await send(sms, { ...say('x'), fallback: [{ channelId: '123e4567-e89b-12d3-a456-426614174000' }] });
    expect(unknown.status).toBe(404);
    const nobody = await send(sms, { ...say('x'), fallback: [{ channelId: rcs, receiver: { identifierKey: 'phonenumber' } }] });
    expect([nobody.status, Object.keys(nobody.json.details)]).toEqual([422, ['fallback.0.receiver.identifierValue']]);
  });
});

describe('a limited time', () => {
  it('is told to Twilio and to Google', async () => {
    const bySms = await send(sms, { ...say('Code 1234'), validity: 300 });
    await message(bySms.json.id, ({ status }) => status === 'delivered');
    const form = world.twilioCalls.findLast(({ method, url }) => method === 'POST' && url.endsWith('/Messages.json'))!;
    expect(Number(new URLSearchParams(form.body as string).get('ValidityPeriod'))).toBeGreaterThan(200);
    const byRcs = await send(rcs, { ...say('Code 1234'), validity: 300 });
    await message(byRcs.json.id, ({ status }) => status === 'sent');
    expect(world.google.messages.find(({ messageId }) => messageId === byRcs.json.id)!.body.ttl).toMatch(/^2\d\ds$|^300s$/);
  });

  it('ends a message that could not be handed over by then', async () => {
    world.twilio.faults.add({
      kind: 'answer',
      status: 503,
      body: '',
      times: 100,
      match: ({ path, method }) => method === 'POST' && path.endsWith('/Messages.json'),
    });
    const { json } = await send(sms, { ...say('Too late'), validity: 1 });
    expect((await message(json.id, ({ status }) => status === 'sending_failed')).error).toMatchObject({ class: 'expired' });
    expect(sentBySms('Too late')).toEqual([]);
  });
});

describe('a message for later', () => {
  const tomorrow = () => new Date(Date.now() + 86_400_000).toISOString();

  it('that waits with us is taken back', async () => {
    const sent = await send(sms, { ...say('Tomorrow'), scheduledFor: tomorrow(), fallback: [{ channelId: rcs }] });
    expect(sent.json.status).toBe('scheduled');
    const canceled = await client.workspace('POST', `/messages/${sent.json.id}/cancel`);
    expect([canceled.status, canceled.json]).toMatchObject([200, { status: 'sending_failed', error: { class: 'canceled' } }]);
    const again = await client.workspace('POST', `/messages/${sent.json.id}/cancel`);
    expect([again.status, again.json]).toMatchObject([409, { message: expect.stringContaining('failed already') }]);
    expect(await world.test.engine.database.query('select 1 from fallbacks')).toMatchObject({ rows: [] });
  });

  it('that Twilio keeps stays scheduled, and is taken back there', async () => {
    const service = { phone_number: '+4915123450002', messaging_service_sid: `MG${'c'.repeat(32)}` };
    const { json: channel } = await client.workspace('POST', '/channels', { source: 'twilio.sms', name: 'Service', input: service });
    sms = channel.id;
    const { json } = await send(sms, { ...say('Kept by Twilio'), scheduledFor: tomorrow() });
    const kept = await message(json.id, ({ parts }) => parts.length > 0);
    expect(kept.status).toBe('scheduled');
    expect((await client.workspace('POST', `/messages/${json.id}/cancel`)).status).toBe(200);
    expect(sentBySms('Kept by Twilio')).toMatchObject([{ status: 'canceled' }]);
  });
});

describe('taking back', () => {
  it('an RCS message that was not delivered yet', async () => {
    const { json } = await send(rcs, say('Oops'));
    await message(json.id, ({ status }) => status === 'sent');
    expect((await client.workspace('POST', `/messages/${json.id}/cancel`)).json).toMatchObject({ error: { class: 'canceled' } });
    expect(world.google.messages.filter(({ messageId }) => messageId === json.id)).toEqual([]);
  });

  it('is refused where it is too late, or cannot be done', async () => {
    const delivered = await send(sms, say('Gone'));
    await message(delivered.json.id, ({ status }) => status === 'delivered');
    expect((await client.workspace('POST', `/messages/${delivered.json.id}/cancel`)).status).toBe(409);
    const { json } = await send(rcs, say('Read already'));
    await message(json.id, ({ status }) => status === 'sent');
    world.google.messages.length = 0;
    const late = await client.workspace('POST', `/messages/${json.id}/cancel`);
    expect([late.status, late.json.message]).toEqual([422, expect.stringContaining('delivered already')]);
  });
});

describe('who asked not to be written to', () => {
  const optOuts = async () => (await client.workspace('GET', `/channels/${sms}/opt-outs`)).json.results;
  const writes = (body: string) => world.twilio.customer.writes({ from: phone(), to: '+4915123450001', body });

  it('is on the list with every change of mind, and refused on every surface', async () => {
    await writes('Hello');
    await writes('STOP');
    await until(async () => (await optOuts()).length === 1);
    const { data } = (await client.airy('conversations.list')).json;
    expect((await send(sms, say('x'))).json.code).toBe('optedOut');
    expect((await client.airy('messages.send', { conversation_id: data[0].id, message: { Body: 'x' } })).status).toBe(400);
    const answer = await client.call('POST', `/api/v2/conversations/${data[0].id}/messages`, { body: 'x' });
    expect(answer.status).not.toBe(201);
    await writes('START');
    await until(async () => (await optOuts()).length === 0);
    expect((await send(sms, say('Welcome back'))).status).toBe(202);
    await client.workspace('POST', `/channels/${sms}/opt-outs`, { identifierValue: phone() });
    expect(await optOuts()).toMatchObject([
      {
        identifierKey: 'phonenumber',
        identifierValue: phone(),
        keyword: null,
        history: [
          { wants: false, keyword: 'STOP', by: 'contact' },
          { wants: true, keyword: 'START', by: 'contact' },
          { wants: false, keyword: null, by: { name: expect.any(String) } },
        ],
      },
    ]);
    expect((await client.workspace('DELETE', `/channels/${sms}/opt-outs/${encodeURIComponent(phone())}`)).status).toBe(204);
    expect((await send(sms, say('On your word'))).status).toBe(202);
  });

  it('gets nothing that was written before they asked and waits', async () => {
    await writes('Hello');
    const later = await send(sms, { ...say('For later'), scheduledFor: new Date(Date.now() + 86_400_000).toISOString() });
    await writes('STOP');
    await until(async () => (await optOuts()).length === 1);
    await world.test.engine.database.query('update outbox set run_at = now() where message_id = $1', [later.json.id]);
    world.test.engine.outbox.wake();
    expect((await message(later.json.id, ({ status }) => status === 'sending_failed')).error).toMatchObject({ class: 'opted-out' });
    expect(sentBySms('For later')).toEqual([]);
  });

  it('is learnt from Twilio’s own list', async () => {
    world.twilio.account.stopped.add(`+4915123450001|${phone()}`);
    const { json } = await send(sms, say('Do you hear me?'));
    expect((await message(json.id, ({ status }) => status === 'sending_failed')).error).toMatchObject({
      class: 'opted-out',
      providerCode: '21610',
    });
    expect(await optOuts()).toMatchObject([{ identifierValue: phone(), history: [{ wants: false, by: 'provider' }] }]);
    expect((await send(sms, say('x'))).status).toBe(422);
  });
});
