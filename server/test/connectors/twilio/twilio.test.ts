import fastify from 'fastify';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createTwilioSandbox, type TwilioSandbox } from '../../../../sandbox/twilio/index.ts';
import { newSid } from '../../../../sandbox/twilio/state.ts';
import type { ChannelView, Connector, HookRequest, OutboundMessage } from '../../../src/connectors/connector.ts';
import type { InboundEvent } from '../../../src/connectors/events.ts';
import { twilio, twilioSms, twilioWhatsapp } from '../../../src/connectors/twilio/index.ts';
import { signatureOf } from '../../../src/connectors/twilio/signature.ts';
import { uuidv7 } from '../../../src/model/ids.ts';
import { channelOf, configOf, contextOf } from '../../support/connector-context-twilio.ts';
import { nothingKnown } from '../../support/settling.ts';

const SID = `AC${'a'.repeat(32)}`;
const SMS = '+15551230001';
const WHATSAPP = 'whatsapp:+15551230002';
const CUSTOMER = '+15557770001';
const hook = twilio.hooks![0]!;

let sandbox: TwilioSandbox;
let api: string;
/** Our own side: takes webhooks as the server would, and keeps what they say. */
const receiver = fastify();
let publicUrl: string;
let seen: InboundEvent[] = [];
let settings: Record<string, string>;

beforeAll(async () => {
  receiver.removeAllContentTypeParsers();
  receiver.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  receiver.all('/*', async (request, reply) => {
    const url = publicUrl + request.url;
    const hooked: HookRequest = {
      method: request.method,
      url,
      path: new URL(url).pathname,
      query: {},
      headers: request.headers as Record<string, string>,
      body: request.body as Buffer,
    };
    const verdict = await hook.verify(hooked, { config: configOf(settings), channels: [] });
    if (verdict !== 'ok') return reply.code(403).send();
    for (const event of hook.unpack(hooked)) seen.push(...twilioSms.parse(event));
    return reply.code(hook.reply!.status).type(hook.reply!.contentType!).send(hook.reply!.body);
  });
  publicUrl = await receiver.listen({ port: 0, host: '127.0.0.1' });
});
afterAll(() => receiver.close());

beforeEach(async () => {
  seen = [];
  sandbox = createTwilioSandbox({
    accountSid: SID,
    authToken: 'secret',
    numbers: [SMS, { phoneNumber: '+4915551230003', mms: false, voice: false }],
    senders: ['+15551230002'],
  });
  api = await sandbox.app.listen({ port: 0, host: '127.0.0.1' });
  settings = { PUBLIC_URL: publicUrl, TWILIO_API_URL: api, TWILIO_ACCOUNT_SID: SID, TWILIO_AUTH_TOKEN: 'secret' };
  return async () => {
    await sandbox.settled();
    await sandbox.app.close();
  };
});

async function connected(connector: Connector, phoneNumber: string, extra: object = {}): Promise<ChannelView> {
  const result = await connector.connect({ phone_number: phoneNumber, ...extra }, contextOf(settings));
  return channelOf({ ...result, details: result.details ?? {}, name: result.name ?? '' } as ChannelView);
}

function message(content: OutboundMessage['content'], to = CUSTOMER): OutboundMessage {
  return { id: uuidv7(), to: [{ kind: 'phonenumber', value: to }], content };
}

