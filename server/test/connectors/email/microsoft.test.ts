import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createMicrosoftSandbox, type MicrosoftSandbox, type MicrosoftSandboxOptions } from '../../../../sandbox/email/index.ts';
import { createEmailConnector } from '../../../src/connectors/email/connector.ts';
import { microsoftHook } from '../../../src/connectors/email/hooks.ts';
import { readMailEvent } from '../../../src/connectors/email/parse.ts';
import type { Mailbox } from '../../../src/connectors/email/settings.ts';
import type { MessageEvent } from '../../../src/connectors/events.ts';
import { uuidv7 } from '../../../src/model/ids.ts';
import { nothingKnown } from '../../support/settling.ts';
import { type Listener, listener, mailbox, type TestContext, testContext } from './context.ts';
import { type HookServer, hookServer } from './hooks-server.ts';
import { MAILBOX, mail } from './mail.ts';

const connector = createEmailConnector();
const text = (to: string, id = uuidv7()) => ({
  id,
  to: [{ kind: 'emailaddress', value: to }],
  content: { type: 'text' as const, text: 'Hello' },
});

let sandbox: MicrosoftSandbox;
let hooks: HookServer;
let context: TestContext;
let channel: Mailbox;
let ear: Listener | undefined;
let receiving: Promise<void> | undefined;

async function start(options: MicrosoftSandboxOptions = {}) {
  sandbox = createMicrosoftSandbox(options);
  sandbox.addUser(MAILBOX);
  sandbox.addUser('shared@shop.example');
  const base = await sandbox.app.listen({ port: 0, host: '127.0.0.1' });
  hooks = await hookServer(
    microsoftHook,
    () => [channel],
    {},
    (reason) => ear?.wake(reason),
  );
  context = testContext({ MICROSOFT_LOGIN_URL: base, MICROSOFT_GRAPH_URL: base, PUBLIC_URL: hooks.base });
  const connected = await connector.connect(
    { email: MAILBOX, provider: 'microsoft', client_id: 'sandbox-client', tenant_id: 'sandbox-tenant', client_secret: 'sandbox-secret' },
    context,
  );
  expect(connected.status).toBe('active');
  channel = { ...mailbox(MAILBOX, connected.settings), credentials: connected.credentials };
}

async function listen(cursor?: { value: unknown }) {
  ear = listener(context, cursor);
  receiving = connector.receive!(channel, ear.context);
  await ear.until(() => ear!.reports.length > 0);
  return ear;
}

async function stop() {
  ear?.stop();
  await receiving;
  ear = undefined;
  receiving = undefined;
}

async function end() {
  await stop();
  await Promise.all([sandbox.app.close(), hooks.app.close()]);
}

beforeEach(() => start());
afterEach(end);

describe('connecting', () => {
  const input = { email: MAILBOX, provider: 'microsoft', client_id: 'sandbox-client', tenant_id: 'sandbox-tenant' };

  it.each([
    ['no secret and no consent', {}, /consented/],
    ['an app that the directory does not know', { client_id: 'other', client_secret: 'sandbox-secret' }, /AADSTS700016/],
    ['a directory that is not there', { tenant_id: 'azure_tenant_id', client_secret: 'sandbox-secret' }, /AADSTS90002/],
  ])('%s leaves it pending', async (_, part, reason) => {
    const connected = await connector.connect({ ...input, ...part }, context);
    expect(connected).toMatchObject({ status: 'pending', statusReason: expect.stringMatching(reason), sourceChannelId: MAILBOX });
  });

  it('an unreachable Microsoft leaves it pending', async () => {
    const away = testContext({ MICROSOFT_LOGIN_URL: 'http://127.0.0.1:1', MICROSOFT_GRAPH_URL: 'http://127.0.0.1:1' });
    expect((await connector.connect({ ...input, client_secret: 'x' }, away)).status).toBe('pending');
  });

  it('refuses a wrong secret and a mailbox that is not there', async () => {
    await expect(connector.connect({ ...input, client_secret: 'wrong' }, context)).rejects.toMatchObject({
      class: 'unauthorized',
      code: 'invalid_client',
    });
    await expect(connector.connect({ ...input, email: 'no@shop.example', client_secret: 'sandbox-secret' }, context)).rejects.toMatchObject(
      { class: 'rejected' },
    );
    await expect(connector.connect({ email: MAILBOX, provider: 'microsoft' }, context)).rejects.toMatchObject({
      code: 'invalid',
      problems: [{ field: 'client_id' }],
    });
  });

  it('takes the installation’s secret where the channel brings none', async () => {
    const settings = {
      MICROSOFT_CLIENT_SECRET: 'sandbox-secret',
      MICROSOFT_LOGIN_URL: context.config.get('MICROSOFT_LOGIN_URL')!,
      MICROSOFT_GRAPH_URL: context.config.get('MICROSOFT_GRAPH_URL')!,
    };
    expect((await connector.connect(input, testContext(settings))).status).toBe('active');
  });

  it('by consent in the browser', async () => {
    const redirectUri = 'https://patchbay.example/oauth';
    const request = (await connector.consent!.start(channel, context, { redirectUri, state: 's1' }))!;
    const answer = await fetch(request.url, { redirect: 'manual' });
    const back = new URL(answer.headers.get('location')!);
    expect(back.searchParams.get('state')).toBe('s1');
    const repaired = await connector.consent!.finish(channel, context, {
      redirectUri,
      code: back.searchParams.get('code')!,
      keep: request.keep,
    });
    expect(repaired).toMatchObject({
      status: 'active',
      credentials: { refresh_token: expect.any(String), client_state: channel.credentials.client_state },
    });
    channel = { ...channel, credentials: repaired.credentials };
    await connector.send!(text('ann@example.com'), channel, context);
    sandbox.expireTokens();
    await connector.send!(text('ann@example.com'), channel, context);
    expect(sandbox.sent).toHaveLength(2);
    sandbox.revokeConsent();
    expect(await connector.health!(channel, context)).toMatchObject({ status: 'failed', reason: expect.stringContaining('grant access') });
  });
});

