import { simpleParser } from 'mailparser';
import { SMTPServer } from 'smtp-server';
import { beforeAll, describe, expect, it } from 'vitest';
import { mailEvent } from '../../src/connectors/email/raw.ts';
import type { Engine } from '../../src/engine/engine.ts';
import type { Content } from '../../src/model/content.ts';
import type { ChannelRow } from '../../src/store/channels.ts';
import { getByProviderId, getMessage } from '../../src/store/messages.ts';
import { mail } from '../connectors/email/mail.ts';
import { testEngine } from '../support/engine.ts';
import { freePort, until } from '../support/until.ts';

const taken: { raw: Buffer; to: string[]; from: string }[] = [];
let engine: Engine;
let channel: ChannelRow;

beforeAll(async () => {
  const port = await freePort();
  const relay = new SMTPServer({
    authOptional: true,
    disabledCommands: ['AUTH', 'STARTTLS'],
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope;
        taken.push({ raw: Buffer.concat(chunks), to: rcptTo.map(({ address }) => address), from: mailFrom ? mailFrom.address : '' });
        done();
      });
    },
  });
  await new Promise<void>((resolve) => relay.listen(port, '127.0.0.1', resolve));
  engine = await testEngine({ SMTP_RELAY_URL: `smtp://127.0.0.1:${port}` });
  channel = await engine.channels.connect({
    workspaceId: engine.defaultWorkspaceId,
    source: 'email',
    input: { email: 'shop@out.example', name: 'Shop', provider: 'aurion' },
    sandbox: false,
    existing: 'refuse',
  });
  return () => new Promise<void>((resolve) => relay.close(() => resolve()));
});

const take = (raw: Buffer) => engine.ingest.submit([mailEvent('shop@out.example', raw)]);
const stored = (id: string) => getByProviderId(engine.database, channel.workspaceId, channel.id, id);

async function send(to: Parameters<Engine['sender']['send']>[0]['to'], content: Content) {
  const message = await engine.sender.send({ workspaceId: channel.workspaceId, to, content, sender: { id: 'agent', name: 'Agent' } });
  await until(async () => (await getMessage(engine.database, channel.workspaceId, message.id))?.state === 'sent');
  const sent = (await getMessage(engine.database, channel.workspaceId, message.id))!;
  const out = taken.at(-1)!;
  return { sent, out, parsed: await simpleParser(out.raw) };
}

describe('answering a mail', () => {
  it('names what it answers, quotes it, and goes on naming the whole thread', async () => {
    await take(
      mail({ From: 'Ann <ann@c.example>', Subject: 'Order 7', 'Message-ID': '<q1@c.example>', To: 'shop@out.example' }, 'Where is it?'),
    );
    const conversationId = (await stored('q1@c.example'))!.conversationId;
    const first = await send({ conversationId }, { type: 'text', text: 'On its way.' });
    expect(first.out.to).toEqual(['ann@c.example']);
    expect(first.parsed).toMatchObject({ subject: 'Re: Order 7', inReplyTo: '<q1@c.example>' });
    expect(first.parsed.text).toContain('> Where is it?');
    const second = await send({ conversationId }, { type: 'text', text: 'It left today.' });
    expect(second.parsed.references).toEqual(['<q1@c.example>', `<${first.sent.providerId}>`]);
    await take(
      mail({
        From: 'ann@c.example',
        'Message-ID': '<q2@c.example>',
        'In-Reply-To': `<${second.sent.providerId}>`,
        Subject: 'Something else',
      }),
    );
    expect((await stored('q2@c.example'))?.conversationId).toBe(conversationId);
    const third = await send({ conversationId }, { type: 'text', text: 'Thanks!' });
    expect(third.parsed.inReplyTo).toBe('<q2@c.example>');
  });

  it('finds its conversation by the plus-tag where the far end drops every header, and by a bounce', async () => {
    const asked = await send(
      { channelId: channel.id, identity: { kind: 'emailaddress', value: 'tag@c.example' } },
      { type: 'email', subject: 'Your parcel', text: 'Is it there?' },
    );
    const replyTo = asked.parsed.replyTo!.value[0]!.address!;
    await take(mail({ From: 'tag@c.example', 'Message-ID': '<t1@c.example>', To: replyTo, Subject: 'yes' }));
    expect((await stored('t1@c.example'))?.conversationId).toBe(asked.sent.conversationId);
  });

  it('begins a thread for every new subject, and goes on with the newest for what has none', async () => {
    const to = { channelId: channel.id, identity: { kind: 'emailaddress', value: 'new@c.example' } };
    const one = await send(to, { type: 'email', subject: 'First', text: 'a' });
    const two = await send(to, { type: 'email', subject: 'Second', text: 'b' });
    expect(two.sent.conversationId).not.toBe(one.sent.conversationId);
    const more = await send(to, { type: 'text', text: 'c' });
    expect(more.sent.conversationId).toBe(two.sent.conversationId);
    expect(more.parsed.subject).toBe('Re: Second');
  });
});