describe('connect', () => {
  it('looks the number up, points it at us, and takes that back', async () => {
    const channel = await connected(twilioSms, SMS);
    expect(channel.sourceChannelId).toBe(SMS);
    expect(sandbox.account.numbers[0]!.sms_url).toBe(`${publicUrl}/hooks/twilio#rc=2&rp=all`);
    expect(await twilioSms.health!(channel, contextOf(settings))).toMatchObject({ status: 'active' });
    await twilioSms.disconnect!(channel, contextOf(settings), { lastOfAccount: true });
    expect(sandbox.account.numbers[0]!.sms_url).toBe('');
    const health = await twilioSms.health!(channel, contextOf(settings));
    expect(health).toMatchObject({ status: 'warning' });
    expect(health.reason).toContain(`${publicUrl}/hooks/twilio`);
  });

  it('lists what could be connected', async () => {
    expect(await twilioSms.explore!({}, contextOf(settings))).toEqual([
      { sourceChannelId: SMS, name: SMS, input: { phone_number: SMS } },
      { sourceChannelId: '+4915551230003', name: '+4915551230003', input: { phone_number: '+4915551230003' } },
    ]);
    expect(await twilioWhatsapp.explore!({}, contextOf(settings))).toMatchObject([
      { sourceChannelId: WHATSAPP, input: { phone_number: '+15551230002' } },
    ]);
    await expect(twilioSms.explore!({ account_sid: SID, auth_token: 'old' }, contextOf(settings))).rejects.toMatchObject({
      class: 'unauthorized',
    });
  });

  it('leaves somebody else’s webhook alone when disconnecting', async () => {
    const channel = await connected(twilioSms, SMS);
    sandbox.account.numbers[0]!.sms_url = 'https://other.example/sms';
    await twilioSms.disconnect!(channel, contextOf(settings), { lastOfAccount: true });
    expect(sandbox.account.numbers[0]!.sms_url).toBe('https://other.example/sms');
  });

  it('shows the number’s own abilities', async () => {
    const nodes = async (number: string) => {
      const capabilities = twilioSms.capabilities;
      if (typeof capabilities !== 'function') throw new Error('per channel');
      return capabilities(await connected(twilioSms, number)).nodes;
    };
    expect(await nodes(SMS)).toEqual([
      'messaging',
      'messaging.outgoing',
      'messaging.outgoing.mms',
      'messaging.outgoing.media.textFallback',
      'messaging.incoming',
      'messaging.incoming.mms',
      'voice',
      'voice.recording',
    ]);
    expect(await nodes('+4915551230003')).toEqual([
      'messaging',
      'messaging.outgoing',
      'messaging.outgoing.media.textFallback',
      'messaging.incoming',
    ]);
  });

  it('connects a WhatsApp sender', async () => {
    const channel = await connected(twilioWhatsapp, '+15551230002');
    expect(channel).toMatchObject({
      sourceChannelId: WHATSAPP,
      name: 'Sandbox business',
      details: { webhook: 'set', quality_rating: 'HIGH' },
    });
    expect(sandbox.account.senders[0]!.webhook).toMatchObject({
      callback_url: `${publicUrl}/hooks/twilio#rc=2&rp=all`,
      status_callback_url: `${publicUrl}/hooks/twilio/status/whatsapp/15551230002#rc=2&rp=all`,
    });
  });

  it.each([
    ['+49 123 4567', 'spaces'],
    ['0171234567', 'country code'],
  ])('refuses %s', async (number, words) => {
    await expect(connected(twilioSms, number)).rejects.toMatchObject({
      code: 'invalid',
      problems: [{ field: 'phone_number', message: expect.stringContaining(words) }],
    });
  });

  it('names the missing setting', async () => {
    settings = { PUBLIC_URL: publicUrl, TWILIO_API_URL: api };
    await expect(connected(twilioSms, SMS)).rejects.toMatchObject({
      code: 'setting-missing',
      message: expect.stringContaining('TWILIO_ACCOUNT_SID'),
    });
    settings.TWILIO_ACCOUNT_SID = SID;
    await expect(connected(twilioSms, SMS)).rejects.toThrow('TWILIO_AUTH_TOKEN');
  });

  it('passes on Twilio’s refusal of the token, and of a number that is not in the account', async () => {
    await expect(connected(twilioSms, SMS, { account_sid: SID, auth_token: 'old' })).rejects.toMatchObject({
      class: 'unauthorized',
      message: 'Authenticate',
      code: '20003',
    });
    await expect(connected(twilioSms, '+491234567')).rejects.toMatchObject({
      code: 'provider-refused',
      message: expect.stringContaining('no number +491234567'),
    });
  });

  it('goes on where the lookup is not served, as a gateway may serve messages only', async () => {
    const lists = ({ path }: { path: string }) => /IncomingPhoneNumbers|Senders/.test(path);
    for (const status of [404, 405]) {
      sandbox.faults.add({ kind: 'answer', status, body: {}, match: lists });
      expect(await connected(twilioSms, '+491234567')).toMatchObject({ sourceChannelId: '+491234567', details: { webhook: 'by hand' } });
    }
    sandbox.faults.add({ kind: 'answer', status: 404, body: '', match: lists });
    expect(await connected(twilioWhatsapp, '+491234567')).toMatchObject({ sourceChannelId: 'whatsapp:+491234567' });
  });

  it('says when Twilio is away', async () => {
    sandbox.faults.add({ kind: 'answer', status: 503, body: '' });
    await expect(connected(twilioSms, SMS)).rejects.toMatchObject({ class: 'retry' });
  });
});

