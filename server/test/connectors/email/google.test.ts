import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createGmailSandbox, type GmailSandbox, type GmailSandboxOptions } from '../../../../sandbox/email/index.ts';
import { createEmailConnector } from '../../../src/connectors/email/connector.ts';
import { readRawMessage } from '../../../src/connectors/email/gmail-raw.ts';
import { gmailHook } from '../../../src/connectors/email/hooks.ts';
import { readMailEvent } from '../../../src/connectors/email/parse.ts';
import { bytesOf, factsOf } from '../../../src/connectors/email/raw.ts';
import type { Mailbox } from '../../../src/connectors/email/settings.ts';
import type { MessageEvent } from '../../../src/connectors/events.ts';
import { uuidv7 } from '../../../src/model/ids.ts';
import { nothingKnown } from '../../support/settling.ts';
import { type Listener, listener, mailbox, type TestContext, testContext, testSpool } from './context.ts';
import { type HookServer, hookServer } from './hooks-server.ts';
import { MAILBOX, mail } from './mail.ts';

const connector = createEmailConnector();
const input = {
  email: MAILBOX,
  provider: 'google',
  client_id: 'sandbox-client',
  client_secret: 'sandbox-secret',
  refresh_token: 'sandbox-refresh',
  topic: 'projects/p/topics/t',
  push_account: 'push@sandbox.iam.gserviceaccount.com',
};
const text = (id = uuidv7()) => ({
  id,
  to: [{ kind: 'emailaddress', value: 'ann@example.com' }],
  content: { type: 'text' as const, text: 'Hello' },
});

let sandbox: GmailSandbox;
let hooks: HookServer;
let context: TestContext;
let channel: Mailbox;
let ear: Listener | undefined;
let receiving: Promise<void> | undefined;

async function start(options: Partial<GmailSandboxOptions> = {}) {
  const settings: Record<string, string> = {};
  hooks = await hookServer(
    gmailHook,
    () => [channel],
    settings,
    (reason) => ear?.wake(reason),
  );
  sandbox = await createGmailSandbox({ address: MAILBOX, pushUrl: `${hooks.base}/hooks/gmail`, ...options });
  const base = await sandbox.app.listen({ port: 0, host: '127.0.0.1' });
  Object.assign(settings, { GOOGLE_OAUTH_URL: base, GMAIL_API_URL: base, PUBLIC_URL: hooks.base });
  context = testContext(settings);
  const connected = await connector.connect(input, context);
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
  it('a consent that has ended leaves it pending, a wrong client is refused', async () => {
    expect(await connector.connect({ ...input, refresh_token: 'old' }, context)).toMatchObject({
      status: 'pending',
      statusReason: expect.stringContaining('revoked'),
    });
    const { refresh_token: _, ...without } = input;
    expect(await connector.connect(without, context)).toMatchObject({
      status: 'pending',
      statusReason: expect.stringContaining('consented'),
    });
    await expect(connector.connect({ ...input, client_secret: 'wrong' }, context)).rejects.toMatchObject({
      class: 'unauthorized',
      code: 'invalid_client',
    });
  });

  it('names the setting that is missing', async () => {
    await expect(connector.connect({ email: MAILBOX, provider: 'google' }, context)).rejects.toMatchObject({
      code: 'setting-missing',
      message: expect.stringContaining('GOOGLE_CLIENT_ID'),
    });
  });

  it('says when access was granted for another mailbox', async () => {
    expect(await connector.connect({ ...input, email: 'other@shop.example' }, context)).toMatchObject({
      status: 'warning',
      statusReason: expect.stringContaining(MAILBOX),
    });
  });

  it('is repaired by a consent in the browser', async () => {
    sandbox.revokeConsent();
    expect(await connector.health!(channel, context)).toMatchObject({ status: 'failed', reason: expect.stringContaining('revoked') });
    const redirectUri = 'https://patchbay.example/oauth';
    const request = (await connector.consent!.start(channel, context, { redirectUri, state: 's' }))!;
    const back = new URL((await fetch(request.url, { redirect: 'manual' })).headers.get('location')!);
    const repaired = await connector.consent!.finish(channel, context, {
      redirectUri,
      code: back.searchParams.get('code')!,
      keep: request.keep,
    });
    expect(repaired).toMatchObject({ status: 'active', credentials: { refresh_token: expect.not.stringMatching('sandbox-refresh') } });
    await connector.send!(text(), { ...channel, credentials: repaired.credentials }, context);
    expect(sandbox.sent).toHaveLength(1);
  });
});

