import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createMetaSandbox, type MetaSandbox } from '../../../../sandbox/meta/index.ts';
import type { ChannelView, OutboundMessage } from '../../../src/connectors/connector.ts';
import { metaHook } from '../../../src/connectors/meta/hook.ts';
import { facebook } from '../../../src/connectors/meta/messenger/facebook.ts';
import { instagram } from '../../../src/connectors/meta/messenger/instagram.ts';
import type { Content } from '../../../src/model/content.ts';
import { uuidv7 } from '../../../src/model/ids.ts';
import { nothingKnown } from '../../support/settling.ts';
import { channelOf, contextFor, type TestContext } from './support.ts';

const PAGE = '123456789';
const ACCOUNT = '17841400000000001';
let sandbox: MetaSandbox;
let base: string;
let context: TestContext;
let page: ChannelView<any, any>;
let account: ChannelView<any, any>;
let clock = Date.now();

beforeAll(async () => {
  sandbox = createMetaSandbox({
    now: () => clock,
    tokens: [{ value: 'user' }],
    pages: [
      { id: PAGE, name: 'Jasper’s Market', instagram: { id: ACCOUNT, username: 'jaspers', name: 'Jasper’s' } },
      ...Array.from({ length: 30 }, (_, index) => ({ id: `90${index}`, name: `Page ${index}` })),
    ],
  });
  await sandbox.app.listen({ port: 0, host: '127.0.0.1' });
  base = `http://127.0.0.1:${(sandbox.app.server.address() as AddressInfo).port}`;
});
afterAll(() => sandbox.app.close());

beforeEach(async () => {
  clock = Date.now();
  context = contextFor({
    META_GRAPH_URL: base,
    META_APP_ID: sandbox.state.app.id,
    META_APP_SECRET: sandbox.state.app.secret,
    META_VERIFY_TOKEN: 'x',
  });
  page = channelOf(await facebook.connect({ page_id: PAGE, page_token: 'user' }, context));
  account = channelOf(await instagram.connect({ page_id: PAGE, page_token: 'user', account_id: ACCOUNT }, context));
});

const message = (to: string, kind: string, content: Content, more: Partial<OutboundMessage> = {}): OutboundMessage => ({
  id: uuidv7(),
  to: [{ kind, value: to }],
  content,
  ...more,
});
const lastSent = () => sandbox.state.sent.at(-1)!.body as any;

