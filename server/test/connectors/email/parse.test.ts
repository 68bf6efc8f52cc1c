import { describe, expect, it } from 'vitest';
import { createEmailConnector } from '../../../src/connectors/email/connector.ts';
import { messageIdOf, taggedAddress } from '../../../src/connectors/email/message-id.ts';
import { mailEvent, wakeEvent } from '../../../src/connectors/email/raw.ts';
import type { ReceiptEvent } from '../../../src/connectors/events.ts';
import type { EmailContent } from '../../../src/model/content.ts';
import { uuidv7 } from '../../../src/model/ids.ts';
import { MAILBOX, mail, message, read } from './mail.ts';

const content = async (raw: Buffer) => (await message(raw)).content as EmailContent;

describe('a mail becomes a message', () => {
  it('names the contact by From, in lower case', async () => {
    const found = await message(mail({ From: '=?utf-8?q?J=C3=BCrgen?= <J.Gross@Example.COM>', Date: 'Sat, 21 Nov 2026 10:00:00 +0100' }));
    expect(found.contact).toEqual({ identities: [{ kind: 'emailaddress', value: 'j.gross@example.com' }], name: 'Jürgen' });
    expect(found.sentAt).toEqual(new Date('2026-11-21T09:00:00Z'));
    expect(found.providerId).toBe('m1@example.com');
  });

  it('takes the time of arrival for a date that lies ahead or makes no sense', async () => {
    const receivedAt = '2026-11-21T10:00:00.000Z';
    for (const date of ['Sat, 21 Nov 2036 10:00:00 +0100', 'yesterday', '']) {
      expect((await message(mail({ Date: date }), { receivedAt })).sentAt?.toISOString()).toBe(receivedAt);
    }
  });

  it('numbers a mail without Message-ID by its bytes', async () => {
    const raw = mail({ 'Message-ID': '' });
    expect((await message(raw)).providerId).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect((await message(raw)).providerId).toBe((await message(raw)).providerId);
    expect((await message(mail({ 'Message-ID': '' }, 'Other'))).providerId).not.toBe((await message(raw)).providerId);
  });

  it('keeps files and inline images with their bytes', async () => {
    const body = [
      '--x',
      'Content-Type: text/html; charset=iso-8859-1',
      'Content-Transfer-Encoding: quoted-printable',
      '',
      '<p>Sch=F6n <img src="cid:logo@x"></p>',
      '--x',
      'Content-Type: image/png',
      'Content-ID: <logo@x>',
      'Content-Disposition: inline; filename="l.png"',
      'Content-Transfer-Encoding: base64',
      '',
      Buffer.from('PNG!').toString('base64'),
      '--x',
      'Content-Type: text/calendar; method=REQUEST',
      '',
      'BEGIN:VCALENDAR\nMETHOD:REQUEST\nBEGIN:VEVENT\nSUMMARY:Talk\\, long\nDTSTART;TZID=Europe/Berlin:20261121T100000\nORGANIZER;CN=Ann:mailto:ann@example.com\nEND:VEVENT\nEND:VCALENDAR',
      '--x--',
    ].join('\n');
    const raw = mail({}, body, 'Content-Type: multipart/related; boundary=x');
    const found = await message(raw);
    const email = found.content as EmailContent;
    expect(email.html).toContain('Schön');
    expect(email.text).toContain('Schön');
    expect(email.attachments).toMatchObject([
      { providerRef: 'part:0', filename: 'l.png', contentId: 'logo@x', mimeType: 'image/png', size: 4 },
      { providerRef: 'part:1', mimeType: 'text/calendar' },
    ]);
    expect(found.facts?.calendar).toEqual({
      method: 'REQUEST',
      summary: 'Talk, long',
      start: '20261121T100000 Europe/Berlin',
      organizer: 'ann@example.com',
    });
    const file = await createEmailConnector().mediaOf!(email.attachments![0]!, mailEvent(MAILBOX, raw));
    expect(file).toMatchObject({ mimeType: 'image/png', filename: 'l.png' });
    expect(Buffer.concat(await Array.fromAsync(file.data as AsyncIterable<Buffer>)).toString()).toBe('PNG!');
  });

  it('keeps what the transport knew where no header can forge it', async () => {
    const facts = { from: 'bounce@example.com', to: [MAILBOX], auth: { spf: 'pass', dkim: 'fail', dmarc: 'none', ip: '192.0.2.1' } };
    const found = await message(mail({ 'Authentication-Results': 'forged; dkim=pass' }), facts);
    expect(found.facts).toMatchObject({ auth: facts.auth, envelope: { from: 'bounce@example.com', to: [MAILBOX] } });
  });

  it('holds nothing that a JSON column refuses', async () => {
    const found = await message(mail({ Subject: 'a\0b' }, 'x\0y'));
    expect(JSON.stringify(found)).not.toContain('\\u0000');
  });

  it('answers a contact form to the person who filled it in', async () => {
    const found = await message(mail({ From: `Web <${MAILBOX}>`, 'Reply-To': 'Bob <bob@example.net>' }));
    expect(found.contact.identities[0]!.value).toBe('bob@example.net');
  });

  it('answers to Reply-To, while the contact stays the From', async () => {
    const found = await message(mail({ 'Reply-To': 'orders@example.com' }));
    expect(found.contact.identities[0]!.value).toBe('ann@example.com');
    expect(found.thread?.data?.answer).toEqual({ address: 'orders@example.com' });
  });

  it('takes a copy from the Sent folder as written by us', async () => {
    const id = uuidv7();
    const found = await message(
      mail({ From: MAILBOX, To: 'ann@example.com', 'X-Patchbay-Message-Id': id, 'Message-ID': '<CAF@mail.gmail.com>' }),
      { sent: true },
    );
    expect(found).toMatchObject({ direction: 'out', own: true, ourId: id, contact: { identities: [{ value: 'ann@example.com' }] } });
    const elsewhere = await message(mail({ From: MAILBOX, To: 'ann@example.com' }), { sent: true });
    expect(elsewhere.own).toBeUndefined();
  });

  it('reads wakes', async () => {
    expect(createEmailConnector().parse(wakeEvent(MAILBOX, 'missed'))).toEqual([{ kind: 'wake', reason: 'missed' }]);
  });
});

