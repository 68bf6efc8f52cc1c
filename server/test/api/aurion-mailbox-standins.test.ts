/**
 * Mailboxes of every provider through the Aurion surface, against stand-ins that do only what they must: whatever is an
 * extra answers 404, and the mailbox works all the same.
 */
import Fastify, { type FastifyInstance } from 'fastify';
import { SMTPServer } from 'smtp-server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Engine } from '../../src/engine/engine.ts';
import { mail } from '../connectors/email/mail.ts';
import { type TestApi, testApi } from '../support/api.ts';
import { freePort, until } from '../support/until.ts';

let api: TestApi;
let microsoft: FastifyInstance;
let google: FastifyInstance;
let smtp: SMTPServer;
let smtpPort: number;
const sentBy = { microsoft: [] as string[], google: [] as string[], smtp: [] as string[] };
const inbox = { microsoft: [] as Buffer[], google: [] as Buffer[] };

beforeAll(async () => {
  microsoft = Fastify();
  google = Fastify();
  for (const app of [microsoft, google]) {
    app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, _body, done) => done(null, {}));
  }
  microsoft.addContentTypeParser('text/plain', { parseAs: 'string' }, (_request, body, done) => done(null, body));
  microsoft.post('/:tenant/oauth2/v2.0/token', async () => ({ access_token: 'a', token_type: 'Bearer', expires_in: 3600 }));
  microsoft.post('/v1.0/users/:user/sendMail', async (request, reply) => {
    sentBy.microsoft.push(Buffer.from(String(request.body), 'base64').toString());
    return reply.code(202).send();
  });
  microsoft.get('/v1.0/users/:user/mailFolders/:folder/messages/delta', async (request) => {
    const from = Number((request.query as { $deltatoken?: string }).$deltatoken ?? 0);
    return {
      value: inbox.microsoft.slice(from).map((_, n) => ({ id: String(from + n) })),
      '@odata.deltaLink': `https://graph.microsoft.com${request.url.split('?')[0]}?$deltatoken=${inbox.microsoft.length}`,
    };
  });
  microsoft.get('/v1.0/users/:user/messages/:id/$value', async (request) => inbox.microsoft[Number((request.params as { id: string }).id)]);

  google.post('/token', async () => ({ access_token: 'a', token_type: 'Bearer', expires_in: 3600 }));
  google.get('/gmail/v1/users/me/messages', async () => ({
    messages: inbox.google.map((_, n) => ({ id: String(n), threadId: 't' })).toReversed(),
  }));
  google.get('/gmail/v1/users/me/messages/:id', async (request) => {
    const { id } = request.params as { id: string };
    return {
      id,
      threadId: 't',
      labelIds: ['INBOX'],
      historyId: id,
      internalDate: String(Date.now()),
      raw: inbox.google[Number(id)]!.toString('base64url'),
    };
  });
  google.post('/gmail/v1/users/me/messages/send', async (request) => {
    sentBy.google.push(Buffer.from((request.body as { raw: string }).raw, 'base64url').toString());
    return { id: 'sent', threadId: 't' };
  });

  smtpPort = await freePort();
  // No sign-in, no encryption: what a small stand-in is.
  smtp = new SMTPServer({
    authOptional: true,
    disabledCommands: ['AUTH', 'STARTTLS'],
    onData(stream, _session, done) {
      let text = '';
      stream.on('data', (chunk: Buffer) => {
        text += chunk.toString();
      });
      stream.on('end', () => {
        sentBy.smtp.push(text);
        done();
      });
    },
  });
  await new Promise<void>((ready) => smtp.listen(smtpPort, '127.0.0.1', ready));
  const [graph, gmail] = await Promise.all([microsoft, google].map((app) => app.listen({ port: 0, host: '127.0.0.1' })));
  api = await testApi({ MICROSOFT_LOGIN_URL: graph!, MICROSOFT_GRAPH_URL: graph!, GOOGLE_OAUTH_URL: gmail!, GMAIL_API_URL: gmail! });
});

afterAll(async () => {
  await Promise.all([microsoft.close(), google.close(), new Promise<void>((done) => smtp.close(() => done()))]);
});

const create = (email: string, provider: string, provider_config: object) =>
  api.call('POST', '/api/v2/email/channels', { name: 'Support', email, provider, provider_config });
const rows = async <T>(engine: Engine, sql: string) => (await engine.database.query<Record<string, T>>(sql)).rows;

async function sends(email: string, taken: string[]) {
  const [channel] = await rows<string>(
    api.engine,
    `select id, workspace_id as workspace from channels where source_channel_id = '${email}'`,
  );
  await api.engine.sender.send({
    workspaceId: channel!.workspace!,
    to: { channelId: channel!.id!, identity: { kind: 'emailaddress', value: 'ann@customer.example' } },
    content: { type: 'email', subject: `From ${email}`, text: 'Hello' },
    sender: { id: 'agent', name: 'Agent' },
  });
  await until(() => taken.some((raw) => raw.includes(`Subject: From ${email}`)));
  await until(
    async () =>
      (await rows(api.engine, `select 1 from messages where state = 'sent' and content ->> 'subject' = 'From ${email}'`)).length === 1,
  );
}

const arrives = (id: string) =>
  until(async () => (await rows(api.engine, `select 1 from messages where provider_id = '${id}'`)).length === 1);

describe('mailboxes at stand-ins that do only what they must', () => {
  it('microsoft without a consent is pending, not refused', async () => {
    const created = await create('consent@ms.example', 'microsoft', { client_id: 'azure_app_client_id', tenant_id: 'azure_tenant_id' });
    expect([created.status, created.body.status], created.text).toEqual([201, 'pending']);
  });

  it('microsoft as the app sends and receives', async () => {
    const created = await create('app@ms.example', 'microsoft', { client_id: 'c', tenant_id: 't', client_secret: 's' });
    expect([created.status, created.body.status], created.text).toEqual([201, 'active']);
    inbox.microsoft.push(mail({ 'Message-ID': '<ms1@x>' }));
    await arrives('ms1@x');
    await sends('app@ms.example', sentBy.microsoft);
  });

  it('google sends and receives', async () => {
    const created = await create('box@gm.example', 'google', { client_id: 'c', client_secret: 's', refresh_token: 'r' });
    expect([created.status, created.body.status], created.text).toEqual([201, 'active']);
    inbox.google.push(mail({ 'Message-ID': '<gm1@x>' }));
    await arrives('gm1@x');
    await sends('box@gm.example', sentBy.google);
  });

  it('smtp without IMAP sends, also where the server knows no sign-in', async () => {
    const config = { host: '127.0.0.1', port: smtpPort, username: 'u', password: 'p', use_tls: false };
    const created = await create('only@smtp.example', 'smtp', config);
    expect([created.status, created.body.status], created.text).toEqual([201, 'active']);
    await sends('only@smtp.example', sentBy.smtp);
    const missing = await create('none@smtp.example', 'smtp', { port: 25 });
    expect([missing.status, missing.body.details[0].field]).toEqual([422, 'provider_config.host']);
    const down = await create('down@smtp.example', 'smtp', { ...config, port: await freePort() });
    expect([down.status, down.body.status]).toEqual([201, 'pending']);
  });
});