describe('inbound', () => {
  it('SMS and MMS, raw string kept', async () => {
    await connected(twilioSms, SMS);
    const { message: sms, delivery } = await sandbox.customer.writes({ from: CUSTOMER, to: SMS, body: 'Grüße & mehr' });
    expect(delivery!.attempts).toEqual([200]);
    expect(seen).toMatchObject([
      {
        kind: 'message',
        direction: 'in',
        providerId: sms.sid,
        content: { type: 'text', text: 'Grüße & mehr' },
        contact: { identities: [{ kind: 'phonenumber', value: CUSTOMER }] },
      },
    ]);
    expect((seen[0] as { payload: string }).payload).toMatch(/&Body=Gr.*&FromCountry=/);
    seen = [];
    const jpeg = { type: 'image/jpeg', data: Buffer.from('one') };
    await sandbox.customer.writes({
      from: CUSTOMER,
      to: SMS,
      body: 'two',
      media: [jpeg, { type: 'application/pdf', data: Buffer.from('two') }],
    });
    expect(seen).toMatchObject([
      { content: { type: 'image', caption: 'two', media: { mimeType: 'image/jpeg' }, more: [{ mimeType: 'application/pdf' }] } },
    ]);
    const content = (seen[0] as { content: { media: { providerRef: string } } }).content;
    const file = await twilioSms.media!(content.media, channelOf({ sourceChannelId: SMS }), contextOf(settings));
    expect(file).toMatchObject({ mimeType: 'image/jpeg', data: Buffer.from('one') });
  });

  it('WhatsApp: names, buttons, lists, places, forwards, replies, ads', async () => {
    await connected(twilioWhatsapp, '+15551230002');
    const from = `whatsapp:${CUSTOMER}`;
    const say = async (item: object) => {
      seen = [];
      await sandbox.customer.writes({ from, to: WHATSAPP, profileName: 'Ada', ...item });
      return seen[0];
    };
    expect(await say({ body: 'hi' })).toMatchObject({ contact: { name: 'Ada', identities: [{ kind: 'phonenumber', value: CUSTOMER }] } });
    expect(await say({ button: { text: 'Yes', payload: 'y' } })).toMatchObject({
      content: { type: 'reply', via: 'button', title: 'Yes', payload: 'y' },
    });
    expect(await say({ list: { id: '7', title: 'Seven' } })).toMatchObject({
      content: { type: 'reply', via: 'list', title: 'Seven', payload: '7' },
    });
    expect(await say({ location: { latitude: 52.5, longitude: 13.4, label: 'Here' } })).toMatchObject({
      content: { type: 'location', latitude: 52.5, longitude: 13.4, name: 'Here' },
    });
    expect(
      await say({ body: 'x', forwarded: 'often', repliesTo: `SM${'1'.repeat(32)}`, referral: { ReferralSourceId: 'ad1' } }),
    ).toMatchObject({
      replyTo: `SM${'1'.repeat(32)}`,
      facts: { FrequentlyForwarded: true, ReferralSourceId: 'ad1' },
    });
    expect(await say({ media: [{ type: 'image/webp', data: Buffer.alloc(1) }] })).toMatchObject({ content: { type: 'sticker' } });
  });

  it('STOP and START, and what Twilio says about them', async () => {
    await connected(twilioSms, SMS);
    const words = async (body: string, extra?: Record<string, string>) => {
      seen = [];
      await sandbox.customer.writes({ from: CUSTOMER, to: SMS, body, extra });
      return seen.filter((event) => event.kind === 'consent');
    };
    expect(await words('Stop')).toMatchObject([{ wants: false, keyword: 'Stop' }]);
    expect(await words('START')).toMatchObject([{ wants: true }]);
    expect(await words('nein danke', { OptOutType: 'STOP' })).toMatchObject([{ wants: false }]);
    expect(await words('HELP')).toEqual([]);
  });

  it('is repeated by Twilio when we failed, since our address asks for it', async () => {
    await connected(twilioSms, SMS);
    settings.TWILIO_AUTH_TOKEN = 'changed meanwhile';
    const { delivery } = await sandbox.customer.writes({ from: CUSTOMER, to: SMS, body: 'hi' });
    expect(delivery!.attempts).toEqual([403, 403, 403]);
    expect(seen).toEqual([]);
  });

  it('knows a WhatsApp user without a number', () => {
    const body = 'SmsStatus=received&Body=hi&To=whatsapp%3A%2B15551230002&From=whatsapp%3AUS.1349&MessageSid=SM1';
    const [event] = twilioWhatsapp.parse({
      source: 'twilio.whatsapp',
      sourceChannelId: WHATSAPP,
      contentType: '',
      body: Buffer.from(body),
    });
    expect(event).toMatchObject({ contact: { identities: [{ kind: 'whatsappbsuid', value: 'US.1349' }] } });
  });
});

