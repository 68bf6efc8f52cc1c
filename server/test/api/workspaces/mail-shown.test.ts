/** Mails that real programs wrote, taken by the built-in server, and shown by the service's own routes. */
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { createTransport } from 'nodemailer';
import { beforeAll, describe, expect, it } from 'vitest';
import { evidenceMails, mail, message } from '../../connectors/email/mail.ts';
import { freePort, until } from '../../support/until.ts';
import { type TestApp, testApp } from '../support.ts';

let api: TestApp;
let transport: ReturnType<typeof createTransport>;
let channelId: string;

beforeAll(async () => {
  const port = await freePort();
  api = await testApp({ SMTP_INBOUND_PORT: String(port) });
  const channel = await api.engine.channels.connect({
    workspaceId: api.workspaceId,
    source: 'email',
    input: { email: 'shown@shop.example', name: 'Shown', provider: 'aurion' },
    sandbox: false,
    existing: 'refuse',
  });
  channelId = channel.id;
  transport = createTransport({ host: '127.0.0.1', port, tls: { rejectUnauthorized: false }, pool: true, maxConnections: 1 });
  return () => transport.close();
});

const deliver = (raw: Buffer, from = 'ann@customer.example') => transport.sendMail({ envelope: { from, to: ['shown@shop.example'] }, raw });

/** Every message of the mailbox, as the workspace surface shows it. */
async function shown(): Promise<any[]> {
  const messages: any[] = [];
  let conversations = '';
  do {
    const page = (await api.call('GET', `/conversations?limit=100${conversations}`)).json;
    for (const { id } of page.results) {
      const answer = await api.call('GET', `/conversations/${id}/messages?limit=100`);
      expect(answer.status, answer.text).toBe(200);
      messages.push(...answer.json.results);
    }
    conversations = page.nextPageToken ? `&pageToken=${page.nextPageToken}` : '';
  } while (conversations);
  return messages.filter((message) => message.channelId === channelId);
}

const evidence = evidenceMails();

