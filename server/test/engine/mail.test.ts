import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { mailEvent } from '../../src/connectors/email/raw.ts';
import type { Engine } from '../../src/engine/engine.ts';
import type { ChannelRow } from '../../src/store/channels.ts';
import { conversationsOfContact, getConversation, listConversations } from '../../src/store/conversations.ts';
import { getMedia } from '../../src/store/media.ts';
import { getByProviderId, listInConversation } from '../../src/store/messages.ts';
import { evidenceMails, mail } from '../connectors/email/mail.ts';
import { testEngine } from '../support/engine.ts';
import { until } from '../support/until.ts';

let engine: Engine;
let channel: ChannelRow;
let other: ChannelRow;

const connect = (email: string) =>
  engine.channels.connect({
    workspaceId: engine.defaultWorkspaceId,
    source: 'email',
    input: { email, name: 'Support', provider: 'aurion' },
    sandbox: false,
    existing: 'refuse',
  });

beforeAll(async () => {
  engine = await testEngine();
  channel = await connect('support@shop.example');
  other = await connect('sales@shop.example');
});

const take = (...raws: Buffer[]) => engine.ingest.submit(raws.map((raw) => mailEvent('support@shop.example', raw)));

async function conversationOf(messageId: string, where: ChannelRow = channel): Promise<string> {
  const message = await getByProviderId(engine.database, where.workspaceId, where.id, messageId);
  if (!message) throw new Error(`no message ${messageId}`);
  return message.conversationId;
}

async function conversationsOf(...ids: string[]): Promise<number> {
  return new Set(await Promise.all(ids.map((id) => conversationOf(id)))).size;
}

