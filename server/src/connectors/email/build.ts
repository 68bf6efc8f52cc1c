/**
 * An outgoing mail: our Message-ID, proper In-Reply-To and References, the answered mail quoted below, the signature,
 * plain text beside HTML, files, copies. Whatever could break out of a header is refused, never repaired.
 */
import MailComposer from 'nodemailer/lib/mail-composer';
import type { EmailContent, MailAddress, MediaRef } from '../../model/content.ts';
import { isMedia, textOf } from '../../model/content.ts';
import { ProviderError } from '../../model/errors.ts';
import { isAddress, normalAddress } from '../../model/mail-address.ts';
import type { ConnectorContext, OutboundMessage } from '../connector.ts';
import { messageIdOf, OUR_HEADER, readMessageId, taggedAddress } from './message-id.ts';
import { textOfHtml } from './mime.ts';
import type { Mailbox } from './settings.ts';

export interface BuiltMail {
  raw: Buffer;
  /** Without brackets. */
  messageId: string;
  envelope: { from: string; to: string[] };
  subject: string;
  /** What the next message of the conversation refers to. */
  references: string[];
  files: { content: Buffer; filename: string; contentType: string; cid?: string }[];
}

export interface BuildOptions {
  /** The provider takes the files apart from the mail. */
  withoutFiles?: boolean;
  /** Answers come to our own server: tag the Reply-To and the envelope with the message they belong to. */
  tagged?: boolean;
}

interface LastMail {
  id?: string;
  from?: string;
  date?: string;
  text?: string;
}

const MAX_BYTES = 35 * 1024 * 1024;

/** Plain-word problems of a content, before anything is sent; empty when it can go out. */
export function problemsOf(content: EmailContent): string[] {
  const problems: string[] = [];
  if (/[\r\n\0]/.test(content.subject)) problems.push('The subject must be one line.');
  for (const address of [...(content.to ?? []), ...(content.cc ?? []), ...(content.bcc ?? []), ...(content.replyTo ?? [])]) {
    if (!isAddress(address.address)) problems.push(`"${address.address.slice(0, 100)}" is not a mail address.`);
    if (/[\r\n\0]/.test(address.name ?? '')) problems.push(`The name of ${address.address.slice(0, 100)} must be one line.`);
  }
  for (const [name, value] of Object.entries(content.headers ?? {})) {
    if (!/^[A-Za-z][A-Za-z0-9-]{0,70}$/.test(name) || RESERVED.has(name.toLowerCase()))
      problems.push(`The header "${name.slice(0, 60)}" cannot be set.`);
    if (/[\r\n\0]/.test(value)) problems.push(`The header "${name.slice(0, 60)}" must be one line.`);
  }
  for (const file of content.attachments ?? []) {
    if (/[\r\n\0]/.test(`${file.filename ?? ''}${file.contentId ?? ''}${file.mimeType ?? ''}`))
      problems.push('A file name must be one line.');
  }
  return problems;
}

const RESERVED = new Set([
  ...['from', 'to', 'cc', 'bcc', 'subject', 'date', 'message-id', 'in-reply-to', 'references', 'reply-to', 'sender', 'return-path'],
  ...['received', 'mime-version', 'content-type', 'content-transfer-encoding', 'dkim-signature', 'authentication-results'],
]);

/** Any content that a mailbox carries, as a mail. */
export function asEmail(message: OutboundMessage): EmailContent {
  const { content } = message;
  if (content.type === 'email') return content;
  const subject = message.thread?.subject ?? '';
  if (isMedia(content)) return { type: 'email', subject, text: content.caption ?? '', attachments: [content.media] };
  return { type: 'email', subject, text: textOf(content) };
}

