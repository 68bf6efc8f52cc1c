import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createMetaSandbox, type MetaSandbox } from '../../../../sandbox/meta/index.ts';
import type { ChannelView, OutboundMessage } from '../../../src/connectors/connector.ts';
import { metaHook } from '../../../src/connectors/meta/hook.ts';
import { whatsapp } from '../../../src/connectors/meta/whatsapp/index.ts';
import type { Content } from '../../../src/model/content.ts';
import { uuidv7 } from '../../../src/model/ids.ts';
import { channelOf, contextFor, type TestContext } from './support.ts';

const NUMBER = '106540352242922';
const WABA = '102290129340398';
const PHONE = '16505551234';
let sandbox: MetaSandbox;
let base: string;
let context: TestContext;
let channel: ChannelView<any, any>;

beforeAll(async () => {
  sandbox = createMetaSandbox({
    tokens: [{ value: 'good' }, { value: 'narrow', reaches: ['999'] }, { value: 'lacking', scopes: ['whatsapp_business_messaging'] }],
    wabas: [
      {
        id: WABA,
        numbers: [
          ...Array.from({ length: 30 }, (_, index) => ({
            id: `2000000000000${index}`,
            display_phone_number: `+1 555-000-10${index + 10}`,
          })),
          { id: NUMBER, display_phone_number: '+33 6 12 34 56 78', verified_name: 'Jasper’s Market', throughput: { level: 'HIGH' } },
        ],
        templates: [
          ...Array.from({ length: 250 }, (_, index) => ({ name: `t_${index}`, language: 'en_US' })),
          {
            name: 'order',
            language: 'en_US',
            components: [{ type: 'BODY', text: 'Hi {{1}}, order {{2}}' }],
            quality_score: { score: 'GREEN' },
          },
          { name: 'paused', language: 'en_US', status: 'PAUSED' },
        ],
      },
    ],
  });
  await sandbox.app.listen({ port: 0, host: '127.0.0.1' });
  base = `http://127.0.0.1:${(sandbox.app.server.address() as AddressInfo).port}`;
});
afterAll(() => sandbox.app.close());

beforeEach(async () => {
  context = contextFor({ META_GRAPH_URL: base, META_APP_SECRET: 'sandbox-app-secret', META_VERIFY_TOKEN: 'x' });
  channel = channelOf(await whatsapp.connect({ phone_number_id: NUMBER, business_account_id: WABA, user_token: 'good' }, context));
  sandbox.faults.outages = 0;
});

function message(content: Content, more: Partial<OutboundMessage> = {}): OutboundMessage {
  return { id: uuidv7(), to: [{ kind: 'phonenumber', value: `+${PHONE}` }], content, ...more };
}
const send = (content: Content, more?: Partial<OutboundMessage>) => whatsapp.send!(message(content, more), channel, context);
const lastSent = () => sandbox.state.sent.at(-1)!.body;

