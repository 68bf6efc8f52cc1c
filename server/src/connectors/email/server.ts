/**
 * The built-in mail server for inbound mail: SIZE, STARTTLS, SMTPUTF8 and 8BITMIME, every recipient accepted or refused
 * on its own, 250 only once the mail is durable. It relays nothing.
 */
import type { AddressInfo } from 'node:net';
import type { DNSResolver } from 'mailauth';
import { SMTPServer, type SMTPServerDataStream, type SMTPServerSession } from 'smtp-server';
import type { RawEvent } from '../connector.ts';
import { isAddress, normalAddress, splitPlus } from './address.ts';
import { authenticateMail } from './authenticate.ts';
import { hops, MAX_HOPS } from './automatic.ts';
import { selfSigned } from './certificate.ts';
import { scanHeaders } from './headers.ts';
import { Breaker } from './loop.ts';
import { mailEvent } from './raw.ts';

export interface MailServerOptions {
  /** Our name in the greeting. */
  hostname: string;
  /**
   * The mailbox (a connected channel's `sourceChannelId`) that takes mail for an address; null when none does. Asked with
   * the whole address first (`support+vip@…`), then without its plus-tag. Throwing defers the mail.
   */
  accept(address: string): Promise<string | null>;
  /** Resolves once the events are durable; throwing defers the mail, and its sender tries again. */
  deliver(events: RawEvent[]): Promise<void>;
  log: { info(fields: object, message: string): void; warn(fields: object, message: string): void };
  now?: () => Date;
  /** Largest mail in bytes; 50 MB unless told. */
  maxBytes?: number;
  /** Bytes of mails being received at once; 512 MB unless told. */
  maxBytesAtOnce?: number;
  /** Mails a minute from one address; 300 unless told. */
  perMinute?: number;
  maxClients?: number;
  tls?: { key: string; cert: string };
  /** For SPF, DKIM and DMARC; the system's unless told. `false`: no checks. */
  resolver?: DNSResolver | false;
}

export interface MailServer {
  /** Listens; gives the port (of use with 0). Rejects when the port is taken. */
  listen(port: number, host?: string): Promise<number>;
  /** Stops taking connections; mails under way are ended properly. */
  close(): Promise<void>;
}

const MB = 1024 * 1024;
const MAX_RECIPIENTS = 100;

/** An answer of the server: code, enhanced code and words. */
class Refusal extends Error {
  readonly responseCode: number;

  constructor(responseCode: number, words: string) {
    super(words);
    this.responseCode = responseCode;
  }
}

export function createMailServer(options: MailServerOptions): MailServer {
  const now = options.now ?? (() => new Date());
  const maxBytes = options.maxBytes ?? 50 * MB;
  const budget = { free: options.maxBytesAtOnce ?? 512 * MB };
  const rate = new Breaker({ most: options.perMinute ?? 300, windowMs: 60_000 });
  const mailboxes = new WeakMap<SMTPServerSession, Map<string, string>>();

  const server = new SMTPServer({
    name: options.hostname,
    banner: 'Patchbay',
    size: maxBytes,
    authOptional: true,
    disabledCommands: ['AUTH'],
    disableReverseLookup: true,
    maxClients: options.maxClients ?? 200,
    socketTimeout: 120_000,
    closeTimeout: 5_000,
    logger: false,
    ...(options.tls ?? selfSigned(options.hostname, now())),
    onMailFrom: (_address, session, done) => {
      answer(done, async () => {
        if (!rate.allows(session.remoteAddress, now()))
          throw new Refusal(450, '4.7.0 Too many mails from your address, try again in a minute');
        mailboxes.set(session, new Map());
      });
    },
    onRcptTo: ({ address }, session, done) => {
      answer(done, async () => {
        const known = mailboxes.get(session) ?? new Map<string, string>();
        if (known.size >= MAX_RECIPIENTS) throw new Refusal(452, '4.5.3 Too many recipients');
        const mailbox = isAddress(address) ? await mailboxFor(normalAddress(address), options) : null;
        if (mailbox === null) throw new Refusal(550, '5.1.1 There is no such mailbox here');
        known.set(normalAddress(address), mailbox);
        mailboxes.set(session, known);
      });
    },
    onData: (stream, session, done) => {
      answer(done, async () => {
        const raw = await collect(stream, maxBytes, budget);
        try {
          await take(raw, session, mailboxes.get(session) ?? new Map(), options, now());
        } finally {
          budget.free += raw.length;
        }
      });
    },
  });
  // Broken connections and bad TLS hellos are the other side's; nothing of ours is lost by them.
  server.on('error', (error) => options.log.warn({ error: error.message }, 'a mail connection broke'));

  return {
    listen: (port, host) =>
      new Promise((done, fail) => {
        const listening = server.listen(port, host ?? '0.0.0.0', () => {
          listening.off('error', fail);
          done((listening.address() as AddressInfo).port);
        });
        listening.once('error', fail);
      }),
    close: () => new Promise((done) => server.close(() => done())),
  };

  /** Runs a step and answers in SMTP's words; what nobody foresaw defers the mail. */
  function answer(done: (error?: Error | null) => void, work: () => Promise<void>): void {
    work().then(
      () => done(),
      (error: unknown) => {
        if (error instanceof Refusal) return done(error);
        options.log.warn({ error: error instanceof Error ? error.message : String(error) }, 'a mail could not be taken now');
        done(new Refusal(451, '4.3.0 Not now, please try again later'));
      },
    );
  }
}

