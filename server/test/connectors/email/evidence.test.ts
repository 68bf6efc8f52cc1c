import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { describe, expect, it } from 'vitest';
import { contentAt } from '../../../src/connectors/email/mime.ts';
import { bytesOf, mailEvent } from '../../../src/connectors/email/raw.ts';
import type { EmailContent } from '../../../src/model/content.ts';
import { sanitizeMailHtml } from '../../../src/model/mail-html.ts';
import { EVIDENCE, evidenceMails, MAILBOX, message, read } from './mail.ts';

const files = evidenceMails();

describe.skipIf(files.length === 0)('103 mails that real programs wrote', () => {
  it('are all there', () => {
    expect(files).toHaveLength(103);
  });

  it.each(files.map((file) => [file.slice(EVIDENCE.length + 1), file]))('%s is stored and shown', async (_, file) => {
    const raw = readFileSync(file);
    const found = await message(raw);
    const content = found.content as EmailContent;

    expect(found.providerId).not.toBe('');
    expect(found.contact.identities[0]!.value).toMatch(/^[^\s@]+@[^\s@]+$/);
    expect(content.text !== '' || content.html !== undefined || (content.attachments ?? []).length > 0 || content.subject !== '').toBe(
      true,
    );
    expect(JSON.parse(JSON.stringify(found)).providerId).toBe(found.providerId);
    expect(JSON.stringify(found)).not.toContain('\\u0000');
    expect(sanitizeMailHtml(content.html ?? '').html).not.toMatch(/<script|\son\w+=/i);
    expect((await message(raw)).providerId).toBe(found.providerId);

    for (const [index, { sha256 }] of (content.attachments ?? []).entries()) {
      const file = Buffer.concat(await Array.fromAsync(contentAt(bytesOf(mailEvent(MAILBOX, raw)), index)));
      expect(createHash('sha256').update(file).digest('hex')).toBe(sha256);
    }
  });

  it.each([
    ['japanese_iso_2022.eml', 'まみむめも'],
    ['ks_c_5601-1987.eml', '스티해'],
    ['utf8_headers.eml', ''],
  ])('%s keeps its letters', async (name, letters) => {
    const file = files.find((candidate) => basename(candidate) === name)!;
    const { subject, text } = (await message(readFileSync(file))).content as EmailContent;
    expect(`${subject}${text}`).toContain(letters);
    expect(`${subject}${text}`).not.toContain('\uFFFD');
  });

  it.each(files.filter((file) => file.includes('multipart_report')).map((file) => [basename(file), file]))(
    '%s says what became of a mail',
    async (_, file) => {
      const events = await read(readFileSync(file));
      expect(events.filter((event) => event.kind === 'message')).toHaveLength(1);
      expect((events.find((event) => event.kind === 'message') as { automatic?: boolean }).automatic).toBe(true);
    },
  );
});