describe('sending', () => {
  it('knows the Message-ID before the mail leaves', async () => {
    const id = uuidv7();
    const receipt = await connector.send!(text('ann@example.com', id), channel, context);
    expect(receipt.providerId).toBe(`${id}@shop.example`);
    expect(sandbox.sent[0]).toMatchObject({ to: ['ann@example.com'] });
  });

  it('waits as long as Microsoft says, and sends one mail after all', async () => {
    sandbox.faults.add({
      match: '/send',
      status: 429,
      headers: { 'retry-after': '7' },
      body: { error: { code: 'ApplicationThrottled', message: 'slow down' } },
    });
    const message = text('ann@example.com');
    await expect(connector.send!(message, channel, context)).rejects.toMatchObject({ class: 'rate-limited', retryAfterMs: 7000 });
    await connector.send!(message, channel, context);
    expect(sandbox.sent).toHaveLength(1);
    expect(sandbox.mailboxes.get(MAILBOX)!.filter((stored) => stored.draft)).toHaveLength(0);
  });

  it('settles a send without an answer', async () => {
    const message = text('ann@example.com');
    sandbox.faults.add({ match: '/send', kind: 'lost' });
    await expect(connector.send!(message, channel, context)).rejects.toMatchObject({ class: 'unknown-outcome' });
    expect(await connector.settle!(message, channel, context, nothingKnown)).toMatchObject({
      outcome: 'accepted',
      providerId: `${message.id}@shop.example`,
    });
    expect(await connector.settle!(text('ann@example.com'), channel, context, nothingKnown)).toEqual({ outcome: 'never-received' });
  });

  it('refreshes a token that was taken back', async () => {
    await connector.send!(text('ann@example.com'), channel, context);
    sandbox.expireTokens();
    await connector.send!(text('ann@example.com'), channel, context);
    expect(sandbox.sent).toHaveLength(2);
  });

  it('uploads large files in ranges', async () => {
    context.files.set('big', { data: Buffer.alloc(9_000_000, 'x'), mimeType: 'application/zip', filename: 'big.zip' });
    context.files.set('small', { data: Buffer.from('x'), mimeType: 'text/plain', filename: 's.txt' });
    const message = {
      ...text('ann@example.com'),
      content: { type: 'email' as const, subject: 's', text: 't', attachments: [{ id: 'big' }, { id: 'small' }] },
    };
    await connector.send!(message, channel, context);
    expect(sandbox.sent).toHaveLength(1);
  });
});

describe('an app that may do only some of it', () => {
  const denied = { status: 403, body: { error: { code: 'ErrorAccessDenied', message: 'Access is denied.' } } };

  it('sends whole mails where it may not write drafts', async () => {
    sandbox.faults.add({ match: `POST /v1.0/users/${MAILBOX}/messages`, ...denied });
    const message = text('ann@example.com');
    expect(await connector.send!(message, channel, context)).toMatchObject({ providerId: `${message.id}@shop.example` });
    expect(sandbox.sent).toMatchObject([{ to: ['ann@example.com'] }]);
  });

  it('asks for mail where it may not subscribe', async () => {
    sandbox.faults.add({ match: 'POST /v1.0/subscriptions', ...denied });
    const heard = await listen();
    expect(heard.reports).toMatchObject([{ status: 'active' }]);
    await sandbox.receive(MAILBOX, mail({}));
    heard.wake();
    await heard.until(() => heard.events.length === 1);
  });
});

