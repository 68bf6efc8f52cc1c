/**
 * The built-in mail server for inbound mail: SIZE, STARTTLS, SMTPUTF8 and 8BITMIME, every recipient accepted or refused
 * on its own, large mails written to the disk as they come, 250 only once the mail is durable. It relays nothing.
 */
import type { AddressInfo } from 'node:net';
import type { DNSResolver } from 'mailauth';
import { SMTPServer, type SMTPServerDataStream, type SMTPServerSession } from 'smtp-server';
import { PatchbayError } from '../../model/errors.ts';
import { isAddress, normalAddress, splitPlus } from '../../model/mail-address.ts';
import type { Kept, RawEvent, Spool } from '../connector.ts';
import { authenticateMail } from './authenticate.ts';
import { hops, MAX_HOPS } from './automatic.ts';
import { selfSigned } from './certificate.ts';
import { scanHeaders } from './headers.ts';
import { Breaker } from './loop.ts';
import { bytesOfKept, mailEvent } from './raw.ts';

/** Who takes mail for an address. */
export interface Acceptance {
  /** The connected channel's `sourceChannelId`. */
  address: string;
  channel?: NonNullable<RawEvent['channel']>;
}

export interface MailServerOptions {
  /** Our name in the greeting. */
  hostname: string;
  /**
   * The mailbox that takes mail for an address; null when none does. Asked with the whole address first
   * (`support+vip@…`), then without its plus-tag. Throwing defers the mail.
   */
  accept(address: string): Promise<Acceptance | null>;
  spool: Spool;
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
  /** Connections at once from one address; 20 unless told. */
  maxClientsOfOne?: number;
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
/** Who asks for so many addresses that are not here is guessing. */
const MAX_STRANGERS = 20;

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
  const mailboxes = new WeakMap<SMTPServerSession, Map<string, Acceptance>>();
  const strangers = new WeakMap<SMTPServerSession, number>();
  const clients = new Map<string, number>();

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
    onConnect: ({ remoteAddress }, done) => {
      const count = (clients.get(remoteAddress) ?? 0) + 1;
      clients.set(remoteAddress, count);
      done(count > (options.maxClientsOfOne ?? 20) ? new Refusal(421, '4.7.0 Too many connections from your address') : null);
    },
    onClose: ({ remoteAddress }) => {
      const count = (clients.get(remoteAddress) ?? 1) - 1;
      if (count > 0) clients.set(remoteAddress, count);
      else clients.delete(remoteAddress);
    },
    onMailFrom: (_address, session, done) => {
      answer(done, async () => {
        if (!rate.allows(session.remoteAddress, now()))
          throw new Refusal(450, '4.7.0 Too many mails from your address, try again in a minute');
        mailboxes.set(session, new Map());
      });
    },
    onRcptTo: ({ address }, session, done) => {
      answer(done, async () => {
        const known = mailboxes.get(session) ?? new Map<string, Acceptance>();
        if (known.size >= MAX_RECIPIENTS) throw new Refusal(452, '4.5.3 Too many recipients');
        const refused = strangers.get(session) ?? 0;
        if (refused >= MAX_STRANGERS) throw new Refusal(421, '4.7.0 Too many unknown recipients');
        const mailbox = isAddress(address) ? await mailboxFor(normalAddress(address), options) : null;
        if (mailbox === null) {
          strangers.set(session, refused + 1);
          throw new Refusal(550, '5.1.1 There is no such mailbox here');
        }
        known.set(normalAddress(address), mailbox);
        mailboxes.set(session, known);
      });
    },
    onData: (stream, session, done) => {
      answer(done, async () => {
        const share = { used: 0 };
        try {
          const kept = await options.spool.keep(within(stream, maxBytes, budget, share));
          await take(kept, session, mailboxes.get(session) ?? new Map(), options, now());
        } finally {
          budget.free += share.used;
          // The rest must still be read: the answer comes after the final dot.
          stream.resume();
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
        if (error instanceof PatchbayError && error.code === 'unavailable') {
          options.log.warn({ error: error.message }, 'a mail could not be taken now');
          return done(new Refusal(452, '4.3.1 There is no room for the mail now, please try again later'));
        }
        options.log.warn({ error: error instanceof Error ? error.message : String(error) }, 'a mail could not be taken now');
        done(new Refusal(451, '4.3.0 Not now, please try again later'));
      },
    );
  }
}

async function mailboxFor(address: string, options: MailServerOptions): Promise<Acceptance | null> {
  const { mailbox, tag } = splitPlus(address);
  return (await options.accept(address)) ?? (tag === undefined ? null : await options.accept(mailbox));
}

/** The mail's bytes as they come, counted against what all connections may bring at once. Throws `Refusal`. */
async function* within(
  stream: SMTPServerDataStream,
  maxBytes: number,
  budget: { free: number },
  share: { used: number },
): AsyncGenerator<Buffer> {
  for await (const chunk of stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    if (stream.sizeExceeded || share.used + chunk.length > maxBytes) throw tooLarge(maxBytes);
    if (chunk.length > budget.free) throw new Refusal(452, '4.3.1 Too much mail at once, try again later');
    share.used += chunk.length;
    budget.free -= chunk.length;
    yield chunk;
  }
  if (stream.sizeExceeded) throw tooLarge(maxBytes);
}

function tooLarge(maxBytes: number): Refusal {
  return new Refusal(552, `5.3.4 The mail is larger than ${Math.floor(maxBytes / MB)} MB`);
}

/** Makes the mail durable, once for each mailbox that it is for. */
async function take(
  kept: Kept,
  session: SMTPServerSession,
  known: Map<string, Acceptance>,
  options: MailServerOptions,
  at: Date,
): Promise<void> {
  if (hops(scanHeaders(kept.body.subarray(0, 256 * 1024).toString('latin1'))) > MAX_HOPS)
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
      : await authenticateMail(bytesOfKept(kept, options.spool).stream(), arrival, options.resolver ?? undefined);
  const recipients = rcptTo.map(({ address }) => normalAddress(address)).filter((address) => known.has(address));
  const byMailbox = Map.groupBy(recipients, (address) => {
    const { address: mailbox, channel } = known.get(address)!;
    return `${mailbox} ${channel?.id ?? ''}`;
  });
  const events = [...byMailbox.values()].map((to) => {
    const { address: mailbox, channel } = known.get(to[0]!)!;
    return mailEvent(mailbox, kept, { from: sender, to, auth, receivedAt: at.toISOString() }, channel);
  });
  await options.deliver(events);
  const mailboxes = events.map((event) => event.sourceChannelId);
  options.log.info({ from: sender, mailboxes, bytes: kept.size, auth }, 'took a mail');
}
