/** Two programs that answer each other: one of ours behind the API, one at the far end, neither saying what it is. */
import { SMTPServer } from 'smtp-server';
import { beforeAll, describe, expect, it } from 'vitest';
import { mailEvent } from '../../src/connectors/email/raw.ts';
import type { Engine } from '../../src/engine/engine.ts';
import type { ChannelRow } from '../../src/store/channels.ts';
import { getByProviderId, getMessage } from '../../src/store/messages.ts';
import { mail } from '../connectors/email/mail.ts';
import { testEngine } from '../support/engine.ts';
import { freePort, until } from '../support/until.ts';

let engine: Engine;
let channel: ChannelRow;
let rounds = 0;

beforeAll(async () => {
  const port = await freePort();
  // The far end answers everything that it gets, each time in a thread of its own.
  const relay = new SMTPServer({
    authOptional: true,
    disabledCommands: ['AUTH', 'STARTTLS'],
    onData(stream, session, done) {
      const from = session.envelope.rcptTo[0]!.address;
      stream.resume();
      stream.on('end', () => {
        done();
        const answer = mail({
          From: from,
          'Message-ID': `<bot-${++rounds}@loop.example>`,
          Subject: `Ticket ${rounds}`,
          To: 'shop@loop.example',
        });
        void engine.ingest.submit([mailEvent('shop@loop.example', answer)]);
      });
    },
  });
  await new Promise<void>((resolve) => relay.listen(port, '127.0.0.1', resolve));
  engine = await testEngine({ SMTP_RELAY_URL: `smtp://127.0.0.1:${port}` });
  channel = await engine.channels.connect({
    workspaceId: engine.defaultWorkspaceId,
    source: 'email',
    input: { email: 'shop@loop.example', name: 'Shop', provider: 'aurion' },
    sandbox: false,
    existing: 'refuse',
  });
  return () => new Promise<void>((resolve) => relay.close(() => resolve()));
});

const stored = (id: string) => getByProviderId(engine.database, channel.workspaceId, channel.id, id);
const answer = (conversationId: string) =>
  engine.sender.send({
    workspaceId: channel.workspaceId,
    to: { conversationId },
    content: { type: 'text', text: 'We got your mail.' },
    sender: { id: 'bot', name: 'Bot' },
  });

describe('a mail loop', () => {
  it('dies after a few rounds, and stops nobody else', { timeout: 120_000 }, async () => {
    await engine.ingest.submit([mailEvent('shop@loop.example', mail({ From: 'bot@loop.example', 'Message-ID': '<bot-0@loop.example>' }))]);
    let refused: unknown;
    for (let round = 0; round < 50 && !refused; round++) {
      const asked = await until(() => stored(`bot-${round}@loop.example`));
      await answer(asked.conversationId).catch((error: unknown) => {
        refused = error;
      });
    }
    expect(refused).toMatchObject({ code: 'rate-limited', message: expect.stringContaining('looks like a mail loop') });
    expect(rounds).toBe(10);

    await engine.ingest.submit([mailEvent('shop@loop.example', mail({ From: 'person@loop.example', 'Message-ID': '<p@loop.example>' }))]);
    const message = await answer((await stored('p@loop.example'))!.conversationId);
    await until(async () => (await getMessage(engine.database, channel.workspaceId, message.id))?.state === 'sent');
  });
});
