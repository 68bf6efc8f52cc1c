import { simpleParser } from 'mailparser';
import { describe, expect, it } from 'vitest';
import { buildMail } from '../../../src/connectors/email/build.ts';
import type { Content } from '../../../src/model/content.ts';
import { uuidv7 } from '../../../src/model/ids.ts';
import { mailbox, testContext } from './context.ts';
import { MAILBOX } from './mail.ts';

const id = uuidv7();
const to = [{ kind: 'emailaddress', value: 'ann@example.com' }];
const support = mailbox(MAILBOX, { provider: 'aurion', signature: 'Your shop\n+49 1' });
const last = { id: 'm1@example.com', from: 'Ann <ann@example.com>', date: '2026-11-21T09:00:00Z', text: 'Where is <it>?' };

describe('an outgoing mail', () => {
  it('answers with headers, quote and signature, in text and HTML', async () => {
    const context = testContext();
    context.files.set('f1', { data: Buffer.from('pdf'), mimeType: 'application/pdf', filename: 'Rechnung für Ännchen.pdf' });
    const built = await buildMail(
      {
        id,
        to,
        content: {
          type: 'email',
          subject: '',
          text: 'Soon.',
          html: '<p>Soon.</p>',
          cc: [{ address: 'cc@example.com', name: 'Cäcilie' }],
          bcc: [{ address: 'bcc@example.com' }],
          attachments: [{ id: 'f1' }],
        },
        thread: { key: 'k', subject: 'Grüße 🎈', data: { references: ['m0@example.com', 'm1@example.com'], last } },
      },
      support,
      context,
      { tagged: true },
    );
    const parsed = await simpleParser(built.raw);
    expect(built.messageId).toBe(`${id}@shop.example`);
    expect(parsed.messageId).toBe(`<${id}@shop.example>`);
    expect(parsed.inReplyTo).toBe('<m1@example.com>');
    expect(parsed.references).toEqual(['<m0@example.com>', '<m1@example.com>']);
    expect(parsed.subject).toBe('Re: Grüße 🎈');
    expect(parsed.text).toContain(
      'Soon.\n\n-- \nYour shop\n+49 1\n\nOn Sat, 21 Nov 2026 09:00:00 GMT, Ann <ann@example.com> wrote:\n> Where is <it>?',
    );
    expect(parsed.html).toContain('Where is &lt;it&gt;?');
    expect(parsed.attachments[0]).toMatchObject({ filename: 'Rechnung für Ännchen.pdf', contentType: 'application/pdf' });
    expect(parsed.replyTo?.value[0]?.address).toBe(`support+r-${id.replaceAll('-', '')}@shop.example`);
    expect(built.envelope).toEqual({
      from: `support+b-${id.replaceAll('-', '')}@shop.example`,
      to: ['ann@example.com', 'cc@example.com', 'bcc@example.com'],
    });
    expect(built.raw.toString()).not.toContain('bcc@example.com');
    const lines = built.raw.toString('latin1').split('\r\n');
    expect(lines.filter((line) => line.length > 998 || /[^\x20-\x7e\t]/.test(line))).toEqual([]);
  });

  it('carries text and files of other kinds', async () => {
    const context = testContext();
    context.files.set('p', { data: Buffer.from('x'), mimeType: 'image/png', filename: 'p.png' });
    const built = await buildMail({ id, to, content: { type: 'image', media: { id: 'p' }, caption: 'Look' } }, support, context);
    const parsed = await simpleParser(built.raw);
    expect(parsed.text).toContain('Look');
    expect(parsed.attachments).toHaveLength(1);
  });

  const evil: [string, Partial<Extract<Content, { type: 'email' }>>][] = [
    ['subject', { subject: 'x\r\nBcc: evil@example.com' }],
    ['to', { to: [{ address: 'a@example.com\r\nRCPT TO:<evil@example.com>' }] }],
    ['to, two in one', { to: [{ address: 'a@example.com, evil@example.com' }] }],
    ['name', { cc: [{ address: 'a@example.com', name: 'x\nBcc: evil@example.com' }] }],
    ['header value', { headers: { 'X-A': 'b\r\nBcc: evil@example.com' } }],
    ['header name', { headers: { 'X-A: b\r\nBcc': 'evil@example.com' } }],
    ['reserved header', { headers: { Bcc: 'evil@example.com' } }],
    ['file name', { attachments: [{ id: 'p', filename: 'a"\r\nX: y' }] }],
  ];
  it.each(evil)('refuses line breaks in the %s', async (_, part) => {
    await expect(
      buildMail({ id, to, content: { type: 'email', subject: 's', text: 't', ...part } }, support, testContext()),
    ).rejects.toMatchObject({
      class: 'rejected',
      code: 'invalid-mail',
    });
  });

  it('drops ids with line breaks from References', async () => {
    const built = await buildMail(
      {
        id,
        to,
        content: { type: 'text', text: 't' },
        thread: { key: 'k', data: { references: ['a@x>\r\nBcc: evil@example.com'], last: { id: 'b@x' } } },
      },
      support,
      testContext(),
    );
    expect(built.raw.toString()).not.toMatch(/^Bcc:/im);
  });

  it('says which file is gone', async () => {
    await expect(
      buildMail({ id, to, content: { type: 'file', media: { id: 'no', filename: 'a.txt' } } }, support, testContext()),
    ).rejects.toMatchObject({ code: 'media-gone' });
  });
});
