import fc from 'fast-check';
import fastify from 'fastify';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createGoogleSandbox, type GoogleSandbox } from '../../../../sandbox/google/index.ts';
import type { ChannelView, Connector, HttpClient, OutboundMessage } from '../../../src/connectors/connector.ts';
import type { InboundEvent } from '../../../src/connectors/events.ts';
import { businessMessages, google, rcs } from '../../../src/connectors/google/index.ts';
import { uuidv7 } from '../../../src/model/ids.ts';
import { channelOf, configOf, contextOf, hookRequest } from '../../support/connector-context-twilio.ts';

const hook = google.hooks![0]!;
const PHONE = '+14155550100';
const AGENT = 'shop_agent';

let sandbox: GoogleSandbox;
let settings: Record<string, string>;
const receiver = fastify();
let publicUrl: string;
let seen: InboundEvent[] = [];
let rcsChannel: ChannelView;

beforeAll(async () => {
  receiver.removeAllContentTypeParsers();
  receiver.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  receiver.post('/hooks/google', async (request, reply) => {
    const hooked = hookRequest(`${publicUrl}/hooks/google`, request.body as Buffer, request.headers as Record<string, string>);
    const handshake = hook.handshake!(hooked, configOf(settings));
    if (handshake) return reply.code(handshake.status).type(handshake.contentType!).send(handshake.body);
    const claims = hook.claims!(hooked);
    const channels = claims.some((claim) => claim.source === 'rcs' && claim.sourceChannelId === AGENT) ? [rcsChannel] : [];
    const verdict = await hook.verify(hooked, { config: configOf(settings), channels });
    if (verdict !== 'ok') return reply.code(403).send();
    for (const event of hook.unpack(hooked)) {
      const connector: Connector = event.source === 'rcs' ? rcs : businessMessages;
      seen.push(...connector.parse({ ...event, value: undefined }));
    }
    return reply.send();
  });
  publicUrl = await receiver.listen({ port: 0, host: '127.0.0.1' });
});
afterAll(() => receiver.close());

beforeEach(async () => {
  seen = [];
  sandbox = createGoogleSandbox({
    webhookUrl: `${publicUrl}/hooks/google`,
    partnerKey: 'partner',
    agents: { [AGENT]: { clientToken: 'client-token' } },
    unreachable: ['+14155550199'],
  });
  const base = await sandbox.app.listen({ port: 0, host: '127.0.0.1' });
  settings = {
    PUBLIC_URL: publicUrl,
    GOOGLE_BUSINESS_MESSAGES_URL: base,
    GOOGLE_RCS_URL: base,
    GOOGLE_PARTNER_KEY: 'partner',
    GOOGLE_SERVICE_ACCOUNT: sandbox.serviceAccount(base),
  };
  rcsChannel = channelOf({ sourceChannelId: AGENT, settings: { agent_id: AGENT }, credentials: { client_token: 'client-token' } });
  return () => sandbox.app.close();
});

const message = (content: OutboundMessage['content'], to = { kind: 'phonenumber', value: PHONE }): OutboundMessage => ({
  id: uuidv7(),
  to: [to],
  content,
});

