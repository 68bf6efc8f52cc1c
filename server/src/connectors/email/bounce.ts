/**
 * Reports about mail that we sent: delivery status notifications (RFC 3464) and read receipts (RFC 8098), also those
 * of servers that write them their own way.
 */
import type { ReceiptEvent } from '../events.ts';
import { header, type MailHeaders, scanHeaders } from './headers.ts';
import { messageIdOf, ourIdOf, readMessageId, taggedId } from './message-id.ts';

/** A part of a report, already decoded. */
export interface ReportPart {
  contentType: string;
  text: string;
}

export interface Report {
  kind: 'delivery' | 'disposition';
  /** Message-ID of the mail that it is about. */
  messageId?: string;
  recipients: { address?: string; action: string; status?: string; diagnostic?: string }[];
}

const ORIGINAL = new Set(['message/rfc822', 'text/rfc822-headers', 'message/rfc822-headers', 'message/global', 'message/global-headers']);
const STATUS = new Set(['message/delivery-status', 'message/global-delivery-status']);
const DISPOSITION = new Set(['message/disposition-notification', 'message/global-disposition-notification']);

/** The report in a mail's parts; undefined when it holds none. */
export function readReport(parts: ReportPart[], recipients: string[], mailbox: string): Report | undefined {
  const status = parts.find((part) => STATUS.has(part.contentType));
  const disposition = parts.find((part) => DISPOSITION.has(part.contentType));
  const about = status ?? disposition;
  if (!about) return undefined;
  const tagged = recipients.map((address) => taggedId(address, mailbox)).find((id) => id !== undefined);
  const original = parts.find((part) => ORIGINAL.has(part.contentType));
  const messageId =
    (tagged && messageIdOf(tagged, mailbox)) ??
    readMessageId(/^original-message-id:\s*(.+)$/im.exec(about.text)?.[1]) ??
    (original && readMessageId(header(scanHeaders(original.text), 'message-id')));
  return {
    kind: status ? 'delivery' : 'disposition',
    ...(messageId ? { messageId } : {}),
    recipients: blocks(about.text).flatMap((block) => readRecipient(block, status === undefined)),
  };
}

function blocks(text: string): MailHeaders[] {
  return text
    .slice(0, 200_000)
    .split(/\r?\n[ \t]*\r?\n/, 200)
    .filter((block) => block.trim() !== '')
    .map(scanHeaders);
}

function readRecipient(block: MailHeaders, disposition: boolean): Report['recipients'] {
  const action = disposition
    ? /;\s*([\w-]+)/.exec(header(block, 'disposition') ?? '')?.[1]
    : header(block, 'action')?.split(/[\s;(]/, 1)[0];
  if (!action) return [];
  const typed = (name: string) =>
    header(block, name)
      ?.replace(/^[\w-]+\s*;\s*/, '')
      .replace(/^<|>$/g, '')
      .slice(0, 1000);
  const address = typed('final-recipient') ?? typed('original-recipient');
  const status = /\d\.\d{1,3}\.\d{1,3}/.exec(header(block, 'status') ?? '')?.[0];
  const diagnostic = typed('diagnostic-code');
  return [
    { ...(address ? { address } : {}), action: action.toLowerCase(), ...(status ? { status } : {}), ...(diagnostic ? { diagnostic } : {}) },
  ];
}

/** What the report says about our message; undefined when it says nothing final (delayed, relayed) or names no message. */
export function receiptOf(report: Report, mailbox: string, at: Date | undefined): ReceiptEvent | undefined {
  if (!report.messageId) return undefined;
  const ourId = ourIdOf(report.messageId, mailbox);
  const base = {
    kind: 'receipt' as const,
    providerId: report.messageId,
    ...(ourId ? { ourId } : {}),
    ...(at ? { at } : {}),
    facts: { report: report.recipients },
  };
  const failed = report.recipients.find(
    (recipient) => recipient.action === 'failed' || (recipient.action === '' && recipient.status?.startsWith('5')),
  );
  if (failed) {
    return {
      ...base,
      state: 'failed',
      error: {
        class: failed.status?.startsWith('5.7') ? 'rejected' : 'recipient-unreachable',
        message: `The mail to ${failed.address ?? 'the recipient'} came back: ${explain(failed.status)}`,
        ...(failed.status ? { providerCode: failed.status } : {}),
        ...(failed.diagnostic ? { providerMessage: failed.diagnostic } : {}),
      },
    };
  }
  if (report.kind === 'disposition' && report.recipients.some((recipient) => recipient.action === 'displayed'))
    return { ...base, state: 'read' };
  if (report.recipients.some((recipient) => recipient.action === 'delivered')) return { ...base, state: 'delivered' };
  return undefined;
}

/** RFC 3463's codes in plain words. */
function explain(status: string | undefined): string {
  const known: Record<string, string> = {
    '5.1.1': 'there is no such mailbox',
    '5.1.2': 'there is no such domain',
    '5.1.10': 'the domain takes no mail',
    '5.2.1': 'the mailbox is switched off',
    '5.2.2': 'the mailbox is full',
    '5.2.3': 'the mail is too large for the mailbox',
    '5.3.4': 'the mail is too large for the server',
    '5.4.4': 'the domain has no mail server',
    '5.4.6': 'it went in circles',
    '5.4.7': 'the server could not be reached for too long',
    '4.4.7': 'the server could not be reached for too long',
    '5.7.1': 'the server refuses our mail',
    '5.7.26': 'the server wants SPF or DKIM to pass for the sending domain',
  };
  return (status && (known[status] ?? `status ${status}`)) || 'without a reason';
}