describe('connecting', () => {
  const waba = () => sandbox.state.waba(WABA)!;

  it('takes the number’s digits and the account, subscribes, and keeps what Meta tells', async () => {
    waba().subscribed = false;
    const connected = await whatsapp.connect({ phone_number: '+33612345678', business_account_id: WABA, api_key: 'good' }, context);
    expect(connected).toMatchObject({
      sourceChannelId: NUMBER,
      name: 'Jasper’s Market',
      settings: { phone_number_id: NUMBER, waba_id: WABA },
      credentials: { access_token: 'good' },
      details: {
        display_number: '+33612345678',
        verified_name: 'Jasper’s Market',
        quality_rating: 'GREEN',
        messaging_limit_tier: 'TIER_1K',
        throughput: 'HIGH',
        name_status: 'APPROVED',
        code_verification_status: 'VERIFIED',
        waba_id: WABA,
      },
    });
    expect(waba().subscribed).toBe(true);
  });

  it('needs the id alone, and finds the account where the app may ask', async () => {
    expect(await whatsapp.connect({ phone_number_id: NUMBER, user_token: 'good' }, context)).toMatchObject({
      settings: { phone_number_id: NUMBER },
    });
    const asking = contextFor({ META_GRAPH_URL: base, META_APP_ID: sandbox.state.app.id, META_APP_SECRET: sandbox.state.app.secret });
    const connected = await whatsapp.connect({ phone_number_id: NUMBER, user_token: 'good' }, asking);
    expect(connected).toMatchObject({ settings: { waba_id: WABA }, credentials: { access_token: 'good-long' } });
  });

  it.each([
    [{ phone_number_id: NUMBER, user_token: 'bad' }, 'invalid-token', 'Invalid OAuth access token'],
    [{ phone_number: '+33612345678', business_account_id: WABA, api_key: 'bad' }, 'invalid-token', 'Invalid OAuth access token'],
    [{ phone_number_id: '404', user_token: 'good' }, 'unknown-number', "Object with ID '404' does not exist"],
    [{ phone_number: '+33600000000', business_account_id: WABA, api_key: 'good' }, 'unknown-number', 'has no number +33600000000'],
    [
      { phone_number: '+33612345678', business_account_id: '404', api_key: 'good' },
      'unknown-account',
      "Object with ID '404' does not exist",
    ],
    [{ phone_number_id: NUMBER, user_token: 'narrow' }, 'unknown-number', 'missing permissions'],
  ])('refuses %j as %s', async (input, code, words) => {
    sandbox.state.waba(WABA)!.subscribed = false;
    await expect(whatsapp.connect(input, context)).rejects.toMatchObject({
      name: 'ProviderError',
      code,
      message: expect.stringContaining(words),
    });
    expect(waba().subscribed).toBe(false);
  });

  it.each([
    [{}, 'user_token'],
    [{ user_token: 'good' }, 'phone_number_id'],
    [{ user_token: 'good', phone_number: '+336' }, 'business_account_id'],
  ])('says what is missing in %j', async (input, field) => {
    await expect(whatsapp.connect(input, context)).rejects.toMatchObject({ code: 'invalid', problems: [{ field }] });
  });

  it('passes on that Meta is down or cannot be reached', async () => {
    sandbox.faults.outages = 1;
    await expect(whatsapp.connect({ phone_number_id: NUMBER, user_token: 'good' }, context)).rejects.toMatchObject({ class: 'retry' });
    const nowhere = contextFor({ META_GRAPH_URL: 'http://127.0.0.1:1' });
    await expect(whatsapp.connect({ phone_number_id: NUMBER, user_token: 'good' }, nowhere)).rejects.toMatchObject({ class: 'retry' });
  });

  it('unsubscribes with the last number of the account', async () => {
    await whatsapp.disconnect!(channel, context, { lastOfAccount: false });
    expect(waba().subscribed).toBe(true);
    await whatsapp.disconnect!(channel, context, { lastOfAccount: true });
    expect(waba().subscribed).toBe(false);
    expect(whatsapp.account!(channel)).toBe(WABA);
  });

  it('explores over all pages', async () => {
    const found = await whatsapp.explore!({ auth_token: 'good', business_account_id: WABA }, context);
    expect(found).toHaveLength(31);
    expect(found.at(-1)).toEqual({
      sourceChannelId: NUMBER,
      name: 'Jasper’s Market',
      input: { phone_number_id: NUMBER, business_account_id: WABA },
    });
  });
});