describe('connecting', () => {
  it('exchanges the token, reads the page, subscribes the app', async () => {
    const stored = sandbox.state.page(PAGE)!;
    stored.subscribedFields = undefined;
    expect(await facebook.connect({ page_id: PAGE, page_token: 'user' }, context)).toMatchObject({
      sourceChannelId: PAGE,
      name: 'Jasper’s Market',
      imageUrl: `https://scontent.example/${PAGE}.jpg`,
      settings: { page_id: PAGE },
      credentials: { page_token: `page-token-${PAGE}` },
    });
    expect(stored.subscribedFields).toEqual(expect.arrayContaining(['messages', 'messaging_postbacks', 'message_echoes', 'message_reads']));
    expect(context.calls.some(({ url }) => url.includes('fb_exchange_token=user'))).toBe(true);
    expect(context.calls.every(({ url }) => !url.includes('access_token='))).toBe(true);
  });

  it('finds the Instagram account of the page', async () => {
    expect(await instagram.connect({ page_id: PAGE, page_token: 'user' }, context)).toMatchObject({
      sourceChannelId: ACCOUNT,
      name: 'Jasper’s',
      settings: { page_id: PAGE, account_id: ACCOUNT },
    });
    await expect(instagram.connect({ page_id: PAGE, page_token: 'user', account_id: '1' }, context)).rejects.toMatchObject({
      code: 'unknown-account',
    });
    await expect(instagram.connect({ page_id: '901', page_token: 'user' }, context)).rejects.toMatchObject({
      code: 'unknown-account',
      message: expect.stringContaining('No Instagram'),
    });
  });

  it('passes on Meta’s refusals', async () => {
    await expect(facebook.connect({ page_id: PAGE, page_token: 'bad' }, context)).rejects.toMatchObject({
      code: 'invalid-token',
      message: expect.stringContaining('Invalid OAuth access token'),
    });
    await expect(facebook.connect({ page_id: '404', page_token: 'user' }, context)).rejects.toMatchObject({ code: 'unknown-account' });
    const bare = contextFor({ META_GRAPH_URL: base });
    await expect(facebook.connect({ page_id: PAGE, page_token: 'bad' }, bare)).rejects.toMatchObject({ code: 'invalid-token' });
    expect(await facebook.connect({ page_id: PAGE, page_token: `page-token-${PAGE}` }, bare)).toMatchObject({ sourceChannelId: PAGE });
  });

  it('unsubscribes when neither channel needs the page any longer', async () => {
    expect(facebook.account!(page)).toBe(instagram.account!(account));
    await facebook.disconnect!(page, context, { lastOfAccount: false });
    expect(sandbox.state.page(PAGE)!.subscribedFields).toBeDefined();
    await instagram.disconnect!(account, context, { lastOfAccount: true });
    expect(sandbox.state.page(PAGE)!.subscribedFields).toBeUndefined();
  });

  it('explores over all pages, giving no token away', async () => {
    const pages = await facebook.explore!({ auth_token: 'user' }, context);
    expect(pages).toHaveLength(31);
    expect(pages[0]).toEqual({ sourceChannelId: PAGE, name: 'Jasper’s Market', imageUrl: expect.any(String), input: { page_id: PAGE } });
    expect(await instagram.explore!({ token: 'user' }, context)).toMatchObject([
      { sourceChannelId: ACCOUNT, input: { page_id: PAGE, account_id: ACCOUNT } },
    ]);
    await expect(facebook.explore!({ auth_token: 'bad' }, context)).rejects.toMatchObject({ code: 'invalid-token' });
  });
});

