/**
 * A raw mail → what happened: somebody wrote, or one of our mails came back or was read. The contact is the `From`; the
 * original sender when one of our own people forwards; the `Reply-To` when the mailbox's own address writes to itself
 * for somebody else (contact forms).
 */
import { createHash } from 'node:crypto';
import type { AddressObject, EmailAddress } from 'mailparser';
import type { EmailContent, MailAddress, MediaRef } from '../../model/content.ts';
import { isUuid } from '../../model/ids.ts';
import { formatAddress, isAddress, isListed, normalAddress } from '../../model/mail-address.ts';
import type { RawEvent, Spool } from '../connector.ts';
import type { InboundEvent, MessageEvent } from '../events.ts';
import { automaticReason } from './automatic.ts';
import { readReport, receiptOf } from './bounce.ts';
import { readInvitation } from './calendar.ts';
import { isForward, originalSender } from './forward.ts';
import { header, type MailHeaders } from './headers.ts';
import { OUR_HEADER, ourIdOf, readMessageId, readMessageIds } from './message-id.ts';
import { type MailFile, type ReadMail, readMime, textOfHtml } from './mime.ts';
import { replyOf, splitHtmlQuote } from './quote.ts';
import { bytesOf, factsOf, isMail, isUnfetched, isWake, type MailBytes, type MailFacts } from './raw.ts';
import { isAnswer, threadOf } from './thread.ts';

export const IDENTITY = 'emailaddress';
const NOBODY = 'unknown@unknown.invalid';
const QUOTE_KEPT = 10_000;
const DAY_MS = 86_400_000;

export interface ReadOptions {
  /** Addresses and `@domains` of our own people. */
  agents?: readonly string[];
  /** Opens what is too large to be in the event itself. */
  spool?: Spool | undefined;
}

/** Reads one raw event of a mailbox. Throws only on what is no mail event at all. */
export async function readMailEvent(event: RawEvent, options: ReadOptions = {}): Promise<InboundEvent[]> {
  if (isWake(event)) return readWake(event);
  if (isUnfetched(event)) {
    const { id, reason } = JSON.parse(event.body.toString()) as { id: string; reason: string };
    throw new Error(`the mail ${id} could not be fetched from the mailbox, where it still is: ${reason}`);
  }
  if (!isMail(event)) throw new Error(`not a mail: ${event.contentType}`);
  if (event.body.length === 0) return [{ kind: 'ignored', reason: 'an empty mail' }];
  const facts = factsOf(event);
  const mailbox = normalAddress(event.sourceChannelId ?? '');
  const bytes = bytesOf(event, options.spool);
  const mail = await readMime(bytes);
  const sentAt = dateOf(mail.headers, facts);
  const recipients = recipientsOf(mail, facts);

  const report = readReport(reportParts(mail), recipients, mailbox);
  const receipt = report && receiptOf(report, mailbox, sentAt);
  if (receipt?.providerId && ourIdOf(receipt.providerId, mailbox)) return [storable(receipt)];
  const message = messageOf(mail, bytes, mailbox, facts, { sentAt, recipients, agents: options.agents ?? [] });
  return [...(receipt ? [storable(receipt)] : []), storable(message)];
}

/** A notification's one piece. */
export function readWake(event: RawEvent): InboundEvent[] {
  const { reason } = JSON.parse(event.body.toString()) as { reason?: unknown };
  return [{ kind: 'wake', reason: String(reason ?? 'change') }];
}

interface Known {
  sentAt: Date | undefined;
  recipients: string[];
  agents: readonly string[];
}