async function mailboxFor(address: string, options: MailServerOptions): Promise<string | null> {
  const { mailbox, tag } = splitPlus(address);
  return (await options.accept(address)) ?? (tag === undefined ? null : await options.accept(mailbox));
}

/** The mail's bytes; counted against what all connections may hold together. The caller gives them back. */
async function collect(stream: SMTPServerDataStream, maxBytes: number, budget: { free: number }): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let held = 0;
  let refusal: Refusal | undefined;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    // The rest must still be read: the answer comes after the final dot.
    if (refusal) continue;
    if (stream.sizeExceeded || held + chunk.length > maxBytes)
      refusal = new Refusal(552, `5.3.4 The mail is larger than ${Math.floor(maxBytes / MB)} MB`);
    else if (chunk.length > budget.free) refusal = new Refusal(452, '4.3.1 Too much mail at once, try again later');
    else {
      chunks.push(chunk);
      held += chunk.length;
      budget.free -= chunk.length;
    }
    if (refusal) {
      chunks.length = 0;
      budget.free += held;
      held = 0;
    }
  }
  if (!refusal && stream.sizeExceeded) {
    budget.free += held;
    refusal = new Refusal(552, `5.3.4 The mail is larger than ${Math.floor(maxBytes / MB)} MB`);
  }
  if (refusal) throw refusal;
  return Buffer.concat(chunks);
}

/** Makes the mail durable, once for each mailbox that it is for. */
async function take(
  raw: Buffer,
  session: SMTPServerSession,
  known: Map<string, string>,
  options: MailServerOptions,
  at: Date,
): Promise<void> {
  if (hops(scanHeaders(raw.subarray(0, 256 * 1024).toString('latin1'))) > MAX_HOPS)
    throw new Refusal(554, '5.4.6 The mail is going in circles');
  const { mailFrom, rcptTo } = session.envelope;
  const sender = mailFrom ? mailFrom.address : '';
  const arrival = {
    ip: session.remoteAddress,
    helo: session.hostNameAppearsAs || session.clientHostname,
    sender,
    hostname: options.hostname,
  };
  const auth =
    options.resolver === false
      ? { ip: arrival.ip, helo: arrival.helo }
      : await authenticateMail(raw, arrival, options.resolver ?? undefined);
  const recipients = rcptTo.map(({ address }) => normalAddress(address));
  const byMailbox = Map.groupBy(
    recipients.filter((address) => known.has(address)),
    (address) => known.get(address)!,
  );
  const events = [...byMailbox].map(([mailbox, to]) => mailEvent(mailbox, raw, { from: sender, to, auth, receivedAt: at.toISOString() }));
  await options.deliver(events);
  options.log.info({ from: sender, mailboxes: [...byMailbox.keys()], bytes: raw.length, auth }, 'took a mail');
}
