/** The built-in server with nodemailer and swaks as its clients. */
import { execFile, spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { promisify } from 'node:util';
import { dkimSign } from 'mailauth';
import { createTransport } from 'nodemailer';
import { afterEach, describe, expect, it } from 'vitest';
import type { RawEvent } from '../../../src/connectors/connector.ts';
import { createEmailConnector } from '../../../src/connectors/email/connector.ts';
import { taggedAddress } from '../../../src/connectors/email/message-id.ts';
import { readMailEvent } from '../../../src/connectors/email/parse.ts';
import { factsOf } from '../../../src/connectors/email/raw.ts';
import { createMailServer, type MailServer, type MailServerOptions } from '../../../src/connectors/email/server.ts';
import type { EmailContent } from '../../../src/model/content.ts';
import { PatchbayError } from '../../../src/model/errors.ts';
import { uuidv7 } from '../../../src/model/ids.ts';
import { createDkimKey } from '../../support/dkim-key.ts';
import { until } from '../../support/until.ts';
import { mailbox, testContext, testSpool } from './context.ts';
import { MAILBOX, mail, message } from './mail.ts';

const run = promisify(execFile);
const hasSwaks = spawnSync('swaks', ['--version']).status === 0;
if (!hasSwaks) console.warn('SKIPPED: swaks is not installed');

const servers: MailServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function start(options: Partial<MailServerOptions> = {}) {
  const taken: RawEvent[] = [];
  const server = createMailServer({
    hostname: 'mx.shop.example',
    accept: async (address) => ([MAILBOX, 'sales@shop.example'].includes(address) ? { address } : null),
    spool: testSpool(),
    deliver: async (events) => {
      taken.push(...events);
    },
    log: { info: () => undefined, warn: () => undefined },
    resolver: false,
    ...options,
  });
  servers.push(server);
  const port = await server.listen(0, '127.0.0.1');
  const transport = createTransport({ host: '127.0.0.1', port, secure: false, tls: { rejectUnauthorized: false } });
  return { taken, port, transport };
}

/** Speaks the protocol by hand; the answers to each line. */
function talk(port: number, lines: string[]): Promise<string> {
  return new Promise((done, fail) => {
    const socket = connect(port, '127.0.0.1');
    let heard = '';
    let next = 0;
    socket.on('data', (chunk) => {
      heard += chunk.toString();
      while (/(?:^|\n)\d{3} [^\n]*\r\n$/.test(heard) && next < lines.length) {
        socket.write(`${lines[next++]}\r\n`);
        return;
      }
    });
    socket.on('end', () => done(heard));
    socket.on('error', fail);
  });
}

/** A mail with a text, a small file and this one. */
function withFile(file: Buffer): Buffer {
  const part = (head: string, body: string) => `--b\r\n${head}\r\n\r\n${body}\r\n`;
  const base64 = file.toString('base64').replace(/.{76}/g, '$&\r\n');
  const parts = [
    part('Content-Type: text/plain', 'See it.'),
    part('Content-Type: text/plain\r\nContent-Disposition: attachment; filename=small.txt', 'small'),
    part('Content-Type: application/octet-stream; name=big.bin\r\nContent-Transfer-Encoding: base64', base64),
  ];
  return mail({}, `${parts.join('')}--b--\r\n`, 'Content-Type: multipart/mixed; boundary=b');
}

describe('the built-in mail server', () => {
  it('says what it can', async () => {
    const { port } = await start();
    const heard = await talk(port, ['EHLO client.example', 'QUIT']);
    for (const word of ['SIZE 52428800', 'STARTTLS', 'SMTPUTF8', '8BITMIME', 'PIPELINING']) expect(heard).toContain(word);
    expect(heard).not.toContain('AUTH');
  });

  it('takes a mail for its mailboxes over TLS, byte for byte', async () => {
    const { taken, transport } = await start();
    const raw = mail({ Subject: '8bit' }, 'Grüße\n.leading dot\n');
    const answer = await transport.sendMail({ envelope: { from: 'ann@example.com', to: [MAILBOX, 'Sales@Shop.Example'] }, raw });
    expect(answer.accepted).toHaveLength(2);
    expect(taken.map((event) => event.sourceChannelId)).toEqual([MAILBOX, 'sales@shop.example']);
    expect(taken[0]!.body.toString()).toContain('Grüße\r\n.leading dot\r\n');
    expect(factsOf(taken[0]!)).toMatchObject({ from: 'ann@example.com', to: [MAILBOX], auth: { ip: '127.0.0.1' } });
  });

  it('refuses each stranger on its own, and relays nothing', async () => {
    const { taken, transport } = await start();
    const answer = await transport.sendMail({
      envelope: { from: 'ann@example.com', to: [MAILBOX, 'nobody@shop.example', 'x@elsewhere.example'] },
      raw: mail({}),
    });
    expect(answer.rejected).toEqual(['nobody@shop.example', 'x@elsewhere.example']);
    expect(answer.rejectedErrors![0]!.response).toContain('5.1.1');
    expect(taken).toHaveLength(1);
  });

  it('takes plus-addresses and hands them on', async () => {
    const { taken, transport } = await start();
    const tagged = taggedAddress('reply', uuidv7(), MAILBOX);
    await transport.sendMail({ envelope: { from: 'ann@example.com', to: [tagged] }, raw: mail({}) });
    expect(taken[0]!.sourceChannelId).toBe(MAILBOX);
    expect(factsOf(taken[0]!).to).toEqual([tagged]);
  });

  it('says 250 only once the mail is durable, and defers it when it cannot be', async () => {
    const { promise: durable, resolve } = Promise.withResolvers<void>();
    let asked = false;
    const { transport } = await start({
      deliver: () => {
        asked = true;
        return durable;
      },
    });
    let answered = false;
    const sending = transport.sendMail({ envelope: { from: 'a@example.com', to: [MAILBOX] }, raw: mail({}) }).then(() => {
      answered = true;
    });
    while (!asked) await new Promise((next) => setImmediate(next));
    expect(answered).toBe(false);
    resolve();
    await sending;
    const broken = await start({ deliver: () => Promise.reject(new Error('database away')) });
    await expect(broken.transport.sendMail({ envelope: { from: 'a@example.com', to: [MAILBOX] }, raw: mail({}) })).rejects.toMatchObject({
      responseCode: 451,
    });
  });

  it('refuses what is too large, before and after it was sent', async () => {
    const { taken, port, transport } = await start({ maxBytes: 100_000 });
    expect(await talk(port, ['EHLO c', `MAIL FROM:<a@example.com> SIZE=200000`, 'QUIT'])).toMatch(/552/);
    await expect(
      transport.sendMail({ envelope: { from: 'a@example.com', to: [MAILBOX] }, raw: mail({}, 'x'.repeat(70).concat('\n').repeat(3000)) }),
    ).rejects.toMatchObject({
      responseCode: 552,
    });
    expect(taken).toHaveLength(0);
    await transport.sendMail({ envelope: { from: 'a@example.com', to: [MAILBOX] }, raw: mail({}) });
    expect(taken).toHaveLength(1);
  });

  it('writes a large mail to the disk as it comes, once for all of its mailboxes, and holds its beginning only', async () => {
    const spool = testSpool();
    const { taken, transport } = await start({ spool });
    const file = randomBytes(25_000_000);
    const raw = withFile(file);
    await transport.sendMail({ envelope: { from: 'a@example.com', to: [MAILBOX, 'sales@shop.example'] }, raw });
    expect(taken.map(({ body }) => body.length)).toEqual([65_536, 65_536]);
    expect(readdirSync(spool.folder)).toEqual([createHash('sha256').update(raw).digest('hex')]);
    const [event] = taken;
    const found = (await readMailEvent(event!, { spool })).find((item) => item.kind === 'message')!;
    const content = found.content as EmailContent;
    expect(content.attachments).toMatchObject([
      { filename: 'small.txt', size: 5 },
      { filename: 'big.bin', size: file.length, sha256: createHash('sha256').update(file).digest('hex') },
    ]);
    const { data } = await createEmailConnector().mediaOf!(content.attachments![1]!, event!, spool);
    expect(Buffer.concat(await Array.fromAsync(data as AsyncIterable<Buffer>)).equals(file)).toBe(true);
  });

  it('leaves nothing behind of a large mail that is refused, that breaks off, or that the disk has no room for', async () => {
    const spool = testSpool();
    const { transport, port, taken } = await start({ spool, maxBytes: 3_000_000 });
    const envelope = { from: 'a@example.com', to: [MAILBOX] };
    await expect(transport.sendMail({ envelope, raw: withFile(randomBytes(4_000_000)) })).rejects.toMatchObject({ responseCode: 552 });
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    const lines = ['EHLO c', 'MAIL FROM:<a@example.com>', `RCPT TO:<${MAILBOX}>`, 'DATA', 'x'.repeat(70).concat('\r\n').repeat(20_000)];
    await new Promise((greeted) => socket.once('data', greeted));
    socket.write(lines.map((line) => `${line}\r\n`).join(''));
    await until(async () => readdirSync(spool.folder).length === 1);
    socket.destroy();
    await until(async () => readdirSync(spool.folder).length === 0);
    const full = await start({
      spool: { open: spool.open, keep: () => Promise.reject(new PatchbayError('unavailable', 'the disk of DATA_DIR is full')) },
    });
    await expect(full.transport.sendMail({ envelope, raw: mail({}) })).rejects.toMatchObject({ responseCode: 452 });
    expect(taken).toEqual([]);
  });

  it('takes few connections at once from one address, and no guessing of addresses', async () => {
    const { port, transport } = await start({ maxClientsOfOne: 1 });
    const first = connect(port, '127.0.0.1');
    await new Promise((greeted) => first.once('data', greeted));
    expect(await talk(port, [])).toMatch(/^421 4\.7\.0/);
    const closed = new Promise((done) => first.once('close', done));
    first.end('QUIT\r\n');
    await closed;
    await until(async () => (await talk(port, ['QUIT'])).startsWith('220'));
    const guesses = Array.from({ length: 21 }, (_, n) => `RCPT TO:<guess${n}@shop.example>`);
    const heard = await talk(port, ['EHLO c', 'MAIL FROM:<a@example.com>', ...guesses]);
    expect(heard.match(/^550 /gm)).toHaveLength(20);
    expect(heard).toMatch(/421 4\.7\.0 Too many unknown recipients/);
    await transport.sendMail({ envelope: { from: 'a@example.com', to: [MAILBOX] }, raw: mail({}) });
  });

  it('defers what is too much at once', async () => {
    const { transport } = await start({ maxBytesAtOnce: 1_000 });
    await expect(
      transport.sendMail({ envelope: { from: 'a@example.com', to: [MAILBOX] }, raw: mail({}, 'x'.repeat(900).concat('\n').repeat(5)) }),
    ).rejects.toMatchObject({
      responseCode: 452,
    });
  });

  it('slows down who sends too much', async () => {
    const { transport } = await start({ perMinute: 2 });
    const send = () => transport.sendMail({ envelope: { from: 'a@example.com', to: [MAILBOX] }, raw: mail({}) });
    await send();
    await send();
    await expect(send()).rejects.toMatchObject({ responseCode: 450 });
  });

  it('ends a mail that goes in circles', async () => {
    const { transport } = await start();
    const raw = Buffer.concat([Buffer.from('Received: from a by b; x\r\n'.repeat(60)), mail({})]);
    await expect(transport.sendMail({ envelope: { from: 'a@example.com', to: [MAILBOX] }, raw })).rejects.toMatchObject({
      responseCode: 554,
    });
  });

  it('survives rubbish', async () => {
    const { port, transport, taken } = await start();
    await talk(port, [
      '\x16\x03\x01garbage',
      'EHLO x',
      'MAIL FROM:<>',
      `RCPT TO:<${MAILBOX}>`,
      'RCPT TO:<"quoted @ x"@shop.example>',
      'BDAT 3',
      'QUIT',
    ]);
    await transport.sendMail({ envelope: { from: '', to: [MAILBOX] }, raw: mail({}) });
    expect(factsOf(taken[0]!).from).toBe('');
    expect((await message(taken[0]!.body, factsOf(taken[0]!))).automatic).toBe(true);
  });

  it('keeps SPF, DKIM and DMARC results', async () => {
    const key = createDkimKey('s1');
    const records: Record<string, string> = {
      'TXT example.com': 'v=spf1 ip4:127.0.0.1 -all',
      'TXT _dmarc.example.com': 'v=DMARC1; p=reject',
      'TXT s1._domainkey.example.com': key.record,
    };
    const { taken, transport } = await start({
      resolver: async (name, type) => {
        const value = records[`${type} ${name}`];
        if (!value) throw Object.assign(new Error('none'), { code: 'ENOTFOUND' });
        return [[value]];
      },
    });
    const raw = mail({ Date: new Date().toUTCString() });
    const signature = { signingDomain: 'example.com', selector: 's1', privateKey: key.privateKey };
    const { signatures } = await dkimSign(raw, { ...signature, canonicalization: 'relaxed/relaxed', signatureData: [signature] });
    await transport.sendMail({ envelope: { from: 'ann@example.com', to: [MAILBOX] }, raw: Buffer.concat([Buffer.from(signatures), raw]) });
    expect(factsOf(taken[0]!).auth).toMatchObject({ spf: 'pass', dkim: 'pass', dmarc: 'pass' });
    await transport.sendMail({ envelope: { from: 'ann@other.example', to: [MAILBOX] }, raw });
    expect(factsOf(taken[1]!).auth).toMatchObject({ spf: 'none', dkim: 'none', dmarc: 'fail' });
  });

  it.skipIf(!hasSwaks)('takes mail from swaks, with STARTTLS and a file', async () => {
    const { taken, port } = await start();
    await run('swaks', [
      '--server',
      `127.0.0.1:${port}`,
      '--tls',
      '--from',
      'ann@example.com',
      '--to',
      MAILBOX,
      '--header',
      'Subject: swaks',
      '--attach-type',
      'text/plain',
      '--attach-name',
      'a.txt',
      '--attach',
      'hello',
    ]);
    const found = await message(taken[0]!.body, factsOf(taken[0]!));
    expect(found.content).toMatchObject({ subject: 'swaks', attachments: [{ filename: 'a.txt', size: 5 }] });
  });
});

describe('the built-in server sends', () => {
  const id = uuidv7();
  const outbound = {
    id,
    to: [{ kind: 'emailaddress', value: MAILBOX }],
    content: { type: 'email' as const, subject: 'Hi', text: 'There' },
  };

  it('straight to MX, signed, the nearest exchange first, another when it is down', async () => {
    const key = createDkimKey('s1');
    const { taken, port } = await start({
      resolver: async (name, type) => {
        if (type === 'TXT' && name === 's1._domainkey.out.example') return [[key.record]];
        throw Object.assign(new Error('none'), { code: 'ENOTFOUND' });
      },
    });
    const connector = createEmailConnector({
      port,
      resolveMx: async () => [
        { exchange: 'mx2.shop.example', priority: 20 },
        { exchange: 'mx1.shop.example', priority: 10 },
      ],
    });
    const context = testContext();
    const asked: string[] = [];
    context.resolveHost = async (host) => {
      asked.push(host);
      return host === 'mx1.shop.example' ? '127.0.0.2' : '127.0.0.1';
    };
    const channel = mailbox(
      'out@out.example',
      { provider: 'aurion' },
      { dkim: { domain: 'out.example', selector: 's1', private_key: key.privateKey } },
    );
    const receipt = await connector.send!(outbound, channel, context);
    expect(asked).toEqual(['mx1.shop.example', 'mx2.shop.example']);
    expect(receipt.providerId).toBe(`${id}@out.example`);
    expect(factsOf(taken[0]!)).toMatchObject({ from: taggedAddress('bounce', id, 'out@out.example'), auth: { dkim: 'pass' } });
  });

  it('through a relay', async () => {
    const { taken, port } = await start();
    const context = testContext({ SMTP_RELAY_URL: `smtp://127.0.0.1:${port}` });
    await createEmailConnector().send!(outbound, mailbox('out@out.example', { provider: 'aurion' }), context);
    expect(taken).toHaveLength(1);
  });

  it.each([
    ['a mailbox that is not there', { to: [{ kind: 'emailaddress', value: 'nobody@shop.example' }] }, 'recipient-unreachable', '5.1.1'],
    ['a domain that is not there', { to: [{ kind: 'emailaddress', value: 'a@gone.example' }] }, 'recipient-unreachable', '5.1.2'],
    ['a domain that takes no mail', { to: [{ kind: 'emailaddress', value: 'a@null.example' }] }, 'recipient-unreachable', '5.1.10'],
    ['a name server that is down', { to: [{ kind: 'emailaddress', value: 'a@flaky.example' }] }, 'retry', 'ESERVFAIL'],
  ])('%s', async (_, part, errorClass, code) => {
    const { port } = await start();
    const connector = createEmailConnector({
      port,
      resolveMx: async (domain) => {
        if (domain === 'gone.example') throw Object.assign(new Error('no'), { code: 'ENOTFOUND' });
        if (domain === 'flaky.example') throw Object.assign(new Error('no'), { code: 'ESERVFAIL' });
        if (domain === 'null.example') return [{ exchange: '', priority: 0 }];
        return [{ exchange: '127.0.0.1', priority: 1 }];
      },
    });
    await expect(
      connector.send!({ ...outbound, ...part }, mailbox('out@out.example', { provider: 'aurion' }), testContext()),
    ).rejects.toMatchObject({ class: errorClass, code });
  });

  it('a server that takes the mail and dies leaves the outcome open; one that dies before it has all of it does not', async () => {
    const { createServer } = await import('node:net');
    const fake = (dies: 'before' | 'midway' | 'after') =>
      createServer((socket) => {
        socket.on('error', () => undefined);
        socket.write('220 x\r\n');
        let data = false;
        socket.on('data', (chunk) => {
          const line = chunk.toString();
          if (data) {
            if (dies === 'midway' || line.includes('\r\n.\r\n')) socket.destroy();
            return;
          }
          if (/^DATA/i.test(line)) {
            if (dies === 'before') return socket.destroy();
            data = true;
            socket.write('354 go\r\n');
          } else socket.write('250 ok\r\n');
        });
      });
    for (const [dies, errorClass] of [
      ['after', 'unknown-outcome'],
      ['midway', 'retry'],
      ['before', 'retry'],
    ] as const) {
      const server = fake(dies).listen(0, '127.0.0.1');
      await new Promise((ready) => server.once('listening', ready));
      const { port } = server.address() as { port: number };
      const context = testContext({ SMTP_RELAY_URL: `smtp://127.0.0.1:${port}` });
      // More than fits into the buffers of a connection.
      context.files.set('big', { data: Buffer.alloc(20_000_000), mimeType: 'application/zip', filename: 'big.zip' });
      const message = dies === 'midway' ? { ...outbound, content: { ...outbound.content, attachments: [{ id: 'big' }] } } : outbound;
      await expect(
        createEmailConnector().send!(message, mailbox('out@out.example', { provider: 'aurion' }), context),
        dies,
      ).rejects.toMatchObject({ class: errorClass });
      server.close();
    }
  });

  it.each(['one server', 'servers of their own'])('goes on to whoever is deferred, and to nobody twice (%s)', async (where) => {
    let busy = true;
    const accept = async (address: string) => {
      if (address.startsWith('late@') && busy) throw new Error('greylisted');
      return { address };
    };
    const { taken, port } = await start({ accept });
    const relay = where === 'one server';
    const connector = createEmailConnector({ port, resolveMx: async () => [{ exchange: '127.0.0.1', priority: 1 }] });
    const context = testContext(relay ? { SMTP_RELAY_URL: `smtp://127.0.0.1:${port}` } : {});
    const content = { ...outbound.content, cc: [{ address: 'late@second.example' }] };
    const message = { ...outbound, id: uuidv7(), content };
    const channel = mailbox('out@out.example', { provider: 'aurion' });
    const send = () => connector.send!(message, channel, context);
    await expect(send()).rejects.toMatchObject({ class: 'retry', message: expect.stringContaining('late@second.example has to wait') });
    await expect(send()).rejects.toMatchObject({ class: 'retry' });
    expect(taken.map((event) => event.sourceChannelId)).toEqual([MAILBOX]);
    busy = false;
    expect((await send()).details).not.toHaveProperty('rejected');
    expect(taken.map((event) => event.sourceChannelId)).toEqual([MAILBOX, 'late@second.example']);

    busy = true;
    const other = { ...message, id: uuidv7() };
    await expect(connector.send!(other, channel, context)).rejects.toMatchObject({ class: 'retry' });
    context.now = () => new Date(Date.now() + 4 * 3_600_000);
    expect((await connector.send!(other, channel, context)).details).toMatchObject({ rejected: [{ address: 'late@second.example' }] });
  });

  it('names SMTP_RELAY_URL when it makes no sense', async () => {
    const context = testContext({ SMTP_RELAY_URL: 'mail.example' });
    await expect(createEmailConnector().send!(outbound, mailbox('out@out.example', { provider: 'aurion' }), context)).rejects.toThrow(
      /SMTP_RELAY_URL/,
    );
  });
});