describe('a token', () => {
  it('is asked for once, however many want one, though every refresh token is good only once', async () => {
    channel = { ...channel, credentials: { ...channel.credentials, refresh_token: sandbox.grant() } };
    context.memos.clear();
    sandbox.tokenRequests.length = 0;
    await Promise.all(Array.from({ length: 5 }, () => connector.send!(text('ann@example.com'), channel, context)));
    expect(sandbox.sent).toHaveLength(5);
    expect(sandbox.tokenRequests).toEqual(['refresh_token']);
    sandbox.expireTokens();
    await Promise.all(Array.from({ length: 5 }, () => connector.send!(text('ann@example.com'), channel, context)));
    expect(sandbox.tokenRequests).toEqual(['refresh_token', 'refresh_token']);
  });

  it('is refreshed before its time is over, also a short one', async () => {
    await end();
    await start({ tokenLifetime: 60 });
    context.memos.clear();
    sandbox.tokenRequests.length = 0;
    await connector.send!(text('ann@example.com'), channel, context);
    await connector.send!(text('ann@example.com'), channel, context);
    expect(sandbox.tokenRequests).toHaveLength(1);
  });

  it('that connecting used up is replaced by the one that came for it', async () => {
    const given = sandbox.grant();
    const input = { email: MAILBOX, provider: 'microsoft', client_id: 'sandbox-client', tenant_id: 'sandbox-tenant' };
    const secrets = { client_secret: 'sandbox-secret', refresh_token: given };
    const connected = await connector.connect({ ...input, ...secrets }, context);
    context.memos.clear();
    expect(connected.credentials.refresh_token).toEqual(expect.not.stringMatching(given));
    await connector.send!(text('ann@example.com'), { ...channel, credentials: connected.credentials }, context);
    expect(sandbox.sent).toHaveLength(1);
  });
});

