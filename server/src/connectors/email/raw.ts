/**
 * A mail as the engine keeps it: the bytes exactly as they came (those of a large mail in a file of the spool), and beside
 * them (as parameters of the content type, where no sender can forge anything) what only the transport knows.
 */
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { spooledFile } from '../../model/spooled.ts';
import type { Kept, RawEvent, Spool } from '../connector.ts';

export const SOURCE = 'email';
const MAIL = 'message/rfc822';
const WAKE = 'application/vnd.patchbay.wake+json';
const UNFETCHED = 'application/vnd.patchbay.unfetched-mail+json';

/** What the transport knew about a mail. */
export interface MailFacts {
  /** Envelope sender; empty for the null sender of bounces. */
  from?: string;
  /** Envelope recipients of this mailbox, plus-tags included. */
  to?: string[];
  /** ISO time at which the mailbox got it. */
  receivedAt?: string;
  /** SPF, DKIM and DMARC results, and the client's address. */
  auth?: { spf?: string; dkim?: string; dmarc?: string; ip?: string; helo?: string };
  /** From the Sent folder: our side wrote it elsewhere. */
  sent?: boolean;
  folder?: string;
  uid?: number;
  uidValidity?: string;
  gmailId?: string;
  gmailThreadId?: string;
  graphId?: string;
}

/** The raw event of one mail for one mailbox; for that channel alone where it is told. */
export function mailEvent(mailbox: string, mail: Buffer | Kept, facts: MailFacts = {}, channel?: RawEvent['channel']): RawEvent {
  const kept: Pick<Kept, 'body' | 'file'> = Buffer.isBuffer(mail) ? { body: mail } : mail;
  const encoded = Buffer.from(JSON.stringify(facts)).toString('base64url');
  return {
    source: SOURCE,
    sourceChannelId: mailbox,
    contentType: `${MAIL}; facts=${encoded}${kept.file ? `; spool=${kept.file}` : ''}`,
    body: kept.body,
    ...(channel ? { channel } : {}),
  };
}

/** The raw event of a notification that says "look" and nothing more. */
export function wakeEvent(mailbox: string, reason: string): RawEvent {
  return { source: SOURCE, sourceChannelId: mailbox, contentType: WAKE, body: Buffer.from(JSON.stringify({ reason })) };
}

/** The raw event of a mail that the provider did not hand out: it stands among those that could not be read. */
export function unfetchedEvent(mailbox: string, id: string, reason: string): RawEvent {
  return { source: SOURCE, sourceChannelId: mailbox, contentType: UNFETCHED, body: Buffer.from(JSON.stringify({ id, reason })) };
}

export function isUnfetched(event: RawEvent): boolean {
  return event.contentType.startsWith(UNFETCHED);
}

export function isWake(event: RawEvent): boolean {
  return event.contentType.startsWith(WAKE);
}

export function isMail(event: RawEvent): boolean {
  return event.contentType.startsWith(MAIL);
}

/** The transport's facts of a mail event; none when the event was made by hand. */
export function factsOf(event: RawEvent): MailFacts {
  const encoded = /;\s*facts=([\w-]+)/.exec(event.contentType)?.[1];
  return encoded ? (JSON.parse(Buffer.from(encoded, 'base64url').toString()) as MailFacts) : {};
}

/** The bytes of a mail, wherever they are. */
export interface MailBytes {
  /** The beginning; all of a small mail. */
  head: Buffer;
  size: number;
  /** All of them, from the start. */
  stream(): Readable;
  /** SHA-256, in hex. */
  digest(): string;
}

/** The bytes of a mail event. Throws when they lie in a file and there is no spool to open it. */
export function bytesOf(event: Pick<RawEvent, 'body' | 'contentType'>, spool?: Spool): MailBytes {
  const file = spooledFile(event.contentType);
  const kept = { body: event.body, size: event.body.length, ...(file ? { file } : {}) };
  return bytesOfKept(kept, spool);
}

/** As `bytesOf`, of bytes that were just kept. */
export function bytesOfKept({ body, size, file }: Kept, spool?: Spool): MailBytes {
  if (!file)
    return { head: body, size, stream: () => Readable.from([body]), digest: () => createHash('sha256').update(body).digest('hex') };
  if (!spool) throw new Error('the mail lies in a file, and there is nothing to open it');
  return { head: body, size, stream: () => spool.open(file), digest: () => file };
}
