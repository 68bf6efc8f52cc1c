import { createTransport } from 'nodemailer';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Engine } from '../../src/engine/engine.ts';
import { startMailServer } from '../../src/engine/mail-server.ts';
import { StartError } from '../../src/start-error.ts';
import { getByProviderId } from '../../src/store/messages.ts';
import { testEngine } from '../support/engine.ts';
import { freePort } from '../support/until.ts';

let engine: Engine;
let port: number;
let channelId: string;

beforeAll(async () => {
  port = await freePort();
  engine = await testEngine({ SMTP_INBOUND_PORT: String(port) });
  const channel = await engine.channels.connect({
    workspaceId: engine.defaultWorkspaceId,
    source: 'email',
    input: { email: 'help@built.example', name: 'Help', provider: 'aurion' },
    sandbox: false,
    existing: 'refuse',
  });
  channelId = channel.id;
});

const transport = () => createTransport({ host: '127.0.0.1', port, tls: { rejectUnauthorized: false } });
const send = (to: string, messageId: string, more: object = {}) =>
  transport().sendMail({ from: 'Ann <ann@out.example>', to, subject: 'Hi', text: 'Hello', messageId: `<${messageId}>`, ...more });
const stored = (id: string) => getByProviderId(engine.database, engine.defaultWorkspaceId, channelId, id);

describe('the built-in mail server', () => {
  it('listens where SMTP_INBOUND_PORT says', () => {
    expect(engine.mailPort()).toBe(port);
  });

  it('has the mail in the database when it says 250, with its plus-tags', async () => {
    await send('help@built.example', 'one@out.example');
    const message = await stored('one@out.example');
    expect(message?.content).toMatchObject({
      type: 'email',
      subject: 'Hi',
      text: 'Hello\n',
      from: { address: 'ann@out.example', name: 'Ann' },
    });
    await send('Help+vip@Built.example', 'two@out.example');
    expect(await stored('two@out.example')).toBeDefined();
  });

  it('refuses what nobody here takes, and takes what a verified domain’s mailbox catches', async () => {
    await expect(send('nobody@built.example', 'three@out.example')).rejects.toMatchObject({ responseCode: 550 });
    await expect(send('ann@elsewhere.example', 'four@out.example')).rejects.toMatchObject({ responseCode: 550 });
    await engine.database.query(
      `insert into email_domains (workspace_id, id, domain, dkim_selector, dkim_public, dkim_private, dkim_key_id, verified_at)
       values ($1, gen_random_uuid(), 'built.example', 's', 'p', '', 'k', now())`,
      [engine.defaultWorkspaceId],
    );
    await send('nobody@built.example', 'five@out.example');
    expect(await stored('five@out.example')).toBeDefined();
  });

  it('defers the mail while the database is away', async () => {
    const { query, transaction } = engine.database;
    engine.database.transaction = () => Promise.reject(Object.assign(new Error('away'), { code: '57P01' }));
    await expect(send('help@built.example', 'six@out.example')).rejects.toMatchObject({ responseCode: 451 });
    Object.assign(engine.database, { query, transaction });
    await send('help@built.example', 'six@out.example');
    expect(await stored('six@out.example')).toBeDefined();
  });

  it('takes mail for a disconnected mailbox no longer', async () => {
    await engine.database.query('delete from email_domains');
    await engine.channels.disconnect(engine.defaultWorkspaceId, channelId);
    await expect(send('help@built.example', 'seven@out.example')).rejects.toMatchObject({ responseCode: 550 });
  });

  it('names SMTP_INBOUND_PORT when the port is in use', async () => {
    const start = startMailServer(engine);
    await expect(start).rejects.toBeInstanceOf(StartError);
    await expect(start).rejects.toThrow(/^SMTP_INBOUND_PORT \d+ is in use/);
  });
});