describe('the hook', () => {
  const request = (path: string, body: string, headers: Record<string, string> = {}): HookRequest => ({
    method: 'POST',
    url: `https://patchbay.example${path}`,
    path,
    query: {},
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    body: Buffer.from(body),
  });

  it('names the channel by To, by From, or by the status address', () => {
    expect(hook.claims!(request('/twilio', 'SmsStatus=received&Body=x&To=%2B1&From=%2B2'))).toEqual([
      { source: 'twilio.sms', sourceChannelId: '+1' },
    ]);
    expect(hook.claims!(request('/twilio', 'MessageStatus=sent&To=%2B2&From=whatsapp%3A%2B1'))).toEqual([
      { source: 'twilio.whatsapp', sourceChannelId: 'whatsapp:+1' },
    ]);
    expect(hook.claims!(request('/hooks/twilio/status/sms/4912', 'MessageStatus=sent&To=%2B2&From=%2B1'))).toEqual([
      { source: 'twilio.sms', sourceChannelId: '+4912' },
    ]);
    expect(hook.claims!(request('/twilio', ''))).toEqual([]);
  });

  it('takes a number that is set to GET', () => {
    const url = 'https://patchbay.example/twilio?MessageSid=SM1&SmsStatus=received&From=%2B2&To=%2B1&Body=hi';
    const call: HookRequest = {
      method: 'GET',
      url,
      path: '/twilio',
      query: {},
      headers: { 'x-twilio-signature': signatureOf('env', url, new URLSearchParams()) },
      body: Buffer.alloc(0),
    };
    expect(hook.verify(call, { config: configOf({ TWILIO_AUTH_TOKEN: 'env' }), channels: [] })).toBe('ok');
    expect(hook.unpack(call).flatMap((event) => twilioSms.parse(event))).toMatchObject([{ providerId: 'SM1', content: { text: 'hi' } }]);
  });

  it('lets only the channels hear whose own token signed it', () => {
    const config = configOf({ TWILIO_AUTH_TOKEN: 'env' });
    const body = 'SmsStatus=received&Body=x&To=%2B1&From=%2B2&MessageSid=SM1';
    const signature = signatureOf('own', 'https://patchbay.example/twilio', new URLSearchParams(body));
    const call = request('/twilio', body, { 'x-twilio-signature': signature });
    const own = channelOf({ sourceChannelId: '+1', credentials: { account_sid: SID, auth_token: 'own' } });
    const theirs = channelOf({ sourceChannelId: '+1' });
    expect(hook.verify(call, { config, channels: [own, theirs] })).toBe('ok');
    expect([hook.owns!(call, own, config), hook.owns!(call, theirs, config)]).toEqual([true, false]);
  });

  it('wants a signature, and takes a channel’s own token before the installation’s', () => {
    const config = configOf({ TWILIO_AUTH_TOKEN: 'env' });
    const own = channelOf({ sourceChannelId: SMS, credentials: { account_sid: SID, auth_token: 'own' } });
    expect(hook.verify(request('/twilio', 'Body=x'), { config, channels: [] })).toBe('missing');
    expect(hook.verify(request('/twilio', 'Body=x', { 'x-twilio-signature': 'x' }), { config, channels: [own] })).toBe('wrong');
  });
});