describe('what was newly written', () => {
  const cases: [string, string, string][] = [
    ['Gmail', 'Yes please.\n\nOn Sat, Nov 21, 2026 at 9:00 AM Support <support@shop.example> wrote:\n\n> Shall we?\n> Bye', 'Yes please.'],
    [
      'Gmail, wrapped',
      'Yes.\n\nOn Sat, Nov 21, 2026 at 9:00 AM The Very Long Support Team Name\n<support@shop.example> wrote:\n\n> Shall we?',
      'Yes.',
    ],
    [
      'Outlook',
      'Yes.\n\n________________________________\nFrom: Support <support@shop.example>\nSent: Saturday, November 21, 2026 9:00 AM\nTo: Ann <ann@example.com>\nSubject: Order 7\n\nShall we?',
      'Yes.',
    ],
    [
      'Outlook in German',
      'Ja.\n\nVon: Support <support@shop.example>\nGesendet: Samstag, 21. November 2026 09:00\nAn: Ann <ann@example.com>\nBetreff: Order 7\n\nSollen wir?',
      'Ja.',
    ],
    ['Apple Mail', 'Yes.\n\n> On 21. Nov 2026, at 09:00, Support <support@shop.example> wrote:\n> \n> Shall we?', 'Yes.'],
    ['Thunderbird in German', 'Ja.\n\nAm 21.11.26 um 09:00 schrieb Support:\n> Sollen wir?', 'Ja.'],
    ['original message', 'Yes.\n\n-----Original Message-----\nFrom: x\nShall we?', 'Yes.'],
  ];
  it.each(cases)('%s', async (_, text, reply) => {
    expect((await content(mail({}, text))).reply).toBe(reply);
  });

  it('stays whole where the answers stand between the quotes', async () => {
    const text = 'On Monday Ann <a@b.c> wrote:\n> First?\nYes.\n> Second?\nNo.';
    const { reply } = await content(mail({}, text));
    expect(reply).toContain('Yes.');
    expect(reply).toContain('No.');
  });

  it.each([
    ['Gmail', '<div dir="ltr">Yes</div><br><div class="gmail_quote"><div class="gmail_attr">On …</div><blockquote>Old</blockquote></div>'],
    ['Outlook on the web', '<div>Yes</div><div id="appendonsend"></div><hr><div id="divRplyFwdMsg">From: …</div><div>Old</div>'],
    [
      'Outlook',
      '<p>Yes</p><div style="border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm"><p>From: …</p></div><p>Old</p>',
    ],
    ['Apple Mail', '<div>Yes</div><blockquote type="cite">Old</blockquote>'],
    ['Thunderbird', '<p>Yes</p><div class="moz-cite-prefix">On … wrote:</div><blockquote type="cite">Old</blockquote>'],
  ])('is found in the HTML of %s', async (_, html) => {
    const raw = mail({}, html, 'Content-Type: text/html; charset=utf-8');
    expect((await content(raw)).reply).toBe('Yes');
  });
});