describe('receiving', () => {
  it('writes a large mail to the disk as it comes', async () => {
    const heard = await listen();
    const raw = mail({ Subject: 'Large' }, 'x'.repeat(70).concat('\n').repeat(30_000));
    await sandbox.receive(MAILBOX, raw);
    await heard.until(() => heard.events.length === 1);
    expect(heard.events[0]!.body.length).toBeLessThan(raw.length);
    const [event] = (await readMailEvent(heard.events[0]!, { spool: heard.context.spool })) as MessageEvent[];
    expect((event!.content as { text: string }).text.length).toBeGreaterThan(900_000);
  });

  it('takes what came between connecting and the first look', async () => {
    sandbox.mailboxes.put(MAILBOX, 'inbox', mail({}));
    channel = { ...channel, details: { connectedAt: new Date().toISOString() } };
    expect((await listen()).events).toHaveLength(1);
    await stop();
    channel = { ...channel, details: { connectedAt: new Date(Date.now() + 3_600_000).toISOString() } };
    expect((await listen()).events).toHaveLength(0);
  });

  it('is woken by a notification, and knows its own', async () => {
    const heard = await listen();
    expect(sandbox.subscriptions.size).toBe(1);
    await sandbox.receive(MAILBOX, mail({ Subject: 'One' }));
    await heard.until(() => heard.events.length === 1);
    const [event] = (await readMailEvent(heard.events[0]!)) as MessageEvent[];
    expect(event).toMatchObject({ content: { subject: 'One' }, facts: { graphId: expect.any(String) } });
    expect(sandbox.notified).toEqual([202]);
  });

  it('refuses notifications that do not know the secret', async () => {
    await listen();
    const url = [...sandbox.subscriptions.values()][0]!.notificationUrl;
    const post = (body: unknown) =>
      fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
    expect((await post({ value: [{ clientState: 'wrong' }] })).status).toBe(401);
    expect((await post({ value: [{ clientState: channel.credentials.client_state }, { clientState: 'wrong' }] })).status).toBe(401);
    expect((await post({ value: [{}] })).status).toBe(401);
    expect((await post({ value: [] })).status).toBe(401);
    expect((await post('x')).status).toBe(401);
    expect(hooks.wakes).toEqual([]);
  });

  it('follows every page, in order, once', async () => {
    const cursor = { value: undefined as unknown };
    await listen(cursor);
    await stop();
    for (let i = 0; i < 120; i++) sandbox.mailboxes.put(MAILBOX, 'inbox', mail({ 'Message-ID': `<p${i}@x>`, Subject: `${i}` }));
    const heard = await listen(cursor);
    expect(heard.events).toHaveLength(120);
    await stop();
    expect((await listen(cursor)).events).toHaveLength(0);
  });

  it('starts over when the delta link is gone, without losing a mail', async () => {
    const cursor = { value: undefined as unknown };
    await listen(cursor);
    await stop();
    sandbox.mailboxes.put(MAILBOX, 'inbox', mail({}));
    sandbox.loseDelta();
    expect((await listen(cursor)).events.length).toBeGreaterThanOrEqual(1);
  });

  it('renews, makes anew and reauthorises its subscription', async () => {
    const heard = await listen();
    const [first] = [...sandbox.subscriptions.keys()];
    const before = sandbox.subscriptions.get(first!)!.expirationDateTime;
    await sandbox.lifecycle('reauthorizationRequired');
    await heard.until(() => sandbox.subscriptions.get(first!)!.expirationDateTime !== before);
    await sandbox.lifecycle('subscriptionRemoved');
    await heard.until(() => sandbox.subscriptions.size === 1);
    expect([...sandbox.subscriptions.keys()]).not.toContain(first);
    sandbox.mailboxes.put(MAILBOX, 'inbox', mail({}));
    await sandbox.lifecycle('missed');
    await heard.until(() => heard.events.length === 1);
    expect(hooks.wakes).toEqual(['reauthorizationRequired', 'subscriptionRemoved', 'missed']);
  });

  it('passes over a mail that Microsoft never hands out, and says so', async () => {
    const heard = await listen();
    const bad = sandbox.mailboxes.put(MAILBOX, 'inbox', mail({ 'Message-ID': '<bad@x>' }));
    sandbox.mailboxes.put(MAILBOX, 'inbox', mail({ 'Message-ID': '<good@x>' }));
    sandbox.faults.add({
      match: `/messages/${bad.id}/$value`,
      times: 100,
      status: 500,
      body: { error: { code: 'ErrorInternalServerError', message: 'broken' } },
    });
    while (heard.events.length < 2) {
      heard.wake();
      await new Promise((next) => setTimeout(next, 5));
    }
    await expect(readMailEvent(heard.events[0]!)).rejects.toThrow(`the mail ${bad.id} could not be fetched from the mailbox`);
    expect((await readMailEvent(heard.events[1]!))[0]).toMatchObject({ providerId: 'good@x' });
    await heard.until(() => heard.reports.at(-1)?.status === 'active');
  });

  it('makes its subscription anew when its secret was replaced', async () => {
    const cursor = { value: undefined as unknown };
    await listen(cursor);
    await stop();
    const [first] = [...sandbox.subscriptions.keys()];
    channel = { ...channel, credentials: { ...channel.credentials, client_state: 'another-secret' } };
    const heard = await listen(cursor);
    expect([...sandbox.subscriptions.keys()].filter((id) => id !== first)).toHaveLength(1);
    sandbox.subscriptions.delete(first!);
    await sandbox.receive(MAILBOX, mail({}));
    await heard.until(() => heard.events.length === 1);
    expect(sandbox.notified).toEqual([202]);
  });

  it('asks instead where no subscription can be had', async () => {
    await hooks.app.close();
    const heard = await listen();
    expect(sandbox.subscriptions.size).toBe(0);
    await sandbox.receive(MAILBOX, mail({}));
    heard.wake();
    await heard.until(() => heard.events.length === 1);
  });

  it('turns to attention when access is taken back, and recovers', async () => {
    const heard = await listen();
    sandbox.faults.add({
      match: '/messages/delta',
      status: 403,
      body: { error: { code: 'ErrorAccessDenied', message: 'Access is denied.' } },
    });
    heard.wake();
    await heard.until(() => heard.reports.at(-1)?.status === 'failed');
    expect(heard.reports.at(-1)!.reason).toContain('Access is denied');
    heard.wake();
    await heard.until(() => heard.reports.at(-1)?.status === 'active');
  });

  it('does not move on before a mail is durable', async () => {
    const heard = await listen();
    const { deliver } = heard.context;
    let refusals = 1;
    heard.context.deliver = async (events) => {
      if (refusals-- > 0) throw new Error('database away');
      await deliver(events);
    };
    await sandbox.receive(MAILBOX, mail({}));
    await heard.until(() => heard.events.length === 1);
  });

  it('unsubscribes when disconnected', async () => {
    await listen();
    await stop();
    await connector.disconnect!(channel, context, { lastOfAccount: true });
    expect(sandbox.subscriptions.size).toBe(0);
  });
});
