/** A mailbox of one's own servers: real Dovecot, real Postfix, swaks as the customer. */
import { execFile } from 'node:child_process';
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ImapFlow } from 'imapflow';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RawEvent } from '../../../src/connectors/connector.ts';
import { createEmailConnector } from '../../../src/connectors/email/connector.ts';
import { readMailEvent } from '../../../src/connectors/email/parse.ts';
import { bytesOf, factsOf } from '../../../src/connectors/email/raw.ts';
import { createMailServer, type MailServer } from '../../../src/connectors/email/server.ts';
import type { InboundEvent, MessageEvent } from '../../../src/connectors/events.ts';
import { uuidv7 } from '../../../src/model/ids.ts';
import { freePort } from '../../support/until.ts';
import { listener, mailbox, testContext, testSpool } from './context.ts';
import { MAILBOX, mail } from './mail.ts';
import { type Dovecot, dovecot, type Postfix, postfix, temporaryFolder, whyNoServers } from './servers.ts';

const run = promisify(execFile);
const obstacle = whyNoServers();
if (obstacle) console.warn(`SKIPPED: ${obstacle}`);

const HELP = 'help@builtin.example';
const connector = createEmailConnector();

describe.skipIf(obstacle !== undefined)('real servers', () => {
  const folder = temporaryFolder();
  const builtin: RawEvent[] = [];
  let imap: Dovecot;
  let smtp: Postfix;
  let server: MailServer;
  let heard: () => void = () => undefined;

  beforeAll(async () => {
    server = createMailServer({
      hostname: 'mx.builtin.example',
      accept: async (address) => (address === HELP ? { address } : null),
      spool: testSpool(),
      deliver: async (events) => {
        builtin.push(...events);
        heard();
      },
      log: { info: () => undefined, warn: () => undefined },
      resolver: false,
    });
    const relay = await server.listen(0, '127.0.0.1');
    imap = await dovecot(folder);
    await imap.start();
    smtp = await postfix(
      folder,
      {
        mail: imap.mail,
        addresses: [
          MAILBOX,
          'restart@shop.example',
          'anew@shop.example',
          'first@shop.example',
          'middle@shop.example',
          'large@shop.example',
        ],
      },
      relay,
    );
  });

  afterAll(async () => {
    smtp?.stop();
    await imap?.stop();
    await server?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const box = (address = MAILBOX, extra: object = {}) =>
    mailbox(
      address,
      {
        provider: 'smtp',
        host: '127.0.0.1',
        port: smtp.port,
        use_tls: false,
        imap_host: '127.0.0.1',
        imap_port: imap.port,
        imap_use_tls: false,
        imap_username: address,
        ...extra,
      },
      { imap_password: 'secret' },
    );
  const swaks = (to: string, subject: string, ...more: string[]) =>
    run('swaks', [
      '--server',
      `127.0.0.1:${smtp.port}`,
      '--from',
      'ann@customer.example',
      '--to',
      to,
      '--header',
      `Subject: ${subject}`,
      '--header',
      `Message-ID: <${subject}@customer.example>`,
      ...more,
    ]);
  const parsed = async (event: RawEvent): Promise<InboundEvent> => (await readMailEvent(event))[0]!;

  it('walks the whole path when connecting', async () => {
    const { settings } = box();
    const connected = await connector.connect({ email: 'Support@Shop.Example', ...settings, imap_password: 'secret' }, testContext());
    expect(connected).toMatchObject({
      sourceChannelId: MAILBOX,
      status: 'active',
      settings: { provider: 'smtp' },
      credentials: { imap_password: 'secret' },
    });
    expect(connected.settings).not.toHaveProperty('imap_password');
  });

  it('comes in by IDLE, goes out, comes back, and stays one thread', async () => {
    const ear = listener(testContext());
    const receiving = connector.receive!(box(), ear.context);
    await ear.until(() => ear.reports.some((report) => report.status === 'active'));

    await swaks(MAILBOX, 'question', '--body', 'Where is it?');
    await ear.until(() => ear.events.length === 1);
    const question = (await parsed(ear.events[0]!)) as MessageEvent;
    expect(question).toMatchObject({
      kind: 'message',
      contact: { identities: [{ value: 'ann@customer.example' }] },
      content: { subject: 'question' },
    });
    expect(factsOf(ear.events[0]!)).toMatchObject({ folder: 'INBOX', uid: 1 });

    const first = await connector.send!(
      {
        id: uuidv7(),
        to: [{ kind: 'emailaddress', value: HELP }],
        content: { type: 'email', subject: 'Please help', text: 'Grüße 🎈' },
        thread: undefined,
      },
      box(),
      testContext(),
    );
    await new Promise<void>((done) => {
      heard = () => builtin.length === 1 && done();
      heard();
    });
    const asked = (await parsed(builtin[0]!)) as MessageEvent;
    expect(asked).toMatchObject({ providerId: first.providerId, content: { text: expect.stringContaining('Grüße 🎈') } });

    const answered = await connector.send!(
      { id: uuidv7(), to: [{ kind: 'emailaddress', value: MAILBOX }], content: { type: 'text', text: 'Done.' }, thread: asked.thread },
      mailbox(HELP, { provider: 'aurion' }),
      testContext({ SMTP_RELAY_URL: `smtp://127.0.0.1:${smtp.port}` }),
    );
    await ear.until(() => ear.events.length === 2);
    const answer = (await parsed(ear.events[1]!)) as MessageEvent;
    expect(answer.providerId).toBe(answered.providerId);
    expect(answer.thread?.candidates?.[0]).toBe(first.providerId);
    expect(answer.content).toMatchObject({
      subject: 'Re: Please help',
      reply: 'Done.',
      replyTo: [{ address: expect.stringMatching(/^help\+r-[0-9a-f]{32}@builtin.example$/) }],
    });

    ear.stop();
    await receiving;
  });

  it('takes what came between connecting and the first look, and nothing older', async () => {
    const address = 'first@shop.example';
    await swaks(address, 'just-now');
    const look = async (connectedAt: Date) => {
      const ear = listener(testContext());
      const receiving = connector.receive!({ ...box(address), details: { connectedAt: connectedAt.toISOString() } }, ear.context);
      await ear.until(() => ear.reports.length > 0);
      ear.stop();
      await receiving;
      return ear.events.length;
    };
    expect(await look(new Date())).toBe(1);
    expect(await look(new Date(Date.now() + 3_600_000))).toBe(0);
  });

  it('a bounce becomes the state of the sent message', async () => {
    const ear = listener(testContext());
    const receiving = connector.receive!(box(), ear.context);
    await ear.until(() => ear.reports.some((report) => report.status === 'active'));
    const id = uuidv7();
    await connector.send!(
      { id, to: [{ kind: 'emailaddress', value: 'nobody@builtin.example' }], content: { type: 'text', text: 'x' } },
      box(),
      testContext(),
    );
    await ear.until(() => ear.events.length === 1);
    expect(await parsed(ear.events[0]!)).toMatchObject({ kind: 'receipt', ourId: id, state: 'failed', error: { providerCode: '5.1.1' } });
    ear.stop();
    await receiving;
  });

  it('a refused recipient fails at once', async () => {
    const message = {
      id: uuidv7(),
      to: [{ kind: 'emailaddress', value: 'nobody@shop.example' }],
      content: { type: 'text' as const, text: 'x' },
    };
    await expect(connector.send!(message, box(), testContext())).rejects.toMatchObject({ class: 'recipient-unreachable' });
  });

  it('goes on where it was after the server was away, and after it was away itself', async () => {
    const address = 'restart@shop.example';
    const cursor = { value: undefined as unknown };
    const ear = listener(testContext(), cursor);
    const receiving = connector.receive!(box(address), ear.context);
    await ear.until(() => ear.reports.some((report) => report.status === 'active'));
    await imap.stop();
    await ear.until(() => ear.reports.at(-1)?.status === 'warning');
    await swaks(address, 'while-down');
    await imap.start();
    ear.wake();
    await ear.until(() => ear.events.length === 1 && ear.reports.at(-1)?.status === 'active');
    ear.stop();
    await receiving;

    await swaks(address, 'while-away');
    const again = listener(testContext(), cursor);
    const second = connector.receive!(box(address), again.context);
    await again.until(() => again.events.length === 1);
    expect(await parsed(again.events[0]!)).toMatchObject({ content: { subject: 'while-away' } });
    again.stop();
    await second;
  });

  it('reads a folder that was numbered anew from its start', async () => {
    const address = 'anew@shop.example';
    const cursor = { value: { INBOX: { uidValidity: '1', uidNext: 900 } } as unknown };
    await swaks(address, 'one');
    const ear = listener(testContext(), cursor);
    const receiving = connector.receive!(box(address), ear.context);
    await ear.until(() => ear.events.length === 1);
    expect(factsOf(ear.events[0]!).uid).toBe(1);
    ear.stop();
    await receiving;
  });

  it('reads on where it was stopped in the middle, though the server says that nothing changed since', async () => {
    const address = 'middle@shop.example';
    const cursor = { value: undefined as unknown };
    for (let n = 0; n < 3; n++) await swaks(address, `middle-${n}`);
    const connectedAt = { ...box(address), details: { connectedAt: new Date().toISOString() } };
    const ear = listener(testContext(), cursor);
    const { deliver } = ear.context;
    ear.context.deliver = async (events) => {
      if (ear.events.length === 1) {
        ear.stop();
        throw new Error('killed');
      }
      await deliver(events);
    };
    await connector.receive!(connectedAt, ear.context);
    expect(ear.events).toHaveLength(1);
    const again = listener(testContext(), cursor);
    const receiving = connector.receive!(connectedAt, again.context);
    await again.until(() => again.events.length === 3);
    again.stop();
    await receiving;
  });

  it('reads a folder that was numbered anew from the time of connecting only, where that is known', async () => {
    const address = 'middle@shop.example';
    const cursor = { value: { INBOX: { uidValidity: '1', uidNext: 900 } } as unknown };
    const later = { connectedAt: new Date(Date.now() + 3_600_000).toISOString() };
    const ear = listener(testContext(), cursor);
    const receiving = connector.receive!({ ...box(address), details: later }, ear.context);
    await ear.until(() => ear.reports.some((report) => report.status === 'active'));
    ear.stop();
    await receiving;
    expect(ear.events).toEqual([]);
  });

  it('fetches a large mail in pieces', async () => {
    const address = 'large@shop.example';
    const spool = testSpool();
    const ear = listener(testContext());
    ear.context.spool = spool;
    const receiving = connector.receive!(box(address), ear.context);
    await ear.until(() => ear.reports.some((report) => report.status === 'active'));
    const body = join(folder, 'large.txt');
    writeFileSync(body, 'x'.repeat(70).concat('\n').repeat(40_000));
    await swaks(address, 'large', '--body', `@${body}`, '--silent', '3');
    await ear.until(() => ear.events.length === 1);
    expect(bytesOf(ear.events[0]!, spool).digest()).toBe(readdirSync(spool.folder)[0]);
    const [event] = (await readMailEvent(ear.events[0]!, { spool })) as MessageEvent[];
    expect((event!.content as { text: string }).text.length).toBe(1_000_000);
    ear.stop();
    await receiving;
  });

  it('does not move on before a mail is durable', async () => {
    const cursor = { value: { INBOX: { uidValidity: '1', uidNext: 900 } } as unknown };
    const ear = listener(testContext(), cursor);
    let refusals = 2;
    const { deliver } = ear.context;
    ear.context.deliver = async (events) => {
      if (refusals-- > 0) throw new Error('database away');
      await deliver(events);
    };
    const receiving = connector.receive!(box('anew@shop.example'), ear.context);
    await ear.until(() => ear.events.length === 1);
    ear.stop();
    await receiving;
  });

  it('takes what was written elsewhere from the Sent folder', async () => {
    const ear = listener(testContext());
    const receiving = connector.receive!(box(MAILBOX, { folders: ['INBOX', 'Sent'] }), ear.context);
    await ear.until(() => Object.keys((ear.cursor.value ?? {}) as object).length === 2);
    const client = new ImapFlow({
      host: '127.0.0.1',
      port: imap.port,
      secure: false,
      doSTARTTLS: false,
      auth: { user: MAILBOX, pass: 'secret' },
      logger: false,
    });
    await client.connect();
    await client.append('Sent', mail({ From: MAILBOX, To: 'ann@customer.example', 'Message-ID': '<elsewhere@shop.example>' }));
    await ear.until(() => ear.events.length === 1);
    expect(await parsed(ear.events[0]!)).toMatchObject({ direction: 'out', contact: { identities: [{ value: 'ann@customer.example' }] } });
    await client.logout();
    ear.stop();
    await receiving;
  });

  it('asks where the server cannot IDLE', async () => {
    const plain = await dovecot(temporaryFolder(), 'IMAP4rev1 LITERAL+ UIDPLUS');
    await plain.start();
    try {
      const ear = listener(testContext());
      const receiving = connector.receive!(box(MAILBOX, { imap_port: plain.port }), ear.context);
      await ear.until(() => ear.reports.length > 0);
      const client = new ImapFlow({
        host: '127.0.0.1',
        port: plain.port,
        secure: false,
        doSTARTTLS: false,
        auth: { user: MAILBOX, pass: 'secret' },
        logger: false,
      });
      await client.connect();
      await client.append('INBOX', mail({}));
      await client.logout();
      ear.wake();
      await ear.until(() => ear.events.length === 1);
      ear.stop();
      await receiving;
    } finally {
      await plain.stop();
    }
  });

  it('names the step that failed, and refuses only what the server refuses', async () => {
    const base = { ...box().settings, email: MAILBOX, imap_password: 'secret' };
    const closed = await freePort();
    const pending: [object, RegExp][] = [
      [{ host: 'smtp.invalid' }, /SMTP smtp\.invalid:\d+: step dns failed/],
      [{ port: closed }, new RegExp(`SMTP 127.0.0.1:${closed}: step tcp failed`)],
      [{ imap_port: closed }, new RegExp(`IMAP 127.0.0.1:${closed}: step tcp failed`)],
      [{ use_tls: true }, /SMTP .*step (tls|smtp) failed/],
      [{ imap_use_tls: true }, /IMAP .*step tls failed/],
      [{ folders: ['Nowhere'] }, /folder Nowhere: step select failed/],
    ];
    for (const [part, reason] of pending) {
      const connected = await connector.connect({ ...base, ...part }, testContext());
      expect(connected.status).toBe('pending');
      expect(connected.statusReason).toMatch(reason);
    }
    await expect(connector.connect({ ...base, imap_password: 'wrong' }, testContext())).rejects.toMatchObject({
      class: 'unauthorized',
      code: 'login-failed',
    });
  });

  it('turns to attention when the password does not work any more', async () => {
    const ear = listener(testContext());
    const receiving = connector.receive!({ ...box(), credentials: { imap_password: 'wrong' } }, ear.context);
    await ear.until(() => ear.reports.length > 0);
    expect(ear.reports[0]).toMatchObject({ status: 'failed', reason: expect.stringContaining('step login failed') });
    ear.stop();
    await receiving;
  });
});
