/** Signing in with tokens in place of a password: a real Dovecot that asks whose a token is, an SMTP server that does too. */
import { rmSync } from 'node:fs';
import Fastify, { type FastifyInstance } from 'fastify';
import { ImapFlow } from 'imapflow';
import { SMTPServer } from 'smtp-server';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createEmailConnector } from '../../../src/connectors/email/connector.ts';
import { uuidv7 } from '../../../src/model/ids.ts';
import { freePort } from '../../support/until.ts';
import { listener, mailbox, type TestContext, testContext } from './context.ts';
import { MAILBOX, mail } from './mail.ts';
import { type Dovecot, dovecot, temporaryFolder, whyNoServers } from './servers.ts';

const obstacle = whyNoServers();
if (obstacle) console.warn(`SKIPPED: ${obstacle}`);

const connector = createEmailConnector();

describe.skipIf(obstacle !== undefined)('XOAUTH2', () => {
  const folder = temporaryFolder();
  const valid = new Set<string>();
  const taken: string[] = [];
  let grants = 0;
  let consented = true;
  let authority: FastifyInstance;
  let base: string;
  let imap: Dovecot;
  let smtp: SMTPServer;
  let smtpPort: number;
  let context: TestContext;

  beforeAll(async () => {
    authority = Fastify();
    authority.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, done) =>
      done(null, Object.fromEntries(new URLSearchParams(String(body)))),
    );
    const token = async (form: Record<string, string>) => {
      const good = form.refresh_token === 'granted' || (form.code === 'code' && form.code_verifier);
      if (!good || !consented) return undefined;
      const access_token = `token-${++grants}`;
      valid.add(access_token);
      return { access_token, expires_in: 3600, ...(form.code ? { refresh_token: 'granted' } : {}) };
    };
    for (const path of ['/:tenant/oauth2/v2.0/token', '/token']) {
      authority.post(path, async (request, reply) => {
        const answer = await token(request.body as Record<string, string>);
        return answer ?? reply.code(400).send({ error: 'invalid_grant', error_description: 'AADSTS70000: The grant was revoked.' });
      });
    }
    authority.get('/tokeninfo', async (request, reply) => {
      const { access_token } = request.query as { access_token: string };
      return valid.has(access_token) ? { email: MAILBOX, expires_in: 3600 } : reply.code(400).send({ error: 'invalid_token' });
    });
    base = await authority.listen({ port: 0, host: '127.0.0.1' });
    imap = await dovecot(folder, undefined, `${base}/tokeninfo`);
    await imap.start();
    smtpPort = await freePort();
    smtp = new SMTPServer({
      authMethods: ['XOAUTH2'],
      allowInsecureAuth: true,
      hideSTARTTLS: true,
      onAuth({ method, username, accessToken }, _session, done) {
        if (method === 'XOAUTH2' && username === MAILBOX && accessToken && valid.has(accessToken)) return done(null, { user: username });
        done(null, { data: { status: '401', schemes: 'bearer mac', scope: 'https://mail.google.com/' } });
      },
      onData(stream, _session, done) {
        let text = '';
        stream.on('data', (chunk: Buffer) => {
          text += chunk.toString();
        });
        stream.on('end', () => {
          taken.push(text);
          done();
        });
      },
    });
    await new Promise<void>((ready) => smtp.listen(smtpPort, '127.0.0.1', ready));
  });

  afterAll(async () => {
    await imap?.stop();
    await new Promise<void>((done) => smtp.close(() => done()));
    await authority?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  beforeEach(() => {
    consented = true;
    valid.clear();
    taken.length = 0;
    context = testContext({ MICROSOFT_LOGIN_URL: base, GOOGLE_OAUTH_URL: base });
  });

  const settings = (auth: 'microsoft' | 'google') => ({
    provider: 'smtp' as const,
    auth,
    client_id: 'client',
    ...(auth === 'microsoft' ? { tenant_id: 'tenant' } : {}),
    host: '127.0.0.1',
    port: smtpPort,
    use_tls: false,
    imap_host: '127.0.0.1',
    imap_port: imap.port,
    imap_use_tls: false,
  });
  const secrets = { client_secret: 'secret', refresh_token: 'granted' };
  const box = () => mailbox(MAILBOX, settings('microsoft'), secrets);
  const message = () => ({
    id: uuidv7(),
    to: [{ kind: 'emailaddress', value: 'ann@example.com' }],
    content: { type: 'text' as const, text: 'Hello' },
  });

  async function put(subject: string) {
    const accessToken = 'of-the-test';
    valid.add(accessToken);
    const client = new ImapFlow({
      host: '127.0.0.1',
      port: imap.port,
      secure: false,
      doSTARTTLS: false,
      auth: { user: MAILBOX, accessToken },
      logger: false,
    });
    await client.connect();
    await client.append('INBOX', mail({ Subject: subject, 'Message-ID': `<${subject}@example.com>` }));
    await client.logout();
  }

  it.each(['microsoft', 'google'] as const)('signs in to both servers with the tokens of %s', async (auth) => {
    const connected = await connector.connect({ email: MAILBOX, ...settings(auth), ...secrets }, context);
    expect(connected).toMatchObject({ status: 'active', details: { receives: true } });
    await connector.send!(message(), { ...box(), settings: connected.settings as never }, context);
    expect(taken).toHaveLength(1);
  });

  it('receives, and goes on with a new token when the server does not take the kept one any more', async () => {
    const ear = listener(context);
    const receiving = connector.receive!(box(), ear.context);
    await ear.until(() => ear.reports.some(({ status }) => status === 'active'));
    await put('first');
    await ear.until(() => ear.events.length === 1);
    await imap.stop();
    valid.clear();
    await imap.start();
    ear.wake();
    await ear.until(() => ear.reports.at(-1)?.status === 'active' && ear.reports.length > 2);
    await put('second');
    await ear.until(() => ear.events.length === 2);
    valid.clear();
    await connector.send!(message(), box(), context);
    expect(taken).toHaveLength(1);
    expect(ear.reports.map(({ status }) => status)).not.toContain('failed');
    ear.stop();
    await receiving;
  });

  it('turns to attention when the consent was taken back, and recovers', async () => {
    const ear = listener(context);
    consented = false;
    const receiving = connector.receive!(box(), ear.context);
    await ear.until(() => ear.reports.at(-1)?.status === 'failed');
    expect(ear.reports.at(-1)!.reason).toContain('AADSTS70000');
    await expect(connector.send!(message(), box(), context)).rejects.toMatchObject({ class: 'unauthorized' });
    expect(await connector.health!(box(), context)).toMatchObject({ status: 'failed' });
    consented = true;
    ear.wake();
    await ear.until(() => ear.reports.at(-1)?.status === 'active');
    ear.stop();
    await receiving;
  });

  it('can be granted in the browser', async () => {
    const { refresh_token: _, ...without } = secrets;
    const connected = await connector.connect({ email: MAILBOX, ...settings('microsoft'), ...without }, context);
    expect(connected).toMatchObject({ status: 'pending', statusReason: expect.stringContaining('consented') });
    const channel = mailbox(MAILBOX, settings('microsoft'), without);
    expect(connector.consent!.applies!(channel)).toBe(true);
    const redirectUri = 'https://patchbay.example/oauth/callback';
    const request = (await connector.consent!.start(channel, context, { redirectUri, state: 's' }))!;
    expect(new URL(request.url).searchParams.get('scope')).toContain('IMAP.AccessAsUser.All');
    const repaired = await connector.consent!.finish(channel, context, { redirectUri, code: 'code', keep: request.keep });
    expect(repaired).toMatchObject({ status: 'active', credentials: { refresh_token: 'granted' } });
    const password = mailbox(MAILBOX, { ...settings('microsoft'), auth: 'password' });
    expect(connector.consent!.applies!(password)).toBe(false);
    expect(await connector.consent!.start(password, context, { redirectUri, state: 's' })).toBeUndefined();
  });
});