describe('sending', () => {
  beforeEach(() => {
    sandbox.whatsappCustomer(NUMBER, { phone: PHONE, userId: 'US.13491208655302741918' }).text('hi');
  });

  it.each([
    [
      { type: 'text', text: 'Hello', previewUrl: true },
      { type: 'text', text: { body: 'Hello', preview_url: true } },
    ],
    [
      { type: 'image', media: { url: 'https://x.example/a.png' }, caption: 'A' },
      { image: { link: 'https://x.example/a.png', caption: 'A' } },
    ],
    [
      { type: 'file', media: { url: 'https://x.example/a', filename: 'a.pdf' } },
      { type: 'document', document: { filename: 'a.pdf' } },
    ],
    [{ type: 'audio', media: { url: 'https://x.example/a' }, caption: 'lost' }, { audio: { link: 'https://x.example/a' } }],
    [{ type: 'sticker', media: { url: 'https://x.example/a' } }, { sticker: { link: 'https://x.example/a' } }],
    [{ type: 'location', latitude: 1, longitude: 2, name: 'N' }, { location: { latitude: 1, longitude: 2, name: 'N' } }],
    [
      { type: 'contacts', contacts: [{ name: 'Ada Lovelace', phones: ['+44'] }] },
      { contacts: [{ name: { formatted_name: 'Ada Lovelace', last_name: 'Lovelace' } }] },
    ],
    [
      { type: 'choices', text: 'Which?', footer: 'F', choices: [{ id: 'a', title: 'A' }] },
      { interactive: { type: 'button', footer: { text: 'F' }, action: { buttons: [{ reply: { id: 'a', title: 'A' } }] } } },
    ],
    [
      { type: 'list', text: 'Which?', button: 'Open', sections: [{ rows: [{ id: 'a', title: 'A' }] }] },
      { interactive: { type: 'list', action: { button: 'Open' } } },
    ],
    [
      {
        type: 'template',
        name: 'order',
        language: 'en_US',
        components: [
          {
            type: 'body',
            parameters: [
              { type: 'text', text: 'Ada' },
              { type: 'text', text: '7' },
            ],
          },
        ],
      },
      { template: { name: 'order', language: { code: 'en_US' } } },
    ],
    [
      { type: 'native', payload: { text: { preview_url: false, body: 'as is' } } },
      { type: 'text', text: { preview_url: false, body: 'as is' } },
    ],
  ] as [Content, object][])('%j', async (content, body) => {
    const outgoing = message(content);
    const receipt = await whatsapp.send!(outgoing, channel, context);
    expect(receipt).toMatchObject({ providerId: expect.stringMatching(/^wamid\./), state: 'sent' });
    expect(lastSent()).toMatchObject({
      messaging_product: 'whatsapp',
      recipient_type: 'individual',
      to: PHONE,
      biz_opaque_callback_data: outgoing.id,
      ...body,
    });
  });

  it('answers a message, reacts, marks as read, types', async () => {
    const id = sandbox.whatsappCustomer(NUMBER, { phone: PHONE }).text('question');
    const to = [{ kind: 'phonenumber', value: `+${PHONE}` }];
    await send({ type: 'text', text: 'answer' }, { replyToProviderId: id });
    expect(lastSent().context).toEqual({ message_id: id });
    await whatsapp.react!({ providerId: id, emoji: '👍', to }, channel, context);
    expect(lastSent().reaction).toEqual({ message_id: id, emoji: '👍' });
    await whatsapp.react!({ providerId: id, emoji: null, to }, channel, context);
    expect(lastSent().reaction).toEqual({ message_id: id, emoji: '' });
    await whatsapp.markRead!({ providerId: id, to }, channel, context);
    await whatsapp.typing!({ to, on: true, lastInboundProviderId: id }, channel, context);
    await expect(whatsapp.markRead!({ providerId: 'wamid.none', to }, channel, context)).rejects.toMatchObject({ class: 'rejected' });
  });

  it('reaches people without a telephone number', async () => {
    await send(
      { type: 'text', text: 'x' },
      {
        to: [
          { kind: 'whatsappusername', value: 'ana' },
          { kind: 'whatsappbsuid', value: 'US.13491208655302741918' },
        ],
      },
    );
    expect(lastSent()).toMatchObject({ recipient: 'US.13491208655302741918' });
    expect(lastSent().to).toBeUndefined();
    await expect(send({ type: 'text', text: 'x' }, { to: [{ kind: 'whatsappusername', value: 'ana' }] })).rejects.toMatchObject({
      class: 'recipient-unreachable',
    });
  });

  it('uploads a file once, and again when Meta has lost it', async () => {
    context.files.set('f1', { data: Buffer.from('bytes'), mimeType: 'image/png', filename: 'a.png' });
    const uploads = () => context.calls.filter(({ url, method }) => method === 'POST' && url.endsWith('/media')).length;
    await send({ type: 'image', media: { id: 'f1' } });
    await send({ type: 'image', media: { id: 'f1' } });
    expect(uploads()).toBe(1);
    const id = (lastSent().image as any).id;
    expect(sandbox.state.media.get(id)).toMatchObject({ mimeType: 'image/png', filename: 'a.png' });
    sandbox.state.media.delete(id);
    await send({ type: 'image', media: { id: 'f1' } });
    expect(uploads()).toBe(2);
    await expect(send({ type: 'image', media: { id: 'gone' } })).rejects.toMatchObject({
      class: 'rejected',
      message: 'The file to send is no longer stored',
    });
  });

  it('classes what Meta refuses', async () => {
    await expect(send({ type: 'text', text: 'x' }, { to: [{ kind: 'phonenumber', value: '+4915100000000' }] })).rejects.toMatchObject({
      class: 'window-closed',
      code: '131047',
    });
    await expect(send({ type: 'template', name: 'none', language: 'en', components: [] })).rejects.toMatchObject({
      class: 'rejected',
      code: '132001',
    });
    await expect(send({ type: 'template', name: 'paused', language: 'en_US', components: [] })).rejects.toMatchObject({ code: '132015' });
    await expect(send({ type: 'template', name: 'order', language: 'en_US', components: [] })).rejects.toMatchObject({ code: '132000' });
    await expect(send({ type: 'native', payload: 'x' })).rejects.toMatchObject({ class: 'rejected' });
    await expect(send({ type: 'native', payload: {} })).rejects.toMatchObject({ class: 'rejected', code: '100' });
    sandbox.faults.rateLimits = 1;
    await expect(send({ type: 'text', text: 'x' })).rejects.toMatchObject({ class: 'rate-limited', code: '130429', retryAfterMs: 60_000 });
    sandbox.faults.outages = 1;
    await expect(send({ type: 'text', text: 'x' })).rejects.toMatchObject({ class: 'retry', code: '2' });
    const bad = { ...channel, credentials: { access_token: 'bad' } };
    await expect(whatsapp.send!(message({ type: 'text', text: 'x' }), bad, context)).rejects.toMatchObject({
      class: 'unauthorized',
      code: '190',
      scope: 'channel',
    });
  });

  it('does not know what became of a send whose answer was lost, until the status tells', async () => {
    const heard: any[] = [];
    sandbox.pointTo(async ({ headers, body }) => {
      const request = { method: 'POST', url: '', path: '', query: {}, headers, body: Buffer.from(body) };
      expect(metaHook.verify(request, { config: context.config, channels: [] })).toBe('ok');
      for (const piece of metaHook.unpack(request)) heard.push(...whatsapp.parse(piece));
      return 200;
    });
    sandbox.faults.lostAnswers = 1;
    const outgoing = message({ type: 'text', text: 'ünicode 😀' });
    const before = sandbox.state.sent.length;
    await expect(whatsapp.send!(outgoing, channel, context)).rejects.toMatchObject({ class: 'unknown-outcome' });
    expect(sandbox.state.sent.length).toBe(before + 1);
    await sandbox.webhooks.settled();
    expect(heard).toMatchObject([
      { kind: 'receipt', ourId: outgoing.id, state: 'sent' },
      { kind: 'receipt', ourId: outgoing.id, state: 'delivered' },
      { kind: 'receipt', ourId: outgoing.id, state: 'read' },
    ]);
  });

  it('knows its pace', () => {
    const pacing = whatsapp.pacing as (channel: ChannelView) => { perSecond: number };
    expect(pacing(channel)).toMatchObject({ perSecond: 1000, perRecipient: { burst: 45, everyMs: 6000 } });
    expect(pacing({ ...channel, details: {} }).perSecond).toBe(80);
    expect(pacing({ ...channel, details: { is_on_biz_app: true } }).perSecond).toBe(20);
  });
});