describe('send', () => {
  it('text: accepted, delivered, read, each told with our own id', async () => {
    const channel = await connected(twilioSms, SMS);
    const item = message({ type: 'text', text: 'hello' });
    const receipt = await twilioSms.send!(item, channel, contextOf(settings));
    expect(receipt).toMatchObject({
      providerId: expect.stringMatching(/^SM/),
      payload: { Body: 'hello' },
      details: { status: 'queued', num_segments: '1' },
    });
    await expect.poll(() => seen.length).toBe(2);
    expect(seen).toMatchObject([
      { kind: 'receipt', state: 'sent', providerId: receipt.providerId, ourId: item.id },
      { kind: 'receipt', state: 'delivered', ourId: item.id },
    ]);
    await sandbox.advance(receipt.providerId, 'undelivered', 30003, 'Unreachable destination handset');
    expect(seen[2]).toMatchObject({
      state: 'failed',
      error: { class: 'recipient-unreachable', providerCode: '30003', providerMessage: 'Unreachable destination handset' },
    });
    await sandbox.advance(receipt.providerId, 'canceled');
    expect(seen[3]).toMatchObject({ state: 'failed', error: { message: 'canceled before it was sent' } });
  });

  it('media, native payloads, and both at once', async () => {
    const channel = await connected(twilioSms, SMS);
    const say = async (content: OutboundMessage['content']) =>
      (await twilioSms.send!(message(content), channel, contextOf(settings))).payload;
    expect(await say({ type: 'image', media: { id: 'm1' }, caption: 'see', more: [{ url: 'https://x.example/2.png' }] })).toEqual({
      Body: 'see',
      MediaUrl: [`${publicUrl}/media/m1`, 'https://x.example/2.png'],
    });
    expect(await say({ type: 'native', payload: { Body: 'b', MediaUrl: 'https://x.example/1.png' } })).toEqual({ Body: 'b' });
    expect(await say({ type: 'native', payload: { MediaUrl: 'https://x.example/1.png' } })).toEqual({
      MediaUrl: ['https://x.example/1.png'],
    });
    await expect(say({ type: 'native', payload: { text: 'b' } })).rejects.toMatchObject({
      class: 'rejected',
      message: 'Malformed message. Requires either "Body" or "MediaUrl" property',
    });
  });

  it.each([
    ['+15005550001', 'recipient-unreachable', '21211'],
    ['+15005550003', 'rejected', '21408'],
    ['+15005550004', 'opted-out', '21610'],
    ['+15005550009', 'recipient-unreachable', '21614'],
  ])('to %s: %s', async (to, errorClass, code) => {
    const channel = await connected(twilioSms, SMS);
    await expect(twilioSms.send!(message({ type: 'text', text: 'x' }, to), channel, contextOf(settings))).rejects.toMatchObject({
      class: errorClass,
      code,
    });
  });

  it('later, through a messaging service', async () => {
    const channel = await connected(twilioSms, SMS, { messaging_service_sid: `MG${'b'.repeat(32)}` });
    const item = { ...message({ type: 'text', text: 'x' }), sendAt: new Date(Date.now() + 3_600_000) };
    expect(await twilioSms.send!(item, channel, contextOf(settings))).toMatchObject({ details: { status: 'scheduled' } });
    const plain = { ...channel, settings: { phone_number: SMS } };
    await expect(twilioSms.send!(item, plain, contextOf(settings))).rejects.toMatchObject({
      class: 'rejected',
      message: expect.stringContaining('messaging service'),
    });
  });

  it('outside the WhatsApp window: fails with 63016; inside: goes; a template: goes', async () => {
    const channel = await connected(twilioWhatsapp, '+15551230002');
    const context = contextOf(settings);
    await twilioWhatsapp.send!(message({ type: 'text', text: 'x' }), channel, context);
    await expect
      .poll(() => seen)
      .toMatchObject([{ state: 'failed', error: { class: 'window-closed', providerCode: '63016', hint: 'Send an approved template.' } }]);

    const created = await twilioWhatsapp.templates!.create(
      {
        name: 'order_ready',
        language: 'en',
        category: 'UTILITY',
        components: [{ type: 'BODY', text: 'Hi {{1}}', example: { body_text: [['Ada']] } }],
      },
      channel,
      context,
    );
    expect(created.status).toBe('received');
    sandbox.account.contents[0]!.approval.status = 'approved';
    const [template] = await twilioWhatsapp.templates!.list(channel, context);
    expect(template).toMatchObject({
      name: 'order_ready',
      status: 'approved',
      category: 'UTILITY',
      components: [{ type: 'BODY', text: 'Hi {{1}}' }, { type: 'twilio/text' }, { type: 'variables' }],
    });
    const content = {
      type: 'template' as const,
      name: 'order_ready',
      language: 'en',
      components: [{ type: 'body' as const, parameters: [{ type: 'text' as const, text: 'Bo' }] }],
    };
    expect(twilioWhatsapp.templates!.render(template!, content)).toEqual({ problems: [], text: 'Hi Bo' });
    seen = [];
    const receipt = await twilioWhatsapp.send!(message(content), channel, context);
    expect(sandbox.account.messages.find((item) => item.sid === receipt.providerId)!.body).toBe('Hi Bo');
    await expect.poll(() => seen.map((event) => (event as { state?: string }).state)).toEqual(['sent', 'delivered']);

    const { message: inbound } = await sandbox.customer.writes({ from: `whatsapp:${CUSTOMER}`, to: WHATSAPP, body: 'hi' });
    await twilioWhatsapp.typing!({ to: [], on: true, lastInboundProviderId: inbound.sid }, channel, context);
    expect(sandbox.account.typing).toEqual([inbound.sid]);
    seen = [];
    const place = await twilioWhatsapp.send!(message({ type: 'location', latitude: 1, longitude: 2, name: 'Pier' }), channel, context);
    expect(place.payload).toEqual({ Body: 'Pier', PersistentAction: 'geo:1,2|Pier' });
    await expect.poll(() => seen.map((event) => (event as { state?: string }).state)).toEqual(['sent', 'delivered']);
  });

  it('lists templates over all pages', async () => {
    const channel = await connected(twilioWhatsapp, '+15551230002');
    for (let index = 0; index < 1203; index += 1) {
      sandbox.account.contents.push({
        sid: newSid('HX'),
        friendly_name: `t${index}`,
        language: 'en',
        variables: {},
        types: {},
        created: new Date(),
        approval: {
          name: `t${index}`,
          category: 'UTILITY',
          content_type: '',
          status: 'paused',
          rejection_reason: '',
          allow_category_change: true,
        },
      });
    }
    expect(await twilioWhatsapp.templates!.list(channel, contextOf(settings))).toHaveLength(1203);
    sandbox.faults.add({ kind: 'answer', status: 500, body: { code: 20500, message: 'Internal Server Error' } });
    await expect(twilioWhatsapp.templates!.list(channel, contextOf(settings))).rejects.toMatchObject({ class: 'retry' });
  });
});