/** Builds the mail of a message. Throws `ProviderError` (`rejected`) on what must not be sent. */
export async function buildMail(
  message: OutboundMessage,
  mailbox: Mailbox,
  context: ConnectorContext,
  options: BuildOptions = {},
): Promise<BuiltMail> {
  const content = asEmail(message);
  const to = recipientsOf(message, content);
  const problems = problemsOf({ ...content, to });
  if (to.length === 0) problems.push('There is nobody to send it to.');
  if (problems.length > 0) throw new ProviderError('rejected', problems.join(' '), { code: 'invalid-mail' });

  const address = mailbox.sourceChannelId;
  const data = message.thread?.data ?? {};
  const last = (data.last ?? {}) as LastMail;
  const answered = readMessageId(content.inReplyTo) ?? message.replyToProviderId ?? last.id;
  const references = referencesOf(content, data, answered);
  const messageId = messageIdOf(message.id, address);
  const subject = subjectOf(content, message, answered !== undefined);
  const body = bodyOf(content, mailbox, answered !== undefined && mailbox.settings.quote !== false ? last : {});
  const attachments = await Promise.all((content.attachments ?? []).map((file) => openFile(file, context)));
  const bytes = attachments.reduce((sum, file) => sum + file.content.length, 0);
  if (bytes > MAX_BYTES)
    throw new ProviderError('rejected', `The files have ${Math.ceil(bytes / 1e6)} MB together; a mail carries at most 35 MB.`, {
      code: 'too-large',
    });

  const cc = content.cc ?? [];
  const bcc = content.bcc ?? [];
  const replyTo = content.replyTo?.length
    ? content.replyTo
    : options.tagged
      ? [{ address: taggedAddress('reply', message.id, address), name: mailbox.name }]
      : [];
  const envelope = {
    from: options.tagged ? taggedAddress('bounce', message.id, address) : address,
    to: [...new Set([...to, ...cc, ...bcc].map((recipient) => normalAddress(recipient.address)))],
  };
  const composer = new MailComposer({
    from: named({ address, name: content.from?.name ?? mailbox.name }),
    to: to.map(named),
    cc: cc.map(named),
    replyTo: replyTo.map(named),
    envelope,
    subject,
    messageId: `<${messageId}>`,
    ...(answered ? { inReplyTo: `<${answered}>` } : {}),
    ...(references.length > 0 ? { references: references.map((id) => `<${id}>`) } : {}),
    date: context.now(),
    ...body,
    newline: 'windows',
    attachments: options.withoutFiles ? [] : attachments,
    headers: { ...content.headers, [OUR_HEADER]: message.id },
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  const raw = await composer.compile().build();
  return { raw, messageId, envelope, subject, references: [...references, messageId], files: attachments };
}

/** Whom it goes to: as written, else where the conversation's answers go. */
function recipientsOf(message: OutboundMessage, content: EmailContent): MailAddress[] {
  if (content.to?.length) return content.to;
  const answer = message.thread?.data?.answer as MailAddress | undefined;
  if (answer) return [answer];
  return message.to.slice(0, 1).map(({ value }) => ({ address: value }));
}

function referencesOf(content: EmailContent, data: Record<string, unknown>, answered: string | undefined): string[] {
  const known =
    content.references ?? (Array.isArray(data.references) ? data.references.filter((id): id is string => typeof id === 'string') : []);
  const ids = [...known, ...(answered ? [answered] : [])]
    .map(readMessageId)
    .filter((id): id is string => id !== undefined && !id.startsWith('sha256:'));
  const chain = [...new Set(ids.toReversed())].toReversed();
  return chain.length > 21 ? [chain[0]!, ...chain.slice(-20)] : chain;
}

function subjectOf(content: EmailContent, message: OutboundMessage, answer: boolean): string {
  if (content.subject !== '' && content.subject !== message.thread?.subject) return content.subject;
  const subject = content.subject || message.thread?.subject || '';
  return answer && subject !== '' && !/^re\s*:/i.test(subject) ? `Re: ${subject}` : subject;
}

/** Text and, where the content has any, HTML, each with signature and quote. */
function bodyOf(content: EmailContent, mailbox: Mailbox, last: LastMail): { text: string; html?: string } {
  const text = content.text || (content.html ? textOfHtml(content.html) : '');
  const signature = mailbox.settings.signature?.trim();
  const introduction = last.text ? `${last.date ? `On ${new Date(last.date).toUTCString()}, ` : ''}${last.from ?? 'you'} wrote:` : '';
  const quoted = (last.text ?? '').trim().replace(/^/gm, '> ');
  const plain = [text, ...(signature ? [`-- \n${signature}`] : []), ...(introduction ? [`${introduction}\n${quoted}`] : [])].join('\n\n');
  if (content.html === undefined) return { text: plain };
  const html = [
    content.html,
    ...(signature ? [`<div class="signature">-- <br>${lines(signature)}</div>`] : []),
    ...(introduction
      ? [
          `<div class="gmail_quote"><div>${lines(introduction)}</div><blockquote type="cite" style="margin:0 0 0 0.8ex;border-left:1px solid #ccc;padding-left:1ex">${lines((last.text ?? '').trim())}</blockquote></div>`,
        ]
      : []),
  ].join('<br>\n');
  return { text: plain, html };
}

function lines(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;').replace(/\r?\n/g, '<br>\n');
}

function named(address: MailAddress): { address: string; name: string } {
  return { address: normalAddress(address.address), name: address.name ?? '' };
}

async function openFile(file: MediaRef, context: ConnectorContext) {
  const opened = file.id ? await context.openMedia(file.id) : file.url ? await fetchFile(file.url, context) : undefined;
  if (!opened)
    throw new ProviderError('rejected', `The file ${file.filename ?? file.id ?? ''} is not there any more.`, { code: 'media-gone' });
  return {
    content: opened.data,
    filename: file.filename ?? opened.filename ?? 'attachment',
    contentType: file.mimeType ?? opened.mimeType,
    ...(file.contentId ? { cid: file.contentId, contentDisposition: 'inline' as const } : {}),
  };
}

async function fetchFile(url: string, context: ConnectorContext) {
  const answer = await context.http(url, { maxBytes: MAX_BYTES, timeoutMs: 60_000 });
  if (answer.status !== 200)
    throw new ProviderError('rejected', `The file at ${url} answered ${answer.status}.`, { code: 'media-gone', status: answer.status });
  return {
    data: answer.body,
    mimeType: answer.headers.get('content-type') ?? 'application/octet-stream',
    filename: new URL(url).pathname.split('/').pop(),
  };
}