describe('Business Messages', () => {
  const event = { agent: `brands/1/agents/gbm-id`, conversationId: 'conv-1', context: { userInfo: { displayName: 'Ada' } } };
  const channel = channelOf({ sourceChannelId: 'gbm-id' });
  const to = { kind: 'google', value: 'conv-1' };

  it('connects as documented, and says that Google ended it', async () => {
    expect(await businessMessages.connect({ gbm_id: 'gbm-id' }, contextOf({}))).toMatchObject({
      sourceChannelId: 'gbm-id',
      status: 'warning',
      statusReason: 'ended by Google on 2024-07-31, use RCS for Business',
    });
    expect(businessMessages.notice).toContain('ended by Google');
  });

  it('answers the verification, checks signatures', async () => {
    expect(await sandbox.verifyWebhook('any')).toBe(true);
    expect(
      await sandbox.businessMessages({ ...event, message: { messageId: 'm1', text: 'hi', createTime: '2024-01-01T00:00:00.123456Z' } }),
    ).toBe(200);
    expect(seen).toMatchObject([
      { kind: 'message', providerId: 'm1', content: { type: 'text', text: 'hi' }, contact: { name: 'Ada', identities: [to] } },
    ]);
    settings.GOOGLE_PARTNER_KEY = 'other';
    expect(await sandbox.businessMessages({ ...event, message: { messageId: 'm2', text: 'hi' } })).toBe(403);
    expect(hook.verify(hookRequest(`${publicUrl}/google`, '{}', {}), { config: configOf(settings), channels: [] })).toBe('missing');
  });

  it('suggestions, surveys, typing, live agents, receipts', async () => {
    const id = uuidv7();
    await sandbox.businessMessages({
      ...event,
      suggestionResponse: { message: `conversations/conv-1/messages/${id}`, postbackData: 'y', text: 'Yes' },
    });
    await sandbox.businessMessages({ ...event, surveyResponse: { questionResponseText: 'Good', questionResponsePostbackData: 'g' } });
    await sandbox.businessMessages({ ...event, userStatus: { isTyping: true } });
    await sandbox.businessMessages({ ...event, userStatus: { requestedLiveAgent: true } });
    await sandbox.businessMessages({
      ...event,
      receipts: { receipts: [{ message: `conversations/conv-1/messages/${id}`, receiptType: 'READ' }] },
    });
    expect(seen).toMatchObject([
      { content: { type: 'reply', payload: 'y' }, replyTo: id },
      { content: { type: 'reply', title: 'Good' } },
      { kind: 'typing', on: true },
      { content: { type: 'system', event: 'requestedLiveAgent' } },
      { kind: 'receipt', state: 'read', providerId: id, ourId: id },
    ]);
  });

  it('sends with a representative and our id, safely twice', async () => {
    sandbox.conversations.set('conv-1', []);
    const context = contextOf(settings);
    const item = message({ type: 'text', text: 'hello' }, to);
    expect(await businessMessages.send!(item, channel, context)).toMatchObject({ providerId: item.id });
    await businessMessages.send!(item, channel, context);
    expect(sandbox.conversations.get('conv-1')).toEqual([
      { representative: { representativeType: 'HUMAN' }, text: 'hello', messageId: item.id },
    ]);
    await businessMessages.send!(
      message({ type: 'native', payload: { text: 'x', representative: { representativeType: 'BOT' } } }, to),
      channel,
      context,
    );
    expect(sandbox.conversations.get('conv-1')![1]).toMatchObject({ representative: { representativeType: 'BOT' } });
    await businessMessages.typing!({ to: [to], on: true }, channel, context);
    expect(sandbox.events).toMatchObject([{ eventType: 'TYPING_STARTED' }]);
  });

  it('classes refusals, and renews a token that ended', async () => {
    const context = contextOf(settings);
    await expect(
      businessMessages.send!(message({ type: 'text', text: 'x' }, { kind: 'google', value: 'nobody' }), channel, context),
    ).rejects.toMatchObject({ class: 'recipient-unreachable' });
    sandbox.conversations.set('conv-1', []);
    sandbox.expireTokens();
    await businessMessages.send!(message({ type: 'text', text: 'x' }, to), channel, context);
    await expect(businessMessages.send!(message({ type: 'text', text: 'x' }, to), channel, contextOf({}))).rejects.toMatchObject({
      class: 'unauthorized',
      message: expect.stringContaining('GOOGLE_SERVICE_ACCOUNT'),
    });
    const broken = { ...settings, GOOGLE_SERVICE_ACCOUNT: JSON.stringify({ client_email: 'a', private_key: 'nonsense' }) };
    await expect(businessMessages.send!(message({ type: 'text', text: 'x' }, to), channel, contextOf(broken))).rejects.toMatchObject({
      class: 'unauthorized',
      message: expect.stringContaining('private key'),
    });
  });
});