describe('media', () => {
  it('are fetched with the token and checked', async () => {
    const { id } = sandbox.state.store(Buffer.from('picture'), 'image/png');
    expect(await whatsapp.media!({ providerRef: id, mimeType: 'image/jpeg' }, channel, context)).toMatchObject({
      data: Buffer.from('picture'),
      mimeType: 'image/png',
    });
    await expect(whatsapp.media!({ providerRef: '404' }, channel, context)).rejects.toMatchObject({ class: 'rejected' });
    const tampered = {
      ...context,
      http: async (url: string, request?: object) => {
        const answer = await context.http(url, request);
        return url.includes('/_media/') ? { ...answer, body: Buffer.from('forged!') } : answer;
      },
    };
    await expect(whatsapp.media!({ providerRef: id }, channel, tampered)).rejects.toMatchObject({ class: 'retry', code: 'checksum' });
  });
});

describe('templates', () => {
  const operations = whatsapp.templates!;

  it('are listed over all pages', async () => {
    const found = await operations.list(channel, context);
    expect(found.length).toBeGreaterThanOrEqual(252);
    expect(found.find(({ name }) => name === 'order')).toMatchObject({
      language: 'en_US',
      status: 'APPROVED',
      category: 'UTILITY',
      quality: 'GREEN',
      rejectedReason: undefined,
    });
  });

  it('fail as a whole when one page fails', async () => {
    let calls = 0;
    const shaky = {
      ...context,
      http: async (url: string, request?: object) => {
        if (++calls === 2) sandbox.faults.outages = 1;
        return context.http(url, request);
      },
    };
    await expect(operations.list(channel, shaky)).rejects.toMatchObject({ class: 'retry' });
  });

  it('are created with examples, edited and deleted', async () => {
    const components = [
      { type: 'HEADER', format: 'TEXT', text: 'Order {{1}}' },
      { type: 'BODY', text: 'Hi {{1}}, your ticket #{{2}} has been updated. Status: {{3}}' },
      { type: 'BUTTONS', buttons: [{ type: 'URL', text: 'Open', url: 'https://x.example/{{1}}' }] },
    ];
    const made = await operations.create({ name: 'ticket_update', language: 'en', category: 'utility', components }, channel, context);
    expect(made).toMatchObject({ name: 'ticket_update', status: 'PENDING', category: 'UTILITY', providerRef: expect.any(String) });
    const stored = sandbox.state.template(made.providerRef!)!.template;
    expect(stored.components).toMatchObject([
      { example: { header_text: ['Example 1'] } },
      { example: { body_text: [['Example 1', 'Example 2', 'Example 3']] } },
      { buttons: [{ example: ['https://x.example/example'] }] },
    ]);

    await expect(
      operations.create({ name: 'ticket_update', language: 'en', category: 'UTILITY', components }, channel, context),
    ).rejects.toMatchObject({ class: 'rejected' });
    stored.status = 'APPROVED';
    const edited = await operations.edit!({ ...made, components: [{ type: 'BODY', text: 'Hello {{name}}' }] }, channel, context);
    expect(edited).toMatchObject({
      status: 'PENDING',
      components: [{ example: { body_text_named_params: [{ param_name: 'name', example: 'name' }] } }],
    });

    await operations.delete!({ name: 'ticket_update', language: 'en' }, channel, context);
    expect(sandbox.state.template(made.providerRef!)).toBeUndefined();
    await expect(operations.delete!({ name: 'ticket_update', language: 'en' }, channel, context)).rejects.toMatchObject({
      code: 'unknown-template',
    });
  });

  it('need to know the account', async () => {
    await expect(operations.list({ ...channel, settings: { phone_number_id: NUMBER }, details: {} }, context)).rejects.toMatchObject({
      problems: [{ field: 'business_account_id' }],
    });
  });
});