describe('sending', () => {
  it('answers in the thread', async () => {
    const heard = await listen();
    const asked = await sandbox.receive(mail({ Subject: 'Question' }));
    await heard.until(() => heard.events.length === 1);
    const [question] = (await readMailEvent(heard.events[0]!)) as MessageEvent[];
    const receipt = await connector.send!({ ...text(), thread: question!.thread }, channel, context);
    expect(sandbox.sent[0]!.mail.threadId).toBe(asked.threadId);
    expect(sandbox.sent[0]!.mail.raw.toString()).toContain('Subject: Re: Question');
    expect(receipt.threadData).toMatchObject({ gmailThreadId: asked.threadId });
  });

  it('large mails go by upload', async () => {
    context.files.set('big', { data: Buffer.alloc(6_000_000, 'x'), mimeType: 'application/zip', filename: 'b.zip' });
    await connector.send!(
      { ...text(), content: { type: 'email', subject: 's', text: 't', attachments: [{ id: 'big' }] } },
      channel,
      context,
    );
    expect(sandbox.sent[0]!.mail.raw.length).toBeGreaterThan(8_000_000);
  });

  it('learns the Message-ID that Gmail gave, and knows its own copy by its mark', async () => {
    await end();
    await start({ ownMessageIds: true });
    const heard = await listen();
    const message = text();
    const receipt = await connector.send!(message, channel, context);
    expect(receipt.providerId).toMatch(/@mail\.gmail\.com$/);
    heard.wake();
    await heard.until(() => heard.events.length === 1);
    expect((await readMailEvent(heard.events[0]!))[0]).toMatchObject({
      direction: 'out',
      own: true,
      ourId: message.id,
      providerId: receipt.providerId,
    });
  });

  it('waits as long as Google says', async () => {
    sandbox.faults.add({
      match: '/messages/send',
      status: 429,
      headers: { 'retry-after': '5' },
      body: { error: { code: 429, message: 'Quota', errors: [{ reason: 'rateLimitExceeded' }] } },
    });
    await expect(connector.send!(text(), channel, context)).rejects.toMatchObject({ class: 'rate-limited', retryAfterMs: 5000 });
  });

  it('settles a send without an answer', async () => {
    const message = text();
    sandbox.faults.add({ match: '/messages/send', kind: 'lost' });
    await expect(connector.send!(message, channel, context)).rejects.toMatchObject({ class: 'unknown-outcome' });
    expect(await connector.settle!(message, channel, context, nothingKnown)).toMatchObject({ outcome: 'accepted' });
    expect(await connector.settle!(text(), channel, context, nothingKnown)).toEqual({ outcome: 'unknown' });
  });

  it('refreshes a token before and after its end', async () => {
    await connector.send!(text(), channel, context);
    sandbox.expireTokens();
    await connector.send!(text(), channel, context);
    expect(sandbox.sent).toHaveLength(2);
  });
});