describe('forwarded by one of our own people', () => {
  const gmail =
    'fyi\n\n---------- Forwarded message ---------\nFrom: *Carl Customer* <carl@customer.example>\nDate: Sat\nSubject: Help\nTo: <agent@shop.example>\n\nIt broke.';
  it.each([
    ['Gmail', gmail],
    [
      'Outlook',
      'fyi\n\n________________________________\nFrom: Carl Customer <carl@customer.example>\nSent: Sat\nTo: Agent\nSubject: Help\n\nIt broke.',
    ],
    ['Apple Mail', 'Begin forwarded message:\n\nFrom: Carl Customer <carl@customer.example>\nSubject: Help\nDate: x\n\nIt broke.'],
    [
      'Thunderbird in German',
      '-------- Weitergeleitete Nachricht --------\nBetreff: Help\nVon: Carl Customer <carl@customer.example>\nAn: Agent\n\nIt broke.',
    ],
  ])('%s: the original sender is the customer', async (_, text) => {
    const raw = mail({ From: 'Agent <agent@shop.example>', Subject: 'Fwd: Help' }, text);
    const found = await message(raw, {}, ['@shop.example']);
    expect(found.contact).toEqual({ identities: [{ kind: 'emailaddress', value: 'carl@customer.example' }], name: 'Carl Customer' });
    expect(found.facts?.forwardedBy).toEqual({ address: 'agent@shop.example', name: 'Agent' });
    expect((found.content as EmailContent).reply).toContain('It broke.');
  });

  it('as an attached mail', async () => {
    const body =
      '--x\nContent-Type: text/plain\n\nfyi\n--x\nContent-Type: message/rfc822\nContent-Disposition: attachment\n\nFrom: Carl <carl@customer.example>\nSubject: Help\n\nIt broke.\n--x--';
    const raw = mail({ From: 'agent@shop.example', Subject: 'WG: Help' }, body, 'Content-Type: multipart/mixed; boundary=x');
    expect((await message(raw, {}, ['agent@shop.example'])).contact.identities[0]!.value).toBe('carl@customer.example');
  });

  it('a customer who forwards stays the customer', async () => {
    const found = await message(mail({ From: 'ann@example.com', Subject: 'Fwd: Help' }, gmail), {}, ['@shop.example']);
    expect(found.contact.identities[0]!.value).toBe('ann@example.com');
  });
});

