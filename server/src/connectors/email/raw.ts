/**
 * A mail as the engine keeps it: the bytes exactly as they came, and beside them (as a parameter of the content type,
 * where no sender can forge anything) what only the transport knows.
 */
import type { RawEvent } from '../connector.ts';

export const SOURCE = 'email';
const MAIL = 'message/rfc822';
const WAKE = 'application/vnd.patchbay.wake+json';

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

/** The raw event of one mail for one mailbox. */
export function mailEvent(mailbox: string, body: Buffer, facts: MailFacts = {}): RawEvent {
  return {
    source: SOURCE,
    sourceChannelId: mailbox,
    contentType: `${MAIL}; facts=${Buffer.from(JSON.stringify(facts)).toString('base64url')}`,
    body,
  };
}

/** The raw event of a notification that says "look" and nothing more. */
export function wakeEvent(mailbox: string, reason: string): RawEvent {
  return { source: SOURCE, sourceChannelId: mailbox, contentType: WAKE, body: Buffer.from(JSON.stringify({ reason })) };
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