describe('threads of mails', () => {
  it('keeps one thread together across the styles of mail programs', async () => {
    const from = 'Thea <thea@styles.example>';
    await take(mail({ From: from, 'Message-ID': '<s1@x>', Subject: 'Broken lamp' }));
    // Thunderbird: both headers. Outlook on phones: In-Reply-To only. Old Exchange: References only. Some: nothing at all.
    await take(mail({ From: from, 'Message-ID': '<s2@x>', Subject: 'Re: Broken lamp', 'In-Reply-To': '<s1@x>', References: '<s1@x>' }));
    await take(mail({ From: from, 'Message-ID': '<s3@x>', Subject: 'AW: Broken lamp', 'In-Reply-To': '<s2@x>' }));
    await take(mail({ From: from, 'Message-ID': '<s4@x>', Subject: '[Shop] RE: Broken lamp', References: '<s1@x> <s3@x>' }));
    await take(mail({ From: from, 'Message-ID': '<s5@x>', Subject: 'Re: Broken lamp' }));
    expect(await conversationsOf('s1@x', 's2@x', 's3@x', 's4@x', 's5@x')).toBe(1);
    const guessed = await getByProviderId(engine.database, channel.workspaceId, channel.id, 's5@x');
    expect(guessed?.metadata.threadedBy).toBe('subject');
    const named = await getByProviderId(engine.database, channel.workspaceId, channel.id, 's4@x');
    expect(named?.metadata.threadedBy).toBeUndefined();
  });

  it('ties a thread by mails that it never saw, and by an answer that came before its question', async () => {
    const from = 'uwe@unseen.example';
    await take(mail({ From: from, 'Message-ID': '<u2@x>', 'In-Reply-To': '<unseen@x>' }));
    await take(mail({ From: from, 'Message-ID': '<u3@x>', 'In-Reply-To': '<also-unseen@x>', References: '<unseen@x> <also-unseen@x>' }));
    await take(mail({ From: from, 'Message-ID': '<also-unseen@x>', 'In-Reply-To': '<something@else>' }));
    expect(await conversationsOf('u2@x', 'u3@x', 'also-unseen@x')).toBe(1);
  });

  it('holds a whole batch together in any order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray([0, 1, 2, 3, 4], { minLength: 5 }), fc.uuid(), async (order, run) => {
        const id = (n: number) => `${run}-${n}@x`;
        const chain = [0, 1, 2, 3, 4].map((n) =>
          mail({
            From: `${run}@batch.example`,
            'Message-ID': `<${id(n)}>`,
            ...(n > 0 ? { 'In-Reply-To': `<${id(n - 1)}>`, References: [...Array(n).keys()].map((k) => `<${id(k)}>`).join(' ') } : {}),
          }),
        );
        await take(...order.map((n) => chain[n]!));
        expect(await conversationsOf(...[0, 1, 2, 3, 4].map(id))).toBe(1);
      }),
      { numRuns: 10 },
    );
  });

  it('never lets two people, or two mailboxes, meet in one thread', async () => {
    await take(mail({ From: 'a@people.example', 'Message-ID': '<p1@x>', References: '<newsletter@x>' }));
    await take(mail({ From: 'b@people.example', 'Message-ID': '<p2@x>', References: '<newsletter@x>' }));
    await engine.ingest.submit([
      mailEvent('sales@shop.example', mail({ From: 'a@people.example', 'Message-ID': '<p3@x>', 'In-Reply-To': '<p1@x>' })),
    ]);
    expect(await conversationsOf('p1@x', 'p2@x')).toBe(2);
    expect(await conversationOf('p3@x', other)).not.toBe(await conversationOf('p1@x'));
  });

  it('keeps another mail that comes under a known Message-ID, and the same one once more never', async () => {
    const first = mail({ From: 'reuse@id.example', 'Message-ID': '<r1@x>', Received: 'from a by b' }, 'one');
    const other = mail({ From: 'reuse@id.example', 'Message-ID': '<r1@x>' }, 'two');
    const again = mail({ From: 'reuse@id.example', 'Message-ID': '<r1@x>', Received: 'from c by d' }, 'one');
    await take(first, other);
    await take(again, other);
    const { messages, conversations } = await withPerson('reuse@id.example');
    expect(messages.map((message) => (message.content as { text: string }).text.trim()).sort()).toEqual(['one', 'two']);
    expect(conversations).toHaveLength(1);
  });

  it('stores a mail once, however often and however fast it comes', async () => {
    const raw = mail({ From: 'twice@dup.example', 'Message-ID': '<d1@x>' });
    const without = mail({ From: 'twice@dup.example', 'Message-ID': '', Subject: 'no id' });
    await Promise.all([take(raw, raw), take(raw), take(without)]);
    await take(raw, without);
    const { messages, conversations } = await withPerson('twice@dup.example');
    expect(messages).toHaveLength(2);
    expect(conversations.reduce((sum, conversation) => sum + conversation.unreadCount, 0)).toBe(2);
    expect(conversations.every((conversation) => conversation.lastMessageId)).toBe(true);
  });
});

async function withPerson(address: string) {
  const found = await engine.database.query<{ id: string }>(`select contact_id as id from identities where value = $1`, [address]);
  const conversations = await conversationsOfContact(engine.database, channel.workspaceId, found.rows[0]!.id);
  const messages = await Promise.all(
    conversations.map((conversation) => listInConversation(engine.database, channel.workspaceId, conversation.id, { limit: 50 })),
  );
  return { conversations, messages: messages.flat() };
}