describe('sending on Messenger', () => {
  const customer = () => sandbox.pageCustomer(PAGE, '5551');
  const send = (content: Content, more?: Partial<OutboundMessage>) => facebook.send!(message('5551', 'psid', content, more), page, context);

  it.each([
    [{ type: 'text', text: 'Hello' }, { text: 'Hello' }],
    [
      { type: 'image', media: { url: 'https://x.example/a.png' } },
      { attachment: { type: 'image', payload: { url: 'https://x.example/a.png', is_reusable: true } } },
    ],
    [
      { type: 'choices', text: 'Which?', choices: [{ id: 'a', title: 'A' }] },
      { text: 'Which?', quick_replies: [{ content_type: 'text', title: 'A', payload: 'a' }] },
    ],
    [
      {
        type: 'cards',
        cards: [
          {
            title: 'T',
            text: 'S',
            media: { url: 'https://x.example/a.png' },
            actions: [
              { type: 'url', text: 'Go', url: 'https://x.example' },
              { type: 'reply', text: 'R', payload: 'P' },
              { type: 'call', text: 'C', phone: '+1' },
            ],
          },
        ],
      },
      {
        attachment: {
          type: 'template',
          payload: {
            template_type: 'generic',
            elements: [
              {
                title: 'T',
                subtitle: 'S',
                image_url: 'https://x.example/a.png',
                buttons: [{ type: 'web_url' }, { type: 'postback' }, { type: 'phone_number' }],
              },
            ],
          },
        },
      },
    ],
    [{ type: 'native', payload: { text: 'as is' } }, { text: 'as is' }],
  ] as [Content, object][])('%j', async (content, body) => {
    customer().text('hi');
    expect(await send(content)).toMatchObject({ providerId: expect.stringMatching(/^m_/), state: 'sent' });
    expect(lastSent()).toMatchObject({ recipient: { id: '5551' }, messaging_type: 'RESPONSE', message: body });
    if (content.type === 'native') expect(lastSent().message).toEqual(body);
  });

  it('uploads a file once', async () => {
    customer().text('hi');
    context.files.set('f1', { data: Buffer.from('bytes'), mimeType: 'image/png', filename: 'a.png' });
    await send({ type: 'image', media: { id: 'f1' } });
    const first = lastSent().message.attachment.payload.attachment_id;
    await send({ type: 'image', media: { id: 'f1' } });
    expect(lastSent().message.attachment.payload).toEqual({ attachment_id: first });
    expect(sandbox.state.media.get(first)).toMatchObject({ mimeType: 'image/png' });
    sandbox.state.media.delete(first);
    await send({ type: 'image', media: { id: 'f1' } });
    const second = lastSent().message.attachment.payload.attachment_id;
    expect(second).not.toBe(first);
    expect(context.memos.get('upload:f1')).toBe(second);
  });

  it('knows the window, and the longer one for people', async () => {
    customer().text('hi');
    clock += 25 * 3600 * 1000;
    await expect(send({ type: 'text', text: 'late' })).rejects.toMatchObject({ class: 'window-closed', code: '10' });
    await send({ type: 'text', text: 'late' }, { tag: 'HUMAN_AGENT' });
    expect(lastSent()).toMatchObject({ messaging_type: 'MESSAGE_TAG', tag: 'HUMAN_AGENT' });
    clock += 7 * 24 * 3600 * 1000;
    await expect(send({ type: 'text', text: 'late' }, { tag: 'HUMAN_AGENT' })).rejects.toMatchObject({ class: 'window-closed' });
    await expect(facebook.send!(message('404', 'psid', { type: 'text', text: 'x' }), page, context)).rejects.toMatchObject({
      class: 'recipient-unreachable',
    });
  });

  it('replies, reacts, marks as seen, types', async () => {
    const mid = customer().text('hi');
    const to = [{ kind: 'psid', value: '5551' }];
    await send({ type: 'text', text: 'x' }, { replyToProviderId: mid });
    expect(lastSent().reply_to).toEqual({ mid });
    await facebook.react!({ providerId: mid, emoji: '🎉', to }, page, context);
    await facebook.react!({ providerId: mid, emoji: null, to }, page, context);
    await facebook.markRead!({ providerId: mid, to }, page, context);
    await facebook.typing!({ to, on: true }, page, context);
    await expect(facebook.typing!({ to: [{ kind: 'psid', value: '404' }], on: true }, page, context)).rejects.toMatchObject({
      class: 'recipient-unreachable',
    });
  });

  it('asks the conversation what became of a message', async () => {
    customer().text('hi');
    const lost = message('5551', 'psid', { type: 'text', text: 'Did this arrive?' });
    sandbox.faults.lostAnswers = 1;
    await expect(facebook.send!(lost, page, context)).rejects.toMatchObject({ class: 'unknown-outcome' });
    const providerId = sandbox.state.sent.at(-1)!.id;
    expect(await facebook.settle!(lost, page, context, nothingKnown)).toEqual({ outcome: 'accepted', providerId, state: 'sent' });
    const other = message('5551', 'psid', { type: 'text', text: 'This was never sent' });
    expect(await facebook.settle!(other, page, context, nothingKnown)).toEqual({ outcome: 'unknown' });
    const later = { ...context, now: () => new Date(Date.now() + 300_000) };
    expect(await facebook.settle!(other, page, later, nothingKnown)).toEqual({ outcome: 'never-received' });
    // A message that waited in line is asked about from the time of its call, not of its making.
    const waited = { ...other, calledAt: new Date(Date.now() + 240_000) };
    expect(await facebook.settle!(waited, page, later, nothingKnown)).toEqual({ outcome: 'unknown' });
    const known = async (ids: string[]) => new Set(ids);
    expect(await facebook.settle!(lost, page, later, known)).toEqual({ outcome: 'never-received' });
    const picture = message('5551', 'psid', { type: 'image', media: { url: 'https://x.example/a' } });
    expect(await facebook.settle!(picture, page, later, nothingKnown)).toEqual({ outcome: 'unknown' });
    expect(await facebook.settle!(picture, page, later, known)).toEqual({ outcome: 'never-received' });
  });

  it('hears its own echo, and what became of the message', async () => {
    customer().text('hi');
    const heard: any[] = [];
    sandbox.pointTo(async ({ headers, body }) => {
      const request = { method: 'POST', url: '', path: '', query: {}, headers, body: Buffer.from(body) };
      expect(metaHook.verify(request, { config: context.config, channels: [] })).toBe('ok');
      for (const piece of metaHook.unpack(request))
        heard.push(...(piece.source === 'facebook' ? facebook : instagram).parse(piece, context.config));
      return 200;
    });
    const outgoing = message('5551', 'psid', { type: 'text', text: 'x' });
    const { providerId } = await facebook.send!(outgoing, page, context);
    await sandbox.webhooks.settled();
    expect(heard).toMatchObject([
      { kind: 'message', direction: 'out', ourId: outgoing.id, providerId },
      { kind: 'receipt', state: 'delivered', providerId },
      { kind: 'receipt', state: 'delivered', upTo: {} },
      { kind: 'receipt', state: 'read', upTo: { contact: { identities: [{ kind: 'psid', value: '5551' }] } } },
    ]);
  });
});

