/**
 * A stand-in for Google's sign-in, the Gmail API and Pub/Sub pushes: history that goes back only so far, tokens that
 * end, its own Message-ID where asked for, pushes with a signed OIDC token and the keys to check it.
 */
import { randomUUID } from 'node:crypto';
import Fastify, { type FastifyInstance, type FastifyReply } from 'fastify';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { Faults } from './faults.ts';
import { headerOf, Mailboxes, recipientsOf, type StoredMail } from './mailboxes.ts';

export interface GmailSandboxOptions {
  clientId?: string;
  clientSecret?: string;
  refreshToken?: string;
  /** The mailbox that the grant is for. */
  address: string;
  /** Where pushes go once there is a watch; also their audience. */
  pushUrl?: string;
  /** The service account that signs pushes. */
  pushAccount?: string;
  /** Gives every sent mail a Message-ID of its own, as Gmail does at times. */
  ownMessageIds?: boolean;
}

export interface GmailSandbox {
  app: FastifyInstance;
  faults: Faults;
  mailboxes: Mailboxes;
  sent: { to: string[]; mail: StoredMail }[];
  /** The statuses that the pushed address answered with. */
  pushed: number[];
  /** A mail arrives; the watcher is told. */
  receive(raw: Buffer, labels?: string[]): Promise<StoredMail>;
  /** Posts a push; with other claims, or unsigned, to see it refused. */
  push(claims?: Record<string, unknown>, token?: string): Promise<number>;
  expireTokens(): void;
  /** The person took the consent back. */
  revokeConsent(): void;
  /** A new consent gives this refresh token. */
  grant(refreshToken: string): void;
  /** History before now is gone. */
  loseHistory(): void;
}

