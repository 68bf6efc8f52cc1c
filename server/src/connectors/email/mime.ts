/** Raw mail → its text, HTML and files, by mailparser, within limits and whatever the sender did to it. */
import { convert } from 'html-to-text';
import type { Attachment, ParsedMail } from 'mailparser';
import { type MailHeaders, readHeaders, scanHeaders } from './headers.ts';

const MAX_TEXT = 1_000_000;
const MAX_HTML = 4_000_000;
const MAX_MS = 30_000;

export interface ReadMail {
  parsed: ParsedMail | undefined;
  headers: MailHeaders;
  text: string;
  html: string | undefined;
  attachments: Attachment[];
  /** Why parts of the mail may be missing: shown beside it, the raw mail has everything. */
  problem: string | undefined;
}

/** Reads a mail. Never throws: what no parser can read comes back as its headers and its body as text. */
export async function readMime(raw: Buffer): Promise<ReadMail> {
  try {
    return fromParsed(await within(MAX_MS, parse(raw)), raw);
  } catch (error) {
    return salvage(raw, error instanceof Error ? error.message : String(error));
  }
}

/** The files of a mail in the order in which `readMime` numbers them. */
export async function attachmentsOf(raw: Buffer): Promise<Attachment[]> {
  return (await readMime(raw)).attachments;
}

async function parse(raw: Buffer): Promise<ParsedMail> {
  // Loaded with the first mail: it costs more memory than the rest of the service, which may never meet one.
  const { simpleParser } = await import('mailparser');
  return simpleParser(raw, {
    skipHtmlToText: true,
    skipTextToHtml: true,
    skipImageLinks: true,
    keepCidLinks: true,
    keepDeliveryStatus: true,
    checksumAlgo: 'sha256',
  });
}

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('reading took too long')), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

function fromParsed(parsed: ParsedMail, raw: Buffer): ReadMail {
  const headers = parsed.headerLines ? readHeaders(parsed.headerLines) : scanHeaders(raw.subarray(0, 200_000).toString('latin1'));
  const html = parsed.html ? parsed.html.slice(0, MAX_HTML) : undefined;
  const text = (parsed.text ?? '').slice(0, MAX_TEXT);
  const cut = (parsed.html || '').length > MAX_HTML || (parsed.text ?? '').length > MAX_TEXT;
  return {
    parsed,
    headers,
    text: text.trim() === '' && html ? textOfHtml(html) : text,
    html,
    attachments: parsed.attachments ?? [],
    problem: cut ? 'only the beginning is shown' : undefined,
  };
}

function salvage(raw: Buffer, problem: string): ReadMail {
  const text = raw.toString('utf8');
  const body = text.search(/\r?\n\r?\n/);
  return {
    parsed: undefined,
    headers: scanHeaders(text.slice(0, 200_000)),
    text: (body < 0 ? text : text.slice(body)).trim().slice(0, MAX_TEXT),
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