describe.skipIf(evidence.length === 0)('103 mails that real programs wrote', () => {
  it('are taken, stored and shown, with every file, and nothing in them runs', { timeout: 240_000 }, async () => {
    const refused: string[] = [];
    for (const file of evidence)
      await deliver(await readFile(file)).catch((error: Error) => refused.push(`${basename(file)}: ${error.message}`));
    expect(refused).toEqual([]);
    await until(async () => (await api.engine.database.query(`select 1 from media where state = 'waiting'`)).rowCount === 0, {
      timeoutMs: 120_000,
    });
    const raw = await api.engine.database.query<{ state: string }>('select state from raw_events');
    expect(raw.rows).toHaveLength(103);
    expect(new Set(raw.rows.map(({ state }) => state))).toEqual(new Set(['applied']));
    const messages = await shown();
    // Some of the files hold the same mail, with other line ends or other servers' headers.
    const read = await Promise.all(evidence.map(async (file) => message(await readFile(file))));
    expect(messages.length).toBe(new Set(read.map(({ providerId, fingerprint }) => `${providerId} ${fingerprint}`)).size);
    expect(messages.length).toBe(87);
    for (const { content, sender } of messages) {
      expect(sender.contact.identifierValue).toMatch(/^[^\s@]+@[^\s@]+$/);
      expect(content.html ?? '').not.toMatch(/<script|<iframe|<form|\son\w+\s*=|javascript:/i);
      expect(content.html ?? '').not.toMatch(/\ssrc="(?:https?:)?\/\/(?!localhost)/i);
      for (const file of content.attachments ?? []) {
        const served = await api.app.inject({ url: new URL(file.url).pathname + new URL(file.url).search });
        expect(served.statusCode, `${content.subject} ${file.filename}`).toBe(200);
        expect(served.rawPayload.length).toBe(file.size ?? 0);
        expect(String(served.headers['content-type'])).not.toMatch(/html|svg|javascript|xml/);
      }
    }
  });
});

describe('the original of a mail', () => {
  it('is every byte that came, of small mails and large ones, for those who may read it', async () => {
    const sizes = [1_000, 3_000_000];
    for (const size of sizes) {
      const raw = mail(
        { From: 'whole@customer.example', 'Message-ID': `<whole-${size}@x>` },
        `${'0123456789'.repeat(7)}\n`.repeat(size / 71),
      );
      await deliver(raw);
      const { id } = (await shown()).find(({ parts }) => parts[0]?.platformReference === `whole-${size}@x`);
      const path = `/workspaces/${api.workspaceId}/messages/${id}/source`;
      const answer = await api.app.inject({ url: path, headers: { 'x-api-key': api.key } });
      expect(answer.statusCode).toBe(200);
      expect(answer.headers).toMatchObject({
        'content-type': 'application/octet-stream',
        'x-content-type-options': 'nosniff',
        'content-disposition': `attachment; filename="${id}.eml"`,
      });
      // What the server writes in front of it is its own.
      expect(answer.rawPayload.subarray(-raw.length).equals(raw)).toBe(true);

      const stranger = await api.makeWorkspace();
      const theirs = await api.app.inject({
        url: path.replace(api.workspaceId, stranger.workspaceId),
        headers: { 'x-api-key': stranger.key },
      });
      expect(theirs.statusCode).toBe(404);
      const lesser = await api.makeKey(['channels:read']);
      expect((await api.app.inject({ url: path, headers: { 'x-api-key': lesser } })).statusCode).toBe(403);
    }
  });
});

describe('what is known of a mail beside what it says', () => {
  it('is shown with it', async () => {
    const boundary = 'Content-Type: multipart/mixed; boundary=b';
    const invitation = 'BEGIN:VCALENDAR\nMETHOD:REQUEST\nBEGIN:VEVENT\nSUMMARY:Lunch\nDTSTART:20270101T120000Z\nEND:VEVENT\nEND:VCALENDAR';
    const body = [
      '--b',
      'Content-Type: text/plain',
      '',
      'See you',
      '--b',
      'Content-Type: text/calendar; method=REQUEST',
      '',
      invitation,
      '--b--',
    ];
    await deliver(
      mail({ From: 'facts@customer.example', 'Message-ID': '<facts@x>', 'Auto-Submitted': 'auto-generated' }, body.join('\n'), boundary),
    );
    const found = (await shown()).find(({ parts }) => parts[0]?.platformReference === 'facts@x');
    expect(found.content.facts).toMatchObject({
      auth: { spf: expect.any(String), dkim: 'none', dmarc: expect.any(String) },
      automatic: 'Auto-Submitted: auto-generated',
      calendar: { method: 'REQUEST', summary: 'Lunch', start: '20270101T120000Z' },
    });
  });

  it('holds what Outlook packs (TNEF) as the file that it is', async () => {
    const packed = Buffer.concat([Buffer.from('789f3e22', 'hex'), Buffer.alloc(300, 7)]);
    const body = ['--b', 'Content-Type: text/plain', '', 'Packed', '--b', 'Content-Type: application/ms-tnef; name=winmail.dat']
      .concat([
        'Content-Transfer-Encoding: base64',
        'Content-Disposition: attachment; filename=winmail.dat',
        '',
        packed.toString('base64'),
        '--b--',
      ])
      .join('\n');
    await deliver(mail({ From: 'tnef@customer.example', 'Message-ID': '<tnef@x>' }, body, 'Content-Type: multipart/mixed; boundary=b'));
    const find = async () => (await shown()).find(({ parts }) => parts[0]?.platformReference === 'tnef@x')?.content.attachments[0];
    await until(async () => (await api.engine.database.query(`select 1 from media where state = 'waiting'`)).rowCount === 0);
    const file = await find();
    expect(file).toMatchObject({ filename: 'winmail.dat', size: packed.length });
    const served = await api.app.inject({ url: new URL(file.url).pathname + new URL(file.url).search });
    expect(served.rawPayload.equals(packed)).toBe(true);
  });
});