describe('sending on Instagram', () => {
  it('lets Meta fetch files, and takes one reaction', async () => {
    const mid = sandbox.pageCustomer(ACCOUNT, '777').text('hi');
    const to = [{ kind: 'igsid', value: '777' }];
    await instagram.send!(message('777', 'igsid', { type: 'image', media: { id: 'f1' } }), account, context);
    expect(lastSent().message).toEqual({
      attachment: { type: 'image', payload: { url: 'https://patchbay.example/media/f1', is_reusable: true } },
    });
    await instagram.react!({ providerId: mid, emoji: '❤️', to }, account, context);
    await expect(instagram.react!({ providerId: mid, emoji: '👍', to }, account, context)).rejects.toMatchObject({ class: 'rejected' });
    await expect(instagram.send!(message('777', 'igsid', { type: 'text', text: 'é'.repeat(501) }), account, context)).rejects.toMatchObject(
      { class: 'rejected', code: '100' },
    );
  });
});

describe('people, files and health', () => {
  it('asks for names and pictures', async () => {
    sandbox.pageCustomer(PAGE, '5551').text('hi');
    expect(await facebook.profile!({ kind: 'psid', value: '5551' }, page, context)).toMatchObject({
      name: 'Sandra Box',
      avatarUrl: expect.any(String),
    });
    expect(await instagram.profile!({ kind: 'igsid', value: '5551' }, account, context)).toMatchObject({ name: 'Sandra Box' });
    await expect(facebook.profile!({ kind: 'psid', value: '404' }, page, context)).rejects.toMatchObject({ class: 'rejected' });
  });

  it('tells how the page is doing', async () => {
    expect(await facebook.health!(page, context)).toMatchObject({ status: 'active' });
    expect(await instagram.health!(account, context)).toMatchObject({ status: 'active', details: { username: 'jaspers' } });
  });

  it.each([[['feed']], [undefined]])('subscribes the page again when it is not subscribed to messages but to %s', async (fields) => {
    sandbox.state.page(PAGE)!.subscribedFields = fields;
    const report = await facebook.health!(page, context);
    expect(report).toMatchObject({ status: 'active' });
    expect(report.checks).toContainEqual({ name: 'subscription', ok: true, message: expect.stringContaining('subscribed again') });
    expect(sandbox.state.page(PAGE)!.subscribedFields).toContain('messages');
  });
});
