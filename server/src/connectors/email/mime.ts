/**
 * Raw mail → its text, HTML and files, by mailparser, within limits and whatever the sender did to it. Files are read
 * past, not held: of each its digest and its beginning are kept, the rest is cut out when somebody wants it.
 */
import type { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { convert } from 'html-to-text';
import type { AttachmentStream, HeaderLines, Headers, MessageText, ParsedMail } from 'mailparser';
import { ProviderError } from '../../model/errors.ts';
import { type MailHeaders, readHeaders, scanHeaders } from './headers.ts';
import type { MailBytes } from './raw.ts';

const MAX_TEXT = 1_000_000;
const MAX_HTML = 4_000_000;
const FIRST_MS = 30_000;
/** What a slow machine may take for each further megabyte. */
const MS_PER_MB = 2_000;
/** Enough of a file to read a report, an invitation or a forwarded mail's headers from. */
const HEAD = 200_000;
const MB = 1024 * 1024;

/** A file of a mail. */
export interface MailFile {
  contentType: string;
  filename?: string;
  /** The Content-ID without brackets. */
  cid?: string;
  size: number;
  /** SHA-256, in hex. */
  checksum: string;
  /** Its first bytes. */
  head: Buffer;
}

/** What the parser reads from a mail's first header block. */
export type Envelope = Pick<ParsedMail, 'subject' | 'from' | 'to' | 'cc' | 'replyTo'>;

export interface ReadMail {
  /** Undefined when no parser could read the mail. */
  parsed: Envelope | undefined;
  headers: MailHeaders;
  /** The text part, or the HTML's text where there is none. */
  text: string;
  /** True when the sender wrote a text part. */
  hasText: boolean;
  html: string | undefined;
  attachments: MailFile[];
  /** Why parts of the mail may be missing: shown beside it, the raw mail has everything. */
  problem: string | undefined;
}

/** Reads a mail. Never throws: what no parser can read comes back as its headers and its body as text. */
export async function readMime(bytes: MailBytes): Promise<ReadMail> {
  try {
    return await parse(bytes);
  } catch (error) {
    return salvage(bytes.head, error instanceof Error ? error.message : String(error));
  }
}

/** The content of one of a mail's files, by its place in `readMime`'s list. Throws `ProviderError` when there is none. */
export async function* contentAt(bytes: MailBytes, index: number): AsyncGenerator<Buffer> {
  let at = 0;
  for await (const part of (await open(bytes)).parts) {
    if (part.type !== 'attachment') continue;
    if (at++ !== index) {
      await skip(part);
      continue;
    }
    for await (const chunk of part.content as Readable) yield chunk as Buffer;
    return;
  }
  throw new ProviderError('rejected', `the mail has no file ${index + 1}`, { code: 'media-gone' });
}

interface Opened {
  parts: AsyncIterable<AttachmentStream | MessageText>;
  headers(): Headers | undefined;
  lines(): HeaderLines | undefined;
}

/** The parser over the mail's bytes; both end together, also when the reader goes away early or takes too long. */
async function open(bytes: MailBytes): Promise<Opened> {
  // Loaded with the first mail: it costs more memory than the rest of the service, which may never meet one.
  const { MailParser } = await import('mailparser');
  const parser = new MailParser({
    skipHtmlToText: true,
    skipTextToHtml: true,
    skipImageLinks: true,
    keepDeliveryStatus: true,
    checksumAlgo: 'sha256',
  });
  let headers: Headers | undefined;
  let lines: HeaderLines | undefined;
  parser.once('headers', (found) => {
    headers = found;
  });
  parser.once('headerLines', (found) => {
    lines = found;
  });
  const input = bytes.stream();
  input.once('error', (error) => parser.destroy(error));
  const timer = setTimeout(() => parser.destroy(new Error('reading took too long')), FIRST_MS + Math.floor(bytes.size / MB) * MS_PER_MB);
  finished(parser)
    .catch(() => undefined)
    .finally(() => {
      clearTimeout(timer);
      input.destroy();
    });
  input.pipe(parser);
  return { parts: parser as AsyncIterable<AttachmentStream | MessageText>, headers: () => headers, lines: () => lines };
}

async function parse(bytes: MailBytes): Promise<ReadMail> {
  const opened = await open(bytes);
  const attachments: MailFile[] = [];
  let body: Partial<MessageText> = {};
  for await (const part of opened.parts) {
    if (part.type === 'attachment') attachments.push(await fileOf(part));
    else body = { ...body, ...part };
  }
  const headers = opened.headers();
  const lines = opened.lines();
  const written = (body.text ?? '').slice(0, MAX_TEXT);
  const markup = typeof body.html === 'string' ? body.html : '';
  const html = markup ? markup.slice(0, MAX_HTML) : undefined;
  const cut = markup.length > MAX_HTML || (body.text ?? '').length > MAX_TEXT;
  const hasText = written.trim() !== '';
  return {
    parsed: {
      subject: headers?.get('subject') as string,
      from: headers?.get('from') as ParsedMail['from'],
      to: headers?.get('to') as ParsedMail['to'],
      cc: headers?.get('cc') as ParsedMail['cc'],
      replyTo: headers?.get('reply-to') as ParsedMail['replyTo'],
    },
    headers: lines ? readHeaders(lines) : scanHeaders(bytes.head.subarray(0, HEAD).toString('latin1')),
    text: !hasText && html ? textOfHtml(html) : written,
    hasText,
    html,
    attachments,
    problem: cut ? 'only the beginning is shown' : undefined,
  };
}

async function fileOf(part: AttachmentStream): Promise<MailFile> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of part.content as Readable as AsyncIterable<Buffer>) {
    if (size < HEAD) chunks.push(chunk);
    size += chunk.length;
  }
  part.release();
  const { contentType, filename, cid, contentId, checksum } = part;
  const name = cid ?? contentId?.replace(/^<|>$/g, '');
  return {
    contentType,
    ...(filename ? { filename } : {}),
    ...(name ? { cid: name } : {}),
    size,
    checksum,
    head: Buffer.concat(chunks).subarray(0, HEAD),
  };
}

async function skip(part: AttachmentStream): Promise<void> {
  const content = part.content as Readable;
  content.resume();
  await finished(content);
  part.release();
}

function salvage(head: Buffer, problem: string): ReadMail {
  const text = head.toString('utf8');
  const body = text.search(/\r?\n\r?\n/);
  const shown = (body < 0 ? text : text.slice(body)).trim().slice(0, MAX_TEXT);
  return {
    parsed: undefined,
    headers: scanHeaders(text.slice(0, HEAD)),
    text: shown,
    hasText: shown !== '',
    html: undefined,
    attachments: [],
    problem,
  };
}

/** HTML as plain text: for lists, search and the text part of what we send. */
export function textOfHtml(html: string): string {
  return convert(html.slice(0, MAX_TEXT), {
    wordwrap: false,
    limits: { maxDepth: 200, maxChildNodes: 20_000, maxInputLength: MAX_TEXT },
    selectors: [
      { selector: 'img', format: 'skip' },
      { selector: 'a', options: { ignoreHref: true } },
    ],
  });
}
