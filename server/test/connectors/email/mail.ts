/** Mails for the tests: written short, read as a server would hand them over. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { readMailEvent } from '../../../src/connectors/email/parse.ts';
import { type MailFacts, mailEvent } from '../../../src/connectors/email/raw.ts';
import type { InboundEvent, MessageEvent } from '../../../src/connectors/events.ts';

export const MAILBOX = 'support@shop.example';
export const EVIDENCE = join(process.env.EVIDENCE_DIR ?? '../shared/evidence', 'mail/mikel-mail');

/** A mail with CRLF line ends; headers that are not given are the usual ones. */
export function mail(headers: Record<string, string>, body = 'Hello', bodyHeaders = 'Content-Type: text/plain; charset=utf-8'): Buffer {
  const all = { From: 'Ann Lee <ann@example.com>', To: MAILBOX, Subject: 'Order 7', 'Message-ID': '<m1@example.com>', ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`);
  return Buffer.from([...lines, 'MIME-Version: 1.0', bodyHeaders, '', body].join('\n').replace(/\r?\n/g, '\r\n'));
}

export function read(raw: Buffer, facts?: MailFacts, agents?: string[]): Promise<InboundEvent[]> {
  return readMailEvent(mailEvent(MAILBOX, raw, facts), { agents });
}

/** The one message that the mail is. */
export async function message(raw: Buffer, facts?: MailFacts, agents?: string[]): Promise<MessageEvent> {
  const events = await read(raw, facts, agents);
  const found = events.find((event) => event.kind === 'message');
  if (!found) throw new Error(`no message in ${JSON.stringify(events)}`);
  return found;
}

/** Every mail of the evidence; empty where it is absent. */
export function evidenceMails(): string[] {
  if (!existsSync(EVIDENCE)) {
    console.warn(`SKIPPED: no mails at ${EVIDENCE}; set EVIDENCE_DIR`);
    return [];
  }
  return readdirSync(EVIDENCE, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !['LICENSE', '.gitattributes', 'sample_output_multipart'].includes(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}