function messageOf(mail: ReadMail, bytes: MailBytes, mailbox: string, facts: MailFacts, known: Known): MessageEvent {
  const { headers } = mail;
  const subject = mail.parsed?.subject ?? header(headers, 'subject') ?? '';
  const from = addresses(mail.parsed?.from);
  const replyTo = addresses(mail.parsed?.replyTo);
  const to = addresses(mail.parsed?.to);
  const cc = addresses(mail.parsed?.cc);
  const id = readMessageId(header(headers, 'message-id')) ?? `sha256:${bytes.digest()}`;
  const inReplyTo = readMessageIds(header(headers, 'in-reply-to'));
  const references = readMessageIds(header(headers, 'references'));
  const writer = from[0] ?? fallbackSender(mail, facts);

  const forwarded = isListed(writer.address, known.agents) && isForward(subject) ? forwardedSender(mail, mailbox) : undefined;
  const ownForm = writer.address === mailbox && !facts.sent ? replyTo.find((address) => address.address !== mailbox) : undefined;
  const contact = facts.sent ? ([...to, ...cc].find((address) => address.address !== mailbox) ?? writer) : (forwarded ?? ownForm ?? writer);

  const thread = threadOf({ mailbox, id, inReplyTo, references, recipients: known.recipients, subject, contact: contact.address });
  const automatic = facts.sent ? undefined : automaticReason(headers, facts.from, writer.address);
  const attachments = mail.attachments.map(mediaRefOf);
  const calendar = mail.attachments.find((attachment) => attachment.contentType === 'text/calendar');
  const reply = forwarded ? mail.text.trim() : replyText(mail);
  const content: EmailContent = {
    type: 'email',
    subject,
    text: mail.text,
    ...(mail.html ? { html: mail.html } : {}),
    reply,
    from: forwarded ?? writer,
    to,
    ...(cc.length > 0 ? { cc } : {}),
    ...(replyTo.length > 0 ? { replyTo } : {}),
    ...(attachments.length > 0 ? { attachments } : {}),
    headers: shownHeaders(headers),
    messageId: id,
    ...(inReplyTo[0] ? { inReplyTo: inReplyTo[0] } : {}),
    ...(references.length > 0 ? { references } : {}),
  };
  const ourId = facts.sent ? ourMark(headers, id, mailbox) : undefined;
  return {
    kind: 'message',
    direction: facts.sent ? 'out' : 'in',
    providerId: id,
    fingerprint: fingerprintOf(mail, writer.address, subject),
    contact: { identities: [{ kind: IDENTITY, value: contact.address }], ...(contact.name ? { name: contact.name } : {}) },
    content,
    payload: { headers: Object.fromEntries([...headers].map(([name, values]) => [name, values.slice(0, 60)])) },
    ...(known.sentAt ? { sentAt: known.sentAt } : {}),
    thread: {
      key: thread.key,
      candidates: thread.candidates,
      ...(thread.guess ? { guess: thread.guess } : {}),
      ...(thread.subject ? { subject: thread.subject } : {}),
      data: {
        ...thread.data,
        last: {
          id,
          from: formatAddress(contact),
          date: (known.sentAt ?? facts.receivedAt ?? null) as unknown,
          text: mail.text.slice(0, QUOTE_KEPT),
        },
        subject,
        answer: answerTo(contact, (forwarded ?? ownForm) ? [] : replyTo, mailbox),
        ...(facts.gmailThreadId ? { gmailThreadId: facts.gmailThreadId } : {}),
      },
    },
    ...(inReplyTo[0] ? { replyTo: inReplyTo[0] } : {}),
    ...(ourId ? { ourId, own: true } : {}),
    ...(automatic ? { automatic: true } : {}),
    facts: {
      ...withoutEmpty({
        automatic,
        forwardedBy: forwarded ? writer : undefined,
        calendar: calendar ? readInvitation(calendar.head.toString('utf8')) : undefined,
        problem: mail.problem,
        auth: facts.auth,
        envelope: facts.from === undefined && !facts.to ? undefined : { from: facts.from, to: facts.to },
        folder: facts.folder,
        gmailId: facts.gmailId,
        graphId: facts.graphId,
        answersSubject: isAnswer(subject) || undefined,
      }),
    },
  };
}

/** The same for the same mail whichever way it came, and for no other: transport headers and line ends do not count. */
function fingerprintOf(mail: ReadMail, from: string, subject: string): string {
  const files = mail.attachments.map(({ checksum, filename, contentType }) => [checksum, filename ?? '', contentType]);
  const said = [from, header(mail.headers, 'date') ?? '', subject, mail.text.replace(/\s+/g, ' ').trim(), files];
  return createHash('sha256').update(JSON.stringify(said)).digest('hex').slice(0, 32);
}

/** Our message's id in a copy from the Sent folder, also where the provider gave the mail a Message-ID of its own. */
function ourMark(headers: MailHeaders, id: string, mailbox: string): string | undefined {
  const mark = header(headers, OUR_HEADER.toLowerCase());
  return isUuid(mark) ? mark.toLowerCase() : ourIdOf(id, mailbox);
}

/** Where an answer is sent: the Reply-To where the sender gave one, else the contact. */
function answerTo(contact: MailAddress, replyTo: MailAddress[], mailbox: string): MailAddress {
  return replyTo.find((address) => address.address !== mailbox) ?? contact;
}

function replyText(mail: ReadMail): string {
  if (mail.hasText) return replyOf(mail.text);
  if (!mail.html) return mail.text.trim();
  const { reply, quoted } = splitHtmlQuote(mail.html);
  return quoted ? textOfHtml(reply).trim() : replyOf(mail.text);
}

