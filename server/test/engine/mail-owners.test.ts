/** One address of the built-in mail server, and two workspaces that want it. */
import { generateKeyPairSync } from 'node:crypto';
import { simpleParser } from 'mailparser';
import { createTransport } from 'nodemailer';
import { SMTPServer } from 'smtp-server';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Engine } from '../../src/engine/engine.ts';
import { checkHealth } from '../../src/engine/health.ts';
import { addDomain } from '../../src/engine/mail-domains.ts';
import { uuidv7 } from '../../src/model/ids.ts';
import { getMessage } from '../../src/store/messages.ts';
import { testEngine } from '../support/engine.ts';
import { freePort, until } from '../support/until.ts';

let engine: Engine;
let ours: string;
let theirs: string;
let port: number;
const relayed: Buffer[] = [];

beforeAll(async () => {
  const relayPort = await freePort();
  const relay = new SMTPServer({
    authOptional: true,
    disabledCommands: ['AUTH', 'STARTTLS'],
    onData(stream, _session, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        relayed.push(Buffer.concat(chunks));
        done();
      });
    },
  });
  await new Promise<void>((resolve) => relay.listen(relayPort, '127.0.0.1', resolve));
  port = await freePort();
  engine = await testEngine({ SMTP_INBOUND_PORT: String(port), SMTP_RELAY_URL: `smtp://127.0.0.1:${relayPort}` });
  ours = engine.defaultWorkspaceId;
  theirs = uuidv7();
  await engine.database.query('insert into workspaces (workspace_id, name) values ($1, $2)', [theirs, 'Theirs']);
  return () => new Promise<void>((resolve) => relay.close(() => resolve()));
});

const connect = (workspaceId: string, email: string, sandbox = false) =>
  engine.channels.connect({
    workspaceId,
    source: 'email',
    input: { email, name: 'Desk', provider: 'aurion' },
    sandbox,
    existing: 'refuse',
  });
const verify = async (workspaceId: string, domain: string, trusted = false) => {
  const row = await addDomain(engine, workspaceId, { domain, trusted, sandbox: false });
  if (!trusted) await engine.database.query('update email_domains set verified_at = now() where id = $1', [row.id]);
  return row;
};
let sent = 0;
async function receivers(to: string): Promise<string[]> {
  const id = `${++sent}@out.example`;
  const transport = createTransport({ host: '127.0.0.1', port, tls: { rejectUnauthorized: false } });
  await transport.sendMail({ from: 'ann@out.example', to, subject: 'Hi', text: 'Hello', messageId: `<${id}>` });
  const found = await engine.database.query<{ workspaceId: string }>(
    'select workspace_id as "workspaceId" from messages where provider_id = $1',
    [id],
  );
  return found.rows.map(({ workspaceId }) => workspaceId);
}

describe('an address of the built-in mail server', () => {
  it('belongs to the workspace that has it first; a second one is told so', async () => {
    await connect(ours, 'first@shared.example');
    await expect(connect(theirs, 'first@shared.example')).rejects.toMatchObject({
      code: 'conflict',
      message: 'first@shared.example is connected in another workspace of this installation',
    });
    expect(await receivers('first@shared.example')).toEqual([ours]);
  });

  it('goes to one of two that ask at the same moment', async () => {
    const both = await Promise.allSettled([connect(ours, 'race@shared.example'), connect(theirs, 'race@shared.example')]);
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });

  it('is free again when its channel was disconnected', async () => {
    const channel = await connect(ours, 'moved@shared.example');
    await engine.channels.disconnect(ours, channel.id);
    await connect(theirs, 'moved@shared.example');
    expect(await receivers('moved@shared.example')).toEqual([theirs]);
  });

  it('is not taken by a channel of a test key', async () => {
    await connect(theirs, 'tried@shared.example', true);
    expect(await receivers('tried@shared.example')).toEqual([theirs]);
    await connect(ours, 'tried@shared.example');
    expect(await receivers('tried@shared.example')).toEqual([ours]);
  });

  it('belongs to the workspace whose DNS records the domain has, whoever had it before', async () => {
    const squatter = await connect(theirs, 'help@owned.example');
    await verify(ours, 'owned.example');
    await connect(ours, 'help@owned.example');
    expect(await receivers('help@owned.example')).toEqual([ours]);
    expect(await receivers('anything@owned.example')).toEqual([ours]);
    await expect(connect(theirs, 'sales@owned.example')).rejects.toMatchObject({
      message: expect.stringContaining('owned.example was verified by another workspace'),
    });
    expect(await checkHealth(engine, theirs, squatter.id)).toMatchObject({
      status: 'failed',
      statusReason: expect.stringContaining('verified by another workspace'),
    });
  });

  it('is not won by merely saying that the domain was verified', async () => {
    await connect(ours, 'help@said.example');
    await verify(theirs, 'said.example', true);
    await expect(connect(theirs, 'help@said.example')).rejects.toMatchObject({ code: 'conflict' });
    expect(await receivers('help@said.example')).toEqual([ours]);
  });
});

describe('what leaves a verified domain', () => {
  it('is signed with its key', async () => {
    const domain = await verify(ours, 'signed.example');
    const channel = await connect(ours, 'desk@signed.example');
    expect(channel.details).toMatchObject({ dkim: `${domain.dkimSelector}._domainkey.signed.example`, domain: 'verified' });
    const to = { channelId: channel.id, identity: { kind: 'emailaddress', value: 'ann@out.example' } };
    const content = { type: 'email' as const, subject: 'Signed', text: 'x' };
    const message = await engine.sender.send({ workspaceId: ours, to, content, sender: { id: 'agent', name: 'Agent' } });
    await until(async () => (await getMessage(engine.database, ours, message.id))?.state === 'sent');
    const { dkimVerify } = await import('mailauth');
    const { results } = await dkimVerify(relayed.at(-1)!, {
      resolver: async (name) => {
        if (name !== `${domain.dkimSelector}._domainkey.signed.example`) throw Object.assign(new Error('none'), { code: 'ENOTFOUND' });
        return [[`v=DKIM1; k=rsa; p=${domain.dkimPublic}`]];
      },
    });
    expect(results[0]?.status.result).toBe('pass');
  });

  it('is not signed while nobody could find the key', async () => {
    await addDomain(engine, ours, { domain: 'unpublished.example', trusted: false, sandbox: false });
    const channel = await connect(ours, 'desk@unpublished.example');
    expect(channel.details).toMatchObject({ dkim: null, domain: 'unverified' });
  });

  it('may be signed with a key of the mailbox’s own', async () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const channel = await engine.channels.connect({
      workspaceId: ours,
      source: 'email',
      input: {
        email: 'own@key.example',
        provider: 'aurion',
        dkim: { domain: 'key.example', selector: 'mine', private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() },
      },
      sandbox: false,
      existing: 'refuse',
    });
    const to = { channelId: channel.id, identity: { kind: 'emailaddress', value: 'ann@out.example' } };
    const message = await engine.sender.send({
      workspaceId: ours,
      to,
      content: { type: 'text', text: 'x' },
      sender: { id: 'agent', name: 'Agent' },
    });
    await until(async () => (await getMessage(engine.database, ours, message.id))?.state === 'sent');
    expect((await simpleParser(relayed.at(-1)!)).headers.get('dkim-signature')).toMatchObject({ params: { d: 'key.example', s: 'mine' } });
  });
});