describe('files of mails', () => {
  it('are cut out of the raw mail, which is kept as long as the message', async () => {
    const bytes = Buffer.from('%PDF-1.4 an invoice');
    const body = ['--b', 'Content-Type: text/plain', '', 'see it', '--b', 'Content-Type: application/pdf; name="r.pdf"']
      .concat([
        'Content-Disposition: attachment; filename="r.pdf"',
        'Content-Transfer-Encoding: base64',
        '',
        bytes.toString('base64'),
        '--b--',
      ])
      .join('\n');
    const raw = mail({ From: 'files@x.example', 'Message-ID': '<f1@x>' }, body, 'Content-Type: multipart/mixed; boundary=b');
    await take(raw);
    const message = await getByProviderId(engine.database, channel.workspaceId, channel.id, 'f1@x');
    const content = message!.content as { attachments: { id: string; filename: string }[] };
    const [file] = content.attachments;
    const ready = await until(async () => {
      const row = await getMedia(engine.database, channel.workspaceId, file!.id);
      return row?.state === 'ready' && row;
    });
    expect(ready.sha256).toBe(createHash('sha256').update(bytes).digest('hex'));
    expect((await engine.media.open(channel.workspaceId, file!.id))?.data.equals(bytes)).toBe(true);
    await engine.database.query(`update raw_events set received_at = now() - interval '40 days'`);
    const { housekeeper } = await import('../../src/engine/housekeeping.ts');
    const worker = housekeeper(engine);
    worker.start();
    await worker.stop();
    const kept = await engine.database.query<{ body: Buffer }>(
      `select r.body from raw_events r join messages m on m.raw_event_id = r.id where m.id = $1`,
      [message!.id],
    );
    expect(kept.rows[0]?.body.equals(raw)).toBe(true);
  });
});

describe('machines that write', () => {
  it('raise no unread mark and open nothing again, so that a loop ends', async () => {
    const from = 'robot@loop.example';
    await take(mail({ From: from, 'Message-ID': '<l1@x>' }));
    const id = await conversationOf('l1@x');
    for (let n = 2; n < 8; n++) {
      await take(mail({ From: from, 'Message-ID': `<l${n}@x>`, 'In-Reply-To': `<l${n - 1}@x>`, 'Auto-Submitted': 'auto-replied' }));
    }
    expect((await getConversation(engine.database, channel.workspaceId, id))?.unreadCount).toBe(1);
    expect(await listInConversation(engine.database, channel.workspaceId, id, { limit: 20 })).toHaveLength(7);
    const waiting = await engine.database.query('select 1 from outbox');
    expect(waiting.rowCount).toBe(0);
  });
});

const evidence = evidenceMails();

describe('mails from the real world', () => {
  it.skipIf(evidence.length === 0)('are all stored, once, with every file', { timeout: 120_000 }, async () => {
    const box = await connect('evidence@shop.example');
    const raws = await Promise.all(evidence.map((path) => readFile(path)));
    const events = raws.map((raw) => mailEvent('evidence@shop.example', raw));
    await engine.ingest.submit(events);
    const count = async (sql: string) => (await engine.database.query<{ n: number }>(sql, [box.id])).rows[0]!.n;
    const messages = await count('select count(*)::integer as n from messages where channel_id = $1');
    const failed = await engine.database.query(`select error from raw_events where state = 'failed'`);
    expect(failed.rows).toEqual([]);
    const bodies = new Set(raws.map((raw) => createHash('sha256').update(raw).digest('hex')));
    expect(messages).toBeGreaterThan(bodies.size * 0.85);
    await engine.ingest.submit(events);
    expect(await count('select count(*)::integer as n from messages where channel_id = $1')).toBe(messages);
    const open = `select count(*)::integer as n from media where channel_id = $1 and state = 'waiting'`;
    await until(async () => (await count(open)) === 0, { timeoutMs: 90_000 });
    expect(await count(`select count(*)::integer as n from media where channel_id = $1 and state = 'failed'`)).toBe(0);
    console.info(`${evidence.length} mails, ${bodies.size} different ones: ${messages} messages`);
  });
});

describe('the conversation list', () => {
  it('holds no conversation without a message', async () => {
    const { conversations } = await listConversations(engine.database, channel.workspaceId, { limit: 1000 });
    const all = await engine.database.query<{ n: number }>('select count(*)::integer as n from conversations');
    expect(all.rows[0]!.n).toBe(conversations.length);
  });
});