export async function createGmailSandbox(options: GmailSandboxOptions): Promise<GmailSandbox> {
  const clientId = options.clientId ?? 'sandbox-client';
  const clientSecret = options.clientSecret ?? 'sandbox-secret';
  const pushAccount = options.pushAccount ?? 'push@sandbox.iam.gserviceaccount.com';
  const app = Fastify({ bodyLimit: 50_000_000 });
  const faults = new Faults();
  const mailboxes = new Mailboxes();
  mailboxes.add(options.address);
  const labels = new Map<string, string[]>();
  const sent: GmailSandbox['sent'] = [];
  const pushed: number[] = [];
  const tokens = new Set<string>();
  const refreshTokens = new Set([options.refreshToken ?? 'sandbox-refresh']);
  const codes = new Set<string>();
  const { publicKey, privateKey } = await generateKeyPair('RS256');
  const kid = randomUUID();
  let watching = false;
  let oldestHistory = 0;

  faults.install(app);
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, done) =>
    done(null, Object.fromEntries(new URLSearchParams(String(body)))),
  );
  app.addContentTypeParser(/^multipart\/related/, { parseAs: 'buffer' }, (_request, body, done) => done(null, body));

  const apiError = (reply: FastifyReply, code: number, reason: string, message: string) =>
    reply.code(code).send({ error: { code, message, errors: [{ domain: 'global', reason, message }], status: reason } });

  app.get('/o/oauth2/v2/auth', async (request, reply) => {
    const query = request.query as Record<string, string>;
    if (query.client_id !== clientId || !query.redirect_uri || query.access_type !== 'offline') return reply.code(400).send('bad request');
    const code = randomUUID();
    codes.add(code);
    const back = new URL(query.redirect_uri);
    back.searchParams.set('code', code);
    back.searchParams.set('state', query.state ?? '');
    return reply.redirect(back.toString());
  });

  app.get('/oauth2/v3/certs', async () => ({ keys: [{ ...(await exportJWK(publicKey)), kid, alg: 'RS256', use: 'sig' }] }));

  app.post('/token', async (request, reply) => {
    const form = request.body as Record<string, string>;
    if (form.client_id !== clientId || form.client_secret !== clientSecret)
      return reply.code(401).send({ error: 'invalid_client', error_description: 'The OAuth client was not found.' });
    const byCode = form.grant_type === 'authorization_code' && codes.delete(form.code ?? '') && Boolean(form.code_verifier);
    const byRefresh = form.grant_type === 'refresh_token' && refreshTokens.has(form.refresh_token ?? '');
    if (!byCode && !byRefresh)
      return reply.code(400).send({ error: 'invalid_grant', error_description: 'Token has been expired or revoked.' });
    const access = randomUUID();
    tokens.add(access);
    const refresh = randomUUID();
    if (byCode) refreshTokens.add(refresh);
    return { access_token: access, expires_in: 3599, token_type: 'Bearer', ...(byCode ? { refresh_token: refresh } : {}) };
  });

  app.register(async (api) => {
    api.addHook('onRequest', async (request, reply) => {
      const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
      if (!token || !tokens.has(token)) await apiError(reply, 401, 'authError', 'Invalid Credentials');
    });
    const box = () => mailboxes.get(options.address)!;
    const me = '/gmail/v1/users/me';

    api.get(`${me}/profile`, async () => ({
      emailAddress: options.address,
      historyId: String(mailboxes.seq),
      messagesTotal: box().length,
    }));

    api.post(`${me}/watch`, async (request, reply) => {
      const { topicName } = request.body as { topicName?: string };
      if (!/^projects\/[^/]+\/topics\/[^/]+$/.test(topicName ?? '')) return apiError(reply, 400, 'invalidArgument', 'Invalid topicName');
      watching = true;
      return { historyId: String(mailboxes.seq), expiration: String(Date.now() + 7 * 86_400_000) };
    });
    api.post(`${me}/stop`, async (_request, reply) => {
      watching = false;
      return reply.code(204).send();
    });

    api.get(`${me}/history`, async (request, reply) => {
      const query = request.query as Record<string, string>;
      const start = Number(query.startHistoryId);
      if (!Number.isFinite(start)) return apiError(reply, 400, 'invalidArgument', 'Invalid startHistoryId');
      if (start < oldestHistory) return apiError(reply, 404, 'notFound', 'Requested entity was not found.');
      const from = Number(query.pageToken ?? start);
      const found = box().filter((mail) => mail.seq > from);
      const page = found.slice(0, 2);
      return {
        historyId: String(mailboxes.seq),
        ...(page.length > 0
          ? {
              history: page.map((mail) => ({
                id: String(mail.seq),
                messagesAdded: [{ message: { id: mail.id, threadId: mail.threadId, labelIds: labels.get(mail.id) } }],
              })),
            }
          : {}),
        ...(found.length > page.length ? { nextPageToken: String(page.at(-1)!.seq) } : {}),
      };
    });

    api.get(`${me}/messages`, async (request) => {
      const { q = '' } = request.query as Record<string, string>;
      const wanted = /rfc822msgid:(\S+)/.exec(q)?.[1];
      const after = Number(/after:(\d+)/.exec(q)?.[1] ?? 0) * 1000;
      const found = box().filter((mail) => mail.at.getTime() >= after && (!wanted || mail.messageId === `<${wanted}>`));
      return {
        ...(found.length > 0 ? { messages: found.toReversed().map((mail) => ({ id: mail.id, threadId: mail.threadId })) } : {}),
        resultSizeEstimate: found.length,
      };
    });

    api.get(`${me}/messages/:id`, async (request, reply) => {
      const mail = box().find((candidate) => candidate.id === (request.params as { id: string }).id);
      if (!mail) return apiError(reply, 404, 'notFound', 'Requested entity was not found.');
      const common = {
        id: mail.id,
        threadId: mail.threadId,
        labelIds: labels.get(mail.id),
        internalDate: String(mail.at.getTime()),
        historyId: String(mail.seq),
      };
      const { format } = request.query as { format?: string };
      return format === 'raw'
        ? { ...common, raw: mail.raw.toString('base64url') }
        : { ...common, payload: { headers: [{ name: 'Message-Id', value: mail.messageId }] } };
    });

    api.post(`${me}/messages/send`, async (request, reply) => {
      const { raw, threadId } = request.body as { raw?: string; threadId?: string };
      return send(Buffer.from(raw ?? '', 'base64url'), threadId, reply);
    });

    api.post('/upload/gmail/v1/users/me/messages/send', async (request, reply) => {
      const boundary = /boundary=(\S+)/.exec(String(request.headers['content-type']))?.[1];
      const parts = (request.body as Buffer).toString('latin1').split(`--${boundary}`);
      const bodyOf = (part = '') => part.slice(part.indexOf('\r\n\r\n') + 4).replace(/\r\n$/, '');
      const { threadId } = JSON.parse(bodyOf(parts[1])) as { threadId?: string };
      return send(Buffer.from(bodyOf(parts[2]), 'latin1'), threadId, reply);
    });

    async function send(raw: Buffer, threadId: string | undefined, reply: FastifyReply) {
      const to = recipientsOf(raw);
      if (to.length === 0) return apiError(reply, 400, 'invalidArgument', 'Recipient address required');
      if (threadId && !box().some((mail) => mail.threadId === threadId))
        return apiError(reply, 404, 'notFound', 'Requested entity was not found.');
      const own = options.ownMessageIds
        ? Buffer.from(raw.toString('latin1').replace(/^message-id:.*$/im, `Message-ID: <CA${randomUUID()}@mail.gmail.com>`), 'latin1')
        : raw;
      const inThread = threadId && (headerOf(own, 'In-Reply-To') || headerOf(own, 'References')) ? threadId : undefined;
      const mail = mailboxes.put(options.address, 'SENT', own, inThread ? { threadId: inThread } : {});
      labels.set(mail.id, ['SENT']);
      sent.push({ to, mail });
      return { id: mail.id, threadId: mail.threadId, labelIds: ['SENT'] };
    }
  });

  async function push(claims: Record<string, unknown> = {}, token?: string): Promise<number> {
    if (!options.pushUrl) return 0;
    const signed = await new SignJWT({ email: pushAccount, email_verified: true, sub: '1', ...claims })
      .setProtectedHeader({ alg: 'RS256', kid, typ: 'JWT' })
      .setIssuer(String(claims.iss ?? 'https://accounts.google.com'))
      .setAudience(String(claims.aud ?? options.pushUrl))
      .setIssuedAt()
      .setExpirationTime((claims.exp as number | undefined) ?? '1h')
      .sign(privateKey);
    const data = Buffer.from(JSON.stringify({ emailAddress: options.address, historyId: mailboxes.seq })).toString('base64');
    const answer = await fetch(options.pushUrl, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token ?? signed}` },
      body: JSON.stringify({
        message: { data, messageId: randomUUID(), publishTime: new Date().toISOString() },
        subscription: 'projects/sandbox/subscriptions/patchbay',
      }),
    });
    pushed.push(answer.status);
    return answer.status;
  }

  return {
    app,
    faults,
    mailboxes,
    sent,
    pushed,
    async receive(raw, mailLabels = ['INBOX', 'UNREAD']) {
      const mail = mailboxes.put(options.address, 'INBOX', raw);
      labels.set(mail.id, mailLabels);
      if (watching) await push();
      return mail;
    },
    push,
    expireTokens: () => tokens.clear(),
    revokeConsent: () => {
      tokens.clear();
      refreshTokens.clear();
    },
    grant: (refreshToken) => void refreshTokens.add(refreshToken),
    loseHistory: () => {
      oldestHistory = mailboxes.seq + 1;
      mailboxes.seq += 1;
    },
  };
}