describe('machines', () => {
  it.each([
    ['Auto-Submitted', 'auto-replied'],
    ['Auto-Submitted', 'auto-generated; owner-email="x"'],
    ['Precedence', 'bulk'],
    ['List-Id', '<news.example.com>'],
    ['List-Unsubscribe', '<https://x.example>'],
    ['X-Auto-Response-Suppress', 'OOF, AutoReply'],
    ['X-Autoreply', 'yes'],
    ['Return-Path', '<>'],
    ['From', 'MAILER-DAEMON@example.com'],
    ['From', 'no-reply@example.com'],
  ])('%s: %s is automatic', async (name, value) => {
    expect((await message(mail({ [name]: value }))).automatic).toBe(true);
  });

  it('a null sender is automatic', async () => {
    expect((await message(mail({}), { from: '' })).automatic).toBe(true);
  });

  it.each([
    ['Auto-Submitted', 'no'],
    ['Precedence', 'normal'],
    ['Importance', 'high'],
  ])('%s: %s is a person', async (name, value) => {
    expect((await message(mail({ [name]: value }), { from: 'ann@example.com' })).automatic).toBeUndefined();
  });
});

describe('reports about our mails', () => {
  const id = uuidv7();
  const ours = messageIdOf(id, MAILBOX);
  const dsn = (action: string, status: string, original = `Message-ID: <${ours}>`) =>
    mail(
      { From: 'MAILER-DAEMON@mx.example', 'Message-ID': '<dsn@mx.example>', 'Return-Path': '<>' },
      [
        '--b\nContent-Type: text/plain\n\nSorry.',
        `--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example\n\nFinal-Recipient: rfc822; carl@example.com\nAction: ${action}\nStatus: ${status}\nDiagnostic-Code: smtp; 550 5.1.1 no such\n user`,
        `--b\nContent-Type: text/rfc822-headers\n\nFrom: ${MAILBOX}\n${original}\nSubject: x`,
        '--b--',
      ].join('\n'),
      'Content-Type: multipart/report; report-type=delivery-status; boundary=b',
    );

  it('a bounce fails the sent message, and is no message itself', async () => {
    const events = await read(dsn('failed', '5.1.1'));
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject({
      kind: 'receipt',
      providerId: ours,
      ourId: id,
      state: 'failed',
      error: { class: 'recipient-unreachable', providerCode: '5.1.1', message: expect.stringContaining('there is no such mailbox') },
    });
    expect((events[0] as ReceiptEvent).error?.providerMessage).toContain('no such user');
  });

  it('finds the message by the address that bounces go to, when the report quotes nothing', async () => {
    const events = await read(dsn('failed', '5.2.2', ''), { from: '', to: [taggedAddress('bounce', id, MAILBOX)] });
    expect(events).toMatchObject([{ kind: 'receipt', ourId: id, state: 'failed', error: { message: expect.stringContaining('full') } }]);
  });

  it('a delay changes nothing, and is shown', async () => {
    expect((await read(dsn('delayed', '4.4.1'))).map((event) => event.kind)).toEqual(['message']);
  });

  it('a delivery is a delivery', async () => {
    expect(await read(dsn('delivered', '2.0.0'))).toMatchObject([{ kind: 'receipt', state: 'delivered' }]);
  });

  it('a bounce of a mail that is not ours is shown', async () => {
    const kinds = (await read(dsn('failed', '5.1.1', 'Message-ID: <foreign@example.org>'))).map((event) => event.kind);
    expect(kinds).toEqual(['receipt', 'message']);
  });

  it('a read receipt reads', async () => {
    const raw = mail(
      {},
      `--b\nContent-Type: text/plain\n\nRead.\n--b\nContent-Type: message/disposition-notification\n\nOriginal-Message-ID: <${ours}>\nFinal-Recipient: rfc822; ann@example.com\nDisposition: manual-action/MDN-sent-manually; displayed\n\n--b--`,
      'Content-Type: multipart/report; report-type=disposition-notification; boundary=b',
    );
    expect(await read(raw)).toMatchObject([{ kind: 'receipt', ourId: id, state: 'read' }]);
  });
});