describe('trouble', () => {
  it.each([
    [429, { code: 20429, message: 'Too Many Requests' }, 'rate-limited'],
    [503, '', 'retry'],
    [500, { code: 20500, message: 'Internal Server Error' }, 'retry'],
    [502, '<html>', 'unknown-outcome'],
    [401, { code: 20003, message: 'Authenticate' }, 'unauthorized'],
    [400, { code: 99999, message: 'New' }, 'rejected'],
  ])('%i is %s', async (status, body, errorClass) => {
    const channel = await connected(twilioSms, SMS);
    sandbox.faults.add({ kind: 'answer', status, body, headers: { 'retry-after': '3' } });
    await expect(twilioSms.send!(message({ type: 'text', text: 'x' }), channel, contextOf(settings))).rejects.toMatchObject({
      class: errorClass,
      retryAfterMs: 3000,
    });
  });

  it('a lost answer is settled by asking, and by the status callback', async () => {
    const channel = await connected(twilioSms, SMS);
    const item = message({ type: 'text', text: 'only once' });
    sandbox.faults.add({ kind: 'lost' });
    await expect(twilioSms.send!(item, channel, contextOf(settings))).rejects.toMatchObject({ class: 'unknown-outcome' });
    await expect.poll(() => seen.length).toBe(2);
    expect(seen[0]).toMatchObject({ kind: 'receipt', ourId: item.id });
    expect(await twilioSms.settle!(item, channel, contextOf(settings), nothingKnown)).toMatchObject({
      outcome: 'accepted',
      state: 'delivered',
      providerId: sandbox.account.messages[0]!.sid,
    });
  });

  it('one that never arrived is known as such after a while, and not before', async () => {
    const channel = await connected(twilioSms, SMS);
    const context = contextOf(settings);
    const item = message({ type: 'text', text: 'x' });
    const ago = (ms: number) => ({ ...item, calledAt: new Date(Date.now() - ms) });
    expect(await twilioSms.settle!(item, channel, context, nothingKnown)).toEqual({ outcome: 'unknown' });
    expect(await twilioSms.settle!(ago(5_000), channel, context, nothingKnown)).toEqual({ outcome: 'unknown' });
    expect(await twilioSms.settle!(ago(60_000), channel, context, nothingKnown)).toEqual({ outcome: 'never-received' });
    sandbox.faults.add({ kind: 'answer', status: 404, body: '' });
    expect(await twilioSms.settle!(ago(60_000), channel, context, nothingKnown)).toEqual({ outcome: 'unknown' });
  });

  it('one that never arrived is not taken for another with the same words', async () => {
    const channel = await connected(twilioSms, SMS);
    const context = contextOf(settings);
    const { providerId } = await twilioSms.send!(message({ type: 'text', text: 'ok' }), channel, context);
    const lost = { ...message({ type: 'text', text: 'ok' }), calledAt: new Date(Date.now() - 60_000) };
    expect(await twilioSms.settle!(lost, channel, context, async () => new Set([providerId]))).toEqual({ outcome: 'never-received' });
  });

  it('two that look the same stay unknown', async () => {
    const channel = await connected(twilioSms, SMS);
    const item = message({ type: 'text', text: 'ok' });
    await twilioSms.send!(item, channel, contextOf(settings));
    await twilioSms.send!(message({ type: 'text', text: 'ok' }), channel, contextOf(settings));
    expect(await twilioSms.settle!(item, channel, contextOf(settings), nothingKnown)).toEqual({ outcome: 'unknown' });
  });

  it('finds what lost webhooks left open', async () => {
    const channel = await connected(twilioSms, SMS);
    const since = new Date(Date.now() - 1000);
    sandbox.account.numbers[0]!.sms_url = '';
    const { message: lost } = await sandbox.customer.writes({
      from: CUSTOMER,
      to: SMS,
      body: 'anybody?',
      media: [{ type: 'image/png', data: Buffer.from('p') }],
    });
    const receipt = await twilioSms.send!(message({ type: 'text', text: 'x' }), channel, contextOf(settings));
    await expect.poll(() => sandbox.account.messages[1]!.status).toBe('delivered');
    const events = (await twilioSms.reconcile!(channel, contextOf(settings), since)).flatMap((raw) => twilioSms.parse(raw));
    expect(events).toMatchObject([
      { kind: 'message', providerId: lost.sid, content: { type: 'image', caption: 'anybody?', media: { mimeType: 'image/png' } } },
      { kind: 'receipt', providerId: receipt.providerId, state: 'delivered' },
    ]);
    expect((events[0] as { sentAt: Date }).sentAt.getTime()).toBeGreaterThan(since.getTime() - 1000);
  });
});
