import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { replyOf } from '../../../src/connectors/email/quote.ts';
import { evidenceMails, mail, read } from './mail.ts';

const RUNS = Number(process.env.FUZZ_RUNS ?? 200);

const headerName = fc.constantFrom(
  'From',
  'To',
  'Subject',
  'Message-ID',
  'References',
  'In-Reply-To',
  'Content-Type',
  'Content-Transfer-Encoding',
  'Date',
  'MIME-Version',
  'Reply-To',
  'Content-Disposition',
  'Auto-Submitted',
);
const headerValue = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 80 }),
  fc.constantFrom(
    'multipart/mixed; boundary=b',
    'multipart/report; boundary=b',
    'text/html; charset=utf-7',
    'text/plain; charset=x-nothing',
    'message/rfc822',
    'base64',
    'quoted-printable',
    '=?utf-8?b?////?=',
    '=?x?q?=ZZ?=',
    '<a@b> <c@d',
    '"',
    '<>',
    '(((((',
    'a@b, c@d; e:f@g;',
  ),
);
const body = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 300 }),
  fc.constantFrom(
    '--b\n\nx\n--b--',
    '--b\nContent-Type: message/rfc822\n\n--b\n',
    '--b\nContent-Type: message/delivery-status\n\nAction: failed\n\n--b--',
    '=\n=3',
    '\n\n\n',
  ),
);

describe('whatever arrives is read', () => {
  it('mails made of anything', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(headerName, headerValue), { maxLength: 12 }), body, async (headers, text) => {
        const raw = Buffer.from(`${headers.map(([name, value]) => `${name}: ${value}`).join('\r\n')}\r\n\r\n${text}`);
        const events = await read(raw);
        expect(events.length).toBeGreaterThan(0);
        expect(JSON.stringify(events)).not.toContain('\\u0000');
      }),
      { numRuns: RUNS },
    );
  });

  it('bytes made of anything', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 2000 }), async (bytes) => {
        expect((await read(Buffer.from(bytes))).length).toBeGreaterThan(0);
      }),
      { numRuns: RUNS },
    );
  });

  const files = evidenceMails();
  it.skipIf(files.length === 0)('real mails with pieces changed, cut and repeated', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...files),
        fc.nat(),
        fc.nat(),
        fc.uint8Array({ minLength: 1, maxLength: 20 }),
        async (file, from, length, bytes) => {
          const raw = readFileSync(file);
          const at = from % (raw.length + 1);
          const changed = Buffer.concat([raw.subarray(0, at), bytes, raw.subarray(Math.min(raw.length, at + (length % 200)))]);
          expect((await read(changed)).length).toBeGreaterThan(0);
        },
      ),
      { numRuns: RUNS },
    );
  });

  it('mails made to hang a reader', async () => {
    const nested = (depth: number) => {
      let part = 'Content-Type: text/plain\r\n\r\nx';
      for (let i = 0; i < depth; i++) part = `Content-Type: multipart/mixed; boundary=b${i}\r\n\r\n--b${i}\r\n${part}\r\n--b${i}--`;
      return Buffer.from(`From: a@b.example\r\nMessage-ID: <n@x>\r\n${part}`);
    };
    const hostile = [
      nested(2000),
      mail({}, `--b\nContent-Type: text/plain\n\nx\n`.repeat(20_000), 'Content-Type: multipart/mixed; boundary=b'),
      mail({ References: '<a@b> '.repeat(50_000) }),
      mail({ To: 'a@b.example, '.repeat(20_000) }),
      mail({ Subject: '=?utf-8?q?x?= '.repeat(10_000) }),
      mail({ From: '('.repeat(50_000) }),
      mail({}, '<div>'.repeat(100_000), 'Content-Type: text/html'),
      mail({}, '<'.repeat(200_000), 'Content-Type: text/html'),
      mail({}, 'Op schreef\n'.repeat(20_000)),
      mail({}, `On ${'a '.repeat(100_000)}wrote:`),
      mail({}, '> '.repeat(200_000)),
      mail({}, `${'On x\n'.repeat(20_000)}wrote:`),
    ];
    for (const raw of hostile) expect((await read(raw)).length).toBeGreaterThan(0);
  });

  it('25 MB are read whole', async () => {
    const data = Buffer.alloc(25 * 1024 * 1024, 'x');
    const raw = mail(
      {},
      `--b\nContent-Type: text/plain\n\nsee file\n--b\nContent-Type: application/zip\nContent-Disposition: attachment; filename=a.zip\nContent-Transfer-Encoding: base64\n\n${data.toString('base64').replace(/.{76}/g, '$&\n')}\n--b--`,
      'Content-Type: multipart/mixed; boundary=b',
    );
    const [event] = await read(raw);
    expect(event).toMatchObject({
      kind: 'message',
      content: { text: expect.stringContaining('see file'), attachments: [{ size: data.length, filename: 'a.zip' }] },
    });
  });

  it('quotes made to hang a reader', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.constantFrom(
            'On ',
            'Op ',
            'schreef ',
            'skrev ',
            'wrote:',
            '> ',
            '\n',
            'From: a',
            'Sent: b',
            '--',
            '__',
            '写道：',
            '在',
            '2026/',
            ':',
            'x',
          ),
          { maxLength: 400 },
        ),
        (pieces) => {
          replyOf(pieces.join(''));
        },
      ),
      { numRuns: RUNS },
    );
  });
});