/** In the text as programs write it, or in the mail that is attached whole. */
function forwardedSender(mail: ReadMail, mailbox: string): MailAddress | undefined {
  const attached = mail.attachments.find((attachment) => attachment.contentType === 'message/rfc822');
  const sender = originalSender(mail.text) ?? (attached && originalSender(attached.head.subarray(0, 20_000).toString('utf8')));
  return sender && sender.address !== mailbox ? sender : undefined;
}

/** The parser's addresses, groups opened, without what nobody could write to. */
function addresses(value: AddressObject | AddressObject[] | undefined): MailAddress[] {
  const flat = (entries: EmailAddress[]): EmailAddress[] => entries.flatMap((entry) => (entry.group ? flat(entry.group) : [entry]));
  return [value ?? []]
    .flat()
    .flatMap((object) => flat(object.value ?? []))
    .slice(0, 500)
    .flatMap((entry) => {
      const address = normalAddress(entry.address ?? '');
      return isAddress(address) ? [{ address, ...(entry.name ? { name: entry.name.slice(0, 500) } : {}) }] : [];
    });
}

/** For mails whose From nobody can read: the envelope, the Return-Path, the Sender, else nobody. */
function fallbackSender(mail: ReadMail, facts: MailFacts): MailAddress {
  const candidates = [
    facts.from,
    header(mail.headers, 'return-path'),
    header(mail.headers, 'sender'),
    header(mail.headers, 'reply-to'),
    header(mail.headers, 'from'),
  ];
  for (const candidate of candidates) {
    const found = /[^\s<>"'(),;:]+@[^\s<>"'(),;:]+/.exec((candidate ?? '').slice(0, 2000))?.[0];
    if (found && isAddress(found)) return { address: normalAddress(found) };
  }
  return { address: NOBODY, name: (header(mail.headers, 'from') ?? 'Unknown sender').slice(0, 200) };
}

function recipientsOf(mail: ReadMail, facts: MailFacts): string[] {
  const delivered = ['delivered-to', 'x-original-to', 'envelope-to'].flatMap((name) => mail.headers.get(name) ?? []);
  const named = [...addresses(mail.parsed?.to), ...addresses(mail.parsed?.cc)].map((address) => address.address);
  return [...(facts.to ?? []), ...delivered, ...named].map((address) => normalAddress(address.replace(/[<>]/g, '')));
}

function reportParts(mail: ReadMail): { contentType: string; text: string }[] {
  return mail.attachments.map((attachment) => ({
    contentType: attachment.contentType.toLowerCase(),
    text: attachment.head.toString('utf8'),
  }));
}

function mediaRefOf(attachment: MailFile, index: number): MediaRef {
  return {
    providerRef: `part:${index}`,
    mimeType: attachment.contentType || 'application/octet-stream',
    size: attachment.size,
    sha256: attachment.checksum,
    filename: (attachment.filename ?? defaultName(attachment.contentType, index)).slice(0, 255),
    ...(attachment.cid ? { contentId: attachment.cid } : {}),
  };
}

function defaultName(contentType: string, index: number): string {
  const known: Record<string, string> = {
    'message/rfc822': 'mail.eml',
    'text/calendar': 'invite.ics',
    'message/delivery-status': 'delivery-status.txt',
  };
  return known[contentType] ?? `attachment-${index + 1}`;
}

/** The sender's date unless it is unreadable or lies ahead of its arrival. */
function dateOf(headers: MailHeaders, facts: MailFacts): Date | undefined {
  const received = facts.receivedAt ? new Date(facts.receivedAt) : undefined;
  const written = new Date((header(headers, 'date') ?? '').replace(/\s*\([^)]*\)\s*$/, ''));
  const readable = !Number.isNaN(written.getTime()) && written.getTime() > 0 && written.getUTCFullYear() < 9999;
  if (!readable) return received;
  return received && written.getTime() > received.getTime() + DAY_MS ? received : written;
}

function shownHeaders(headers: MailHeaders): Record<string, string> {
  const names = ['date', 'sender', 'list-id', 'auto-submitted', 'precedence', 'importance', 'x-priority', 'user-agent', 'x-mailer'];
  return Object.fromEntries(names.flatMap((name) => (headers.has(name) ? [[name, header(headers, name)!.slice(0, 1000)]] : [])));
}

function withoutEmpty(facts: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined));
}

/** A deep copy that any JSON column takes: no NUL, no lone surrogates. */
function storable<T>(value: T): T {
  if (typeof value === 'string') return value.replaceAll('\0', '').toWellFormed() as T;
  if (value instanceof Date || value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map(storable) as T;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [storable(key), storable(entry)])) as T;
}