describe('health', () => {
  const asking = () =>
    contextFor({
      META_GRAPH_URL: base,
      META_APP_ID: sandbox.state.app.id,
      META_APP_SECRET: sandbox.state.app.secret,
      META_VERIFY_TOKEN: 'x',
    });
  const number = () => sandbox.state.number(NUMBER)!.number;

  it('is active when all is well', async () => {
    const report = await whatsapp.health!(channel, asking());
    expect(report).toMatchObject({ status: 'active', details: { quality_rating: 'GREEN', throughput: 'HIGH' } });
    expect(report.checks?.map(({ name, ok }) => [name, ok])).toEqual([
      ['token', true],
      ['number', true],
      ['quality', true],
      ['subscription', true],
    ]);
  });

  it('tells what is wrong and what to do', async () => {
    sandbox.state.waba(WABA)!.subscribed = false;
    expect((await whatsapp.health!(channel, asking())).checks).toContainEqual({
      name: 'subscription',
      ok: true,
      message: expect.stringContaining('subscribed again'),
    });
    expect(sandbox.state.waba(WABA)!.subscribed).toBe(true);

    const entities = [{ errors: [{ error_description: 'The bill is not paid.', possible_solution: 'Add a payment method.' }] }];
    number().health_status = { can_send_message: 'BLOCKED', entities };
    expect(await whatsapp.health!(channel, asking())).toMatchObject({
      status: 'failed',
      reason: 'Meta does not let this number send. The bill is not paid. Add a payment method.',
    });
    number().health_status = { can_send_message: 'LIMITED', entities };
    expect(await whatsapp.health!(channel, asking())).toMatchObject({
      status: 'warning',
      reason: expect.stringContaining('The bill is not paid.'),
    });
    number().health_status = { can_send_message: 'LIMITED', entities: [{ additional_info: ['Not verified'] }] };
    expect(await whatsapp.health!(channel, asking())).toMatchObject({ status: 'active' });
    number().health_status = undefined;

    number().quality_rating = 'RED';
    expect(await whatsapp.health!(channel, asking())).toMatchObject({
      status: 'warning',
      reason: expect.stringContaining('Quality rating RED'),
    });
    number().quality_rating = 'GREEN';
    number().status = 'BANNED';
    expect(await whatsapp.health!(channel, asking())).toMatchObject({ status: 'failed', reason: expect.stringContaining('BANNED') });
    number().status = 'CONNECTED';

    const soon = Math.floor(Date.now() / 1000) + 2 * 24 * 3600;
    sandbox.state.addToken({ value: 'ending', expiresAt: soon });
    const ending = { ...channel, credentials: { access_token: 'ending' } };
    expect(await whatsapp.health!(ending, asking())).toMatchObject({
      status: 'warning',
      reason: expect.stringContaining('ends on'),
      expiresAt: new Date(soon * 1000),
    });
    const lacking = { ...channel, credentials: { access_token: 'lacking' } };
    expect(await whatsapp.health!(lacking, asking())).toMatchObject({
      status: 'warning',
      reason: expect.stringContaining('lacks whatsapp_business_management'),
    });
    const dead = { ...channel, credentials: { access_token: 'dead' } };
    expect(await whatsapp.health!(dead, asking())).toMatchObject({ status: 'failed', reason: expect.stringContaining('no longer valid') });
    expect(await whatsapp.health!(dead, context)).toMatchObject({
      status: 'failed',
      reason: expect.stringContaining('Invalid OAuth access token'),
    });
    expect(await whatsapp.health!(channel, contextFor({ META_GRAPH_URL: base }))).toMatchObject({
      status: 'warning',
      reason: expect.stringContaining('META_APP_SECRET'),
    });
  });

  it('notices webhooks that lead elsewhere', async () => {
    sandbox.state.callbackUrl = 'https://elsewhere.example/hook';
    expect(await whatsapp.health!(channel, asking())).toMatchObject({
      status: 'warning',
      reason: expect.stringContaining('elsewhere.example'),
    });
    sandbox.state.callbackUrl = 'https://patchbay.example/hooks/meta';
    expect(await whatsapp.health!(channel, asking())).toMatchObject({ status: 'active' });
    sandbox.state.callbackUrl = undefined;
  });

  it('says nothing about the channel when Meta is down', async () => {
    sandbox.faults.outages = 1;
    await expect(whatsapp.health!(channel, context)).rejects.toMatchObject({ class: 'retry' });
  });
});