describe('receiving', () => {
  it('takes what came between connecting and the first look', async () => {
    await sandbox.receive(mail({}));
    channel = { ...channel, details: { connectedAt: new Date().toISOString() } };
    expect((await listen()).events).toHaveLength(1);
    await stop();
    channel = { ...channel, details: { connectedAt: new Date(Date.now() + 3_600_000).toISOString() } };
    expect((await listen()).events).toHaveLength(0);
  });

  it('is woken by a signed push', async () => {
    const heard = await listen();
    await sandbox.receive(mail({ Subject: 'One' }));
    await heard.until(() => heard.events.length === 1);
    expect((await readMailEvent(heard.events[0]!))[0]).toMatchObject({
      content: { subject: 'One' },
      facts: { gmailId: expect.any(String) },
    });
    expect(sandbox.pushed).toEqual([204]);
  });

  it('asks instead where the topic is forbidden', async () => {
    sandbox.faults.add({
      match: '/watch',
      status: 403,
      body: { error: { code: 403, message: 'User not authorized', status: 'PERMISSION_DENIED' } },
    });
    const heard = await listen();
    expect(heard.reports).toMatchObject([{ status: 'active' }]);
    await sandbox.receive(mail({}));
    heard.wake();
    await heard.until(() => heard.events.length === 1);
  });

  it('writes a large mail to the disk as it comes', async () => {
    const heard = await listen();
    const raw = mail({ Subject: 'Large' }, 'x'.repeat(70).concat('\n').repeat(30_000));
    await sandbox.receive(raw);
    await heard.until(() => heard.events.length === 1);
    const bytes = bytesOf(heard.events[0]!, heard.context.spool);
    expect(bytes.digest()).toBe(createHash('sha256').update(raw).digest('hex'));
    expect(factsOf(heard.events[0]!)).toMatchObject({ gmailId: expect.any(String), gmailThreadId: expect.any(String) });
  });

  it('reads a message wherever its pieces are cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 3000 }),
        fc.array(fc.integer({ min: 1, max: 400 })),
        fc.boolean(),
        async (mail, cuts, first) => {
          const raw = Buffer.from(mail);
          const others = { threadId: 't', labelIds: ['INBOX'], snippet: 'say "raw": "x"' };
          const message = first ? { raw: raw.toString('base64url'), ...others } : { ...others, raw: raw.toString('base64url') };
          const json = Buffer.from(JSON.stringify(message));
          async function* pieces() {
            let at = 0;
            for (const cut of cuts) {
              yield json.subarray(at, at + cut);
              at += cut;
            }
            yield json.subarray(at);
          }
          const found = await readRawMessage(pieces(), testSpool());
          expect(found).toMatchObject({ threadId: 't', labelIds: ['INBOX'] });
          expect(found!.raw.body.equals(raw)).toBe(true);
        },
      ),
      { numRuns: 60 },
    );
    const none = async function* () {
      yield Buffer.from('{"id":"1"}');
    };
    expect(await readRawMessage(none(), testSpool())).toBeUndefined();
  });

  it('refuses pushes of others', async () => {
    await listen();
    expect(await sandbox.push({ aud: 'https://elsewhere.example' })).toBe(401);
    expect(await sandbox.push({ iss: 'https://evil.example' })).toBe(401);
    expect(await sandbox.push({ email: 'other@evil.iam.gserviceaccount.com' })).toBe(401);
    expect(await sandbox.push({ email_verified: false })).toBe(401);
    expect(await sandbox.push({ exp: Math.floor(Date.now() / 1000) - 3600 })).toBe(401);
    expect(await sandbox.push({}, 'a.b.c')).toBe(401);
    expect(hooks.wakes).toEqual([]);
  });

  it('follows every page, without drafts, spam and chats', async () => {
    const cursor = { value: undefined as unknown };
    await listen(cursor);
    await stop();
    for (let i = 0; i < 7; i++) await sandbox.receive(mail({ 'Message-ID': `<p${i}@x>` }));
    await sandbox.receive(mail({}), ['SPAM']);
    await sandbox.receive(mail({}), ['DRAFT']);
    expect((await listen(cursor)).events).toHaveLength(7);
    await stop();
    expect((await listen(cursor)).events).toHaveLength(0);
  });

  it('reads the newest anew when the history is gone', async () => {
    const cursor = { value: undefined as unknown };
    await listen(cursor);
    await stop();
    await sandbox.receive(mail({ Subject: 'in the gap' }));
    sandbox.loseHistory();
    const heard = await listen(cursor);
    expect(heard.events).toHaveLength(1);
    await sandbox.receive(mail({ 'Message-ID': '<later@x>' }));
    await heard.until(() => heard.events.length === 2);
  });

  it('turns to attention when the consent is taken back, and loses nothing until it is given again', async () => {
    const heard = await listen();
    sandbox.revokeConsent();
    context.memos.clear();
    await sandbox.receive(mail({}));
    await heard.until(() => heard.reports.at(-1)?.status === 'failed');
    sandbox.grant('sandbox-refresh');
    heard.wake();
    await heard.until(() => heard.events.length === 1 && heard.reports.at(-1)?.status === 'active');
  });
});