describe('RCS', () => {
  it('connects an agent after signing in, and makes a webhook token', async () => {
    const connected = await rcs.connect({ agent_id: `${AGENT}@rbm.goog` }, contextOf(settings));
    expect(connected).toMatchObject({ sourceChannelId: AGENT, credentials: { client_token: expect.stringMatching(/^[0-9a-f]{48}$/) } });
    const channel = channelOf({ ...connected, details: {} } as ChannelView);
    expect(rcs.setup!(channel, configOf(settings)).map((line) => line.value)).toContain(channel.credentials.client_token);
    await expect(rcs.connect({ agent_id: AGENT }, contextOf({}))).rejects.toMatchObject({ code: 'setting-missing' });
  });

  it('text, files, places, suggestions, each signed in its envelope', async () => {
    const from = { senderPhoneNumber: PHONE };
    expect(await sandbox.rcs(AGENT, { ...from, messageId: 'a', text: 'hi' })).toBe(200);
    await sandbox.rcs(AGENT, { ...from, messageId: 'b', location: { latitude: 1, longitude: 2 } });
    await sandbox.rcs(AGENT, {
      ...from,
      messageId: 'c',
      userFile: { payload: { mimeType: 'image/png', fileUri: 'https://f.example/1', fileSizeBytes: 5 } },
    });
    await sandbox.rcs(AGENT, { ...from, messageId: 'd', suggestionResponse: { postbackData: 'p', text: 'Pick', type: 'REPLY' } });
    await sandbox.rcs(AGENT, { ...from, messageId: 'e', text: 'Stop' });
    expect(seen).toMatchObject([
      { providerId: 'a', content: { type: 'text', text: 'hi' }, contact: { identities: [{ kind: 'phonenumber', value: PHONE }] } },
      { content: { type: 'location' } },
      { content: { type: 'image', media: { url: 'https://f.example/1', size: 5 } } },
      { content: { type: 'reply', payload: 'p' } },
      { providerId: 'e' },
      { kind: 'consent', wants: false },
    ]);
    rcsChannel.credentials.client_token = 'other';
    expect(await sandbox.rcs(AGENT, { ...from, messageId: 'f', text: 'hi' })).toBe(403);
    expect(await sandbox.rcs('unknown', { ...from, messageId: 'g', text: 'hi' })).toBe(403);
  });

  it('events', async () => {
    const id = uuidv7();
    for (const eventType of ['DELIVERED', 'READ', 'IS_TYPING', 'UNSUBSCRIBE', 'SUBSCRIBE', 'TTL_EXPIRATION_REVOKED', 'NEW_THING']) {
      await sandbox.rcs(AGENT, { senderPhoneNumber: PHONE, eventType, eventId: 'x', messageId: id });
    }
    expect(seen).toMatchObject([
      { kind: 'receipt', state: 'delivered', ourId: id },
      { kind: 'receipt', state: 'read' },
      { kind: 'typing' },
      { kind: 'consent', wants: false },
      { kind: 'consent', wants: true },
      { kind: 'receipt', state: 'failed', error: { class: 'recipient-unreachable' } },
      { kind: 'ignored' },
    ]);
  });

  it('sends every kind, once per id', async () => {
    const context = contextOf(settings);
    const card = {
      title: 'Chair',
      text: 'Oak',
      media: { url: 'https://s.example/c.jpg' },
      actions: [{ type: 'url' as const, text: 'Buy', url: 'https://s.example' }],
    };
    const contents: OutboundMessage['content'][] = [
      { type: 'text', text: 'hi' },
      { type: 'image', media: { id: 'm1' } },
      { type: 'location', latitude: 1, longitude: 2, name: 'Pier' },
      { type: 'choices', text: 'Which?', choices: [{ id: '1', title: 'One' }] },
      { type: 'cards', cards: [card] },
      { type: 'cards', cards: [card, card] },
      { type: 'native', payload: { text: 'raw' } },
      { type: 'native', payload: { contentMessage: { text: 'raw' }, messageTrafficType: 'TRANSACTION' } },
    ];
    for (const content of contents) {
      const item = message(content);
      await rcs.send!(item, rcsChannel, context);
      await rcs.send!(item, rcsChannel, context);
    }
    expect(sandbox.messages).toHaveLength(contents.length);
    expect(sandbox.messages[4]!.body.contentMessage.richCard.standaloneCard.cardContent.suggestions[0].action.openUrlAction.url).toBe(
      'https://s.example',
    );
    const timed = channelOf({ ...rcsChannel, settings: { agent_id: AGENT, ttl_seconds: 60 } });
    const last = message({ type: 'text', text: 'soon' });
    await rcs.send!(last, timed, context);
    expect(sandbox.messages.at(-1)!.body.ttl).toBe('60s');
    await rcs.revoke!({ providerId: last.id, messageId: last.id, to: last.to }, timed, context);
    expect(sandbox.messages).toHaveLength(contents.length);
  });

  it('calls the region of the agent, and signs in where the installation says', async () => {
    const urls: string[] = [];
    const answering: HttpClient = async (url) => {
      urls.push(url);
      const body = Buffer.from(JSON.stringify({ access_token: 't', expires_in: 3600, features: [] }));
      return { status: 200, headers: new Headers(), body, text: () => body.toString(), json: () => JSON.parse(body.toString()) as unknown };
    };
    const account = { ...(JSON.parse(sandbox.serviceAccount('x')) as object), token_uri: 'https://oauth2.googleapis.com/token' };
    const at = async (region: string | undefined, more: Record<string, string> = {}) => {
      urls.length = 0;
      const context = contextOf({ GOOGLE_SERVICE_ACCOUNT: JSON.stringify(account), ...more }, answering);
      const channel = channelOf({ ...rcsChannel, settings: { agent_id: AGENT, ...(region ? { region } : {}) } });
      await rcs.send!(message({ type: 'text', text: 'x' }), channel, context);
      return urls.map((url) => new URL(url).host);
    };
    expect(await at(undefined)).toEqual(['oauth2.googleapis.com', 'rcsbusinessmessaging.googleapis.com']);
    for (const region of ['us', 'europe', 'asia']) expect((await at(region))[1]).toBe(`${region}-rcsbusinessmessaging.googleapis.com`);
    expect(await at('us', { GOOGLE_OAUTH_URL: 'http://sign-in.test' })).toEqual(['sign-in.test', 'us-rcsbusinessmessaging.googleapis.com']);
  });

  it.each<[string, OutboundMessage['content'], string]>([
    ['a caption', { type: 'image', media: { id: 'm' }, caption: 'x' }, 'no caption'],
    ['two files', { type: 'image', media: { id: 'm' }, more: [{ id: 'n' }] }, 'one file'],
    ['a text beside cards', { type: 'cards', text: 'x', cards: [{ title: 'y' }] }, 'beside cards'],
    ['an empty card', { type: 'cards', cards: [{}] }, 'needs a title'],
    [
      'a long button',
      { type: 'cards', cards: [{ title: 'x', actions: [{ type: 'call', text: 'x'.repeat(26), phone: '+491' }] }] },
      'longer than 25',
    ],
    ['a long id', { type: 'choices', text: 'x', choices: [{ id: 'x'.repeat(2049), title: 'y' }] }, 'longer than 2048'],
  ])('says before sending what it cannot carry: %s', (_what, content, words) => {
    expect(rcs.check!(content, rcsChannel).join()).toContain(words);
  });

  it('tells who can be reached', async () => {
    const context = contextOf(settings);
    expect(await rcs.reach!({ kind: 'phonenumber', value: PHONE }, rcsChannel, context)).toMatchObject({
      reachable: true,
      features: expect.arrayContaining(['RICHCARD_CAROUSEL']),
    });
    expect(await rcs.reach!({ kind: 'phonenumber', value: '+14155550199' }, rcsChannel, context)).toEqual({ reachable: false });
    const item = message({ type: 'text', text: 'x' }, { kind: 'phonenumber', value: '+14155550199' });
    await expect(rcs.send!(item, rcsChannel, context)).rejects.toMatchObject({
      class: 'recipient-unreachable',
      hint: expect.stringContaining('SMS'),
    });
  });

  it.each([
    [429, 'rate-limited'],
    [500, 'retry'],
    [400, 'rejected'],
    [403, 'unauthorized'],
  ])('%i is %s', async (status, errorClass) => {
    const context = contextOf(settings);
    await rcs.reach!({ kind: 'phonenumber', value: PHONE }, rcsChannel, context);
    sandbox.faults.add({ kind: 'answer', status, body: { error: { code: status, message: 'no', status: 'X' } } });
    await expect(rcs.send!(message({ type: 'text', text: 'x' }), rcsChannel, context)).rejects.toMatchObject({
      class: errorClass,
      message: 'no',
    });
  });

  it('marks read and shows typing', async () => {
    const context = contextOf(settings);
    await rcs.markRead!({ providerId: 'a', to: [{ kind: 'phonenumber', value: PHONE }] }, rcsChannel, context);
    await rcs.typing!({ to: [{ kind: 'phonenumber', value: PHONE }], on: true }, rcsChannel, context);
    expect(sandbox.events).toEqual([{ eventType: 'READ', messageId: 'a' }, { eventType: 'IS_TYPING' }]);
  });
});

describe('any body', () => {
  it('is refused or read, and never breaks the hook or the parsers', () => {
    const known = fc.constantFrom(
      'agent',
      'conversationId',
      'message',
      'data',
      'userStatus',
      'receipts',
      'senderPhoneNumber',
      'messageId',
      'eventType',
      'text',
      'secret',
      'userFile',
      'location',
      'suggestionResponse',
    );
    const tree = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: 'small' },
        fc.string(),
        fc.boolean(),
        fc.constant(null),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(known, tie('value')),
      ),
    })).value;
    fc.assert(
      fc.property(
        fc.oneof(
          tree.map((value) => JSON.stringify(value)),
          fc.string(),
          tree.map((value) => JSON.stringify({ message: { data: Buffer.from(JSON.stringify(value)).toString('base64') } })),
        ),
        (body) => {
          const request = hookRequest('https://p.example/hooks/google', body, { 'x-goog-signature': 'AAAA' });
          hook.handshake!(request, configOf({}));
          hook.claims!(request);
          expect(hook.verify(request, { config: configOf({ GOOGLE_PARTNER_KEY: 'k' }), channels: [] })).toBe('wrong');
          for (const connector of [rcs, businessMessages]) {
            try {
              expect(
                connector.parse({ source: connector.source, sourceChannelId: null, contentType: '', body: Buffer.from(body) }).length,
              ).toBeGreaterThan(0);
            } catch (error) {
              expect(error).toBeInstanceOf(Error);
            }
          }
        },
      ),
      { numRuns: 1000 },
    );
  });
});
