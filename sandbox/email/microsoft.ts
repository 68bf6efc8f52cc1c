/**
 * A stand-in for Microsoft's sign-in and Graph mail, as strict as the real ones where it matters: tokens end, a
 * subscription's address must answer its validation, ids change on a move unless immutable ones were asked for, delta
 * links go stale. A mail sent to another of its mailboxes arrives there.
 */
import { randomUUID } from 'node:crypto';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { Faults } from './faults.ts';
import { Mailboxes, recipientsOf, type StoredMail } from './mailboxes.ts';

export interface MicrosoftSandboxOptions {
  tenant?: string;
  clientId?: string;
  clientSecret?: string;
  /** Seconds; 3600 unless told. */
  tokenLifetime?: number;
  /** Milliseconds that a subscription may live; seven days unless told. */
  longestSubscription?: number;
}

interface Subscription {
  id: string;
  resource: string;
  notificationUrl: string;
  lifecycleNotificationUrl?: string;
  clientState?: string;
  expirationDateTime: string;
}

export interface MicrosoftSandbox {
  app: FastifyInstance;
  faults: Faults;
  mailboxes: Mailboxes;
  subscriptions: Map<string, Subscription>;
  /** Everything that left a mailbox. */
  sent: { from: string; to: string[]; mail: StoredMail }[];
  /** The statuses that notified addresses answered with. */
  notified: number[];
  addUser(address: string): void;
  /** A mail arrives; subscribers are told. */
  receive(address: string, raw: Buffer): Promise<StoredMail>;
  /** Tells every subscription's lifecycle address. */
  lifecycle(event: 'reauthorizationRequired' | 'subscriptionRemoved' | 'missed'): Promise<void>;
  expireTokens(): void;
  /** A person consented: the refresh token of it, good for one use. */
  grant(): string;
  /** The kinds of the grants that tokens were given for. */
  tokenRequests: string[];
  /** Refresh tokens stop working: the consent was taken back. */
  revokeConsent(): void;
  /** Delta links given out so far answer 410. */
  loseDelta(): void;
}

const DAY_MS = 86_400_000;

export function createMicrosoftSandbox(options: MicrosoftSandboxOptions = {}): MicrosoftSandbox {
  const tenant = options.tenant ?? 'sandbox-tenant';
  const clientId = options.clientId ?? 'sandbox-client';
  const clientSecret = options.clientSecret ?? 'sandbox-secret';
  const longest = options.longestSubscription ?? 7 * DAY_MS;
  const app = Fastify({ bodyLimit: 6_000_000 });
  const faults = new Faults();
  const mailboxes = new Mailboxes();
  const subscriptions = new Map<string, Subscription>();
  const sent: MicrosoftSandbox['sent'] = [];
  const notified: number[] = [];
  const tokens = new Set<string>();
  const refreshTokens = new Set<string>();
  const tokenRequests: string[] = [];
  const codes = new Map<string, string>();
  const uploads = new Map<string, { draft: StoredMail; bytes: number; size: number }>();
  let deltaEpoch = 1;

  faults.install(app);
  app.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, done) =>
    done(null, Object.fromEntries(new URLSearchParams(String(body)))),
  );
  app.addContentTypeParser('text/plain', { parseAs: 'string' }, (_request, body, done) => done(null, body));
  app.addContentTypeParser('application/octet-stream', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));

  const graphError = (reply: FastifyReply, status: number, code: string, message: string) =>
    reply.code(status).send({ error: { code, message } });
  const oauthError = (reply: FastifyReply, status: number, error: string, description: string) =>
    reply.code(status).send({ error, error_description: description });

  app.get('/:tenant/oauth2/v2.0/authorize', async (request, reply) => {
    const query = request.query as Record<string, string>;
    if (query.client_id !== clientId || query.response_type !== 'code' || !query.redirect_uri) return reply.code(400).send('bad request');
    const code = randomUUID();
    codes.set(code, query.code_challenge ?? '');
    const back = new URL(query.redirect_uri);
    back.searchParams.set('code', code);
    back.searchParams.set('state', query.state ?? '');
    return reply.redirect(back.toString());
  });

  app.post('/:tenant/oauth2/v2.0/token', async (request, reply) => {
    const form = request.body as Record<string, string>;
    if ((request.params as { tenant: string }).tenant !== tenant)
      return oauthError(reply, 400, 'invalid_request', 'AADSTS90002: Tenant not found.');
    if (form.client_id !== clientId)
      return oauthError(reply, 400, 'unauthorized_client', 'AADSTS700016: Application was not found in the directory.');
    if (form.client_secret !== clientSecret)
      return oauthError(reply, 401, 'invalid_client', 'AADSTS7000215: Invalid client secret provided.');
    const grants: Record<string, () => boolean> = {
      client_credentials: () => form.scope === 'https://graph.microsoft.com/.default',
      refresh_token: () => refreshTokens.delete(form.refresh_token ?? ''),
      authorization_code: () => codes.delete(form.code ?? '') && Boolean(form.code_verifier) && Boolean(form.redirect_uri),
    };
    if (!grants[form.grant_type ?? '']?.())
      return oauthError(reply, 400, 'invalid_grant', 'AADSTS70000: The provided grant has expired or was revoked.');
    tokenRequests.push(form.grant_type!);
    const access = randomUUID();
    tokens.add(access);
    const refresh = randomUUID();
    if (form.grant_type !== 'client_credentials') refreshTokens.add(refresh);
    return {
      token_type: 'Bearer',
      access_token: access,
      expires_in: options.tokenLifetime ?? 3600,
      ...(form.grant_type === 'client_credentials' ? {} : { refresh_token: refresh }),
    };
  });

  app.register(async (graph) => {
    graph.addHook('onRequest', async (request, reply) => {
      if (request.url.startsWith('/v1.0/upload/')) return;
      const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
      if (!token || !tokens.has(token))
        await graphError(reply, 401, 'InvalidAuthenticationToken', 'Access token has expired or is not yet valid.');
    });
    const boxOf = (request: FastifyRequest) => mailboxes.get((request.params as { user: string }).user);
    const mailOf = (request: FastifyRequest) => boxOf(request)?.find((mail) => mail.id === (request.params as { id: string }).id);
    const notFound = (reply: FastifyReply) =>
      graphError(reply, 404, 'ErrorItemNotFound', 'The specified object was not found in the store.');

    graph.get('/v1.0/users/:user/mailFolders/:folder', async (request, reply) => {
      if (!boxOf(request)) return graphError(reply, 404, 'ErrorInvalidUser', 'The requested user is invalid.');
      return { id: (request.params as { folder: string }).folder };
    });

    graph.get('/v1.0/users/:user/mailFolders/:folder/messages/delta', async (request, reply) => {
      const box = boxOf(request);
      if (!box) return graphError(reply, 404, 'ErrorInvalidUser', 'The requested user is invalid.');
      const { folder } = request.params as { folder: string };
      const query = request.query as Record<string, string>;
      const [epoch, from] = (query.$deltatoken ?? query.$skiptoken ?? '').split('.').map(Number);
      const continued = epoch !== undefined && from !== undefined;
      if (continued && epoch !== deltaEpoch) return graphError(reply, 410, 'SyncStateNotFound', 'The sync state generation is not found.');
      const since = /receivedDateTime ge (\S+)/.exec(query.$filter ?? '')?.[1];
      const size = Number(/odata\.maxpagesize=(\d+)/.exec(String(request.headers.prefer))?.[1] ?? 10);
      const found = box.filter(
        (mail) => mail.folder === folder && mail.seq > (continued ? from : 0) && (!since || mail.at >= new Date(since)),
      );
      const page = found.slice(0, size);
      const base = `https://graph.microsoft.com/v1.0/users/${(request.params as { user: string }).user}/mailFolders/${folder}/messages/delta`;
      const last = page.at(-1)?.seq ?? (continued ? from : mailboxes.seq);
      const more = found.length > size;
      return {
        value: page.map((mail) => ({ id: mail.id, receivedDateTime: mail.at.toISOString(), isDraft: mail.draft })),
        [more ? '@odata.nextLink' : '@odata.deltaLink']: `${base}?$${more ? 'skiptoken' : 'deltatoken'}=${deltaEpoch}.${last}`,
      };
    });

    graph.get('/v1.0/users/:user/messages/:id/$value', async (request, reply) => mailOf(request)?.raw ?? notFound(reply));
    graph.get('/v1.0/users/:user/messages/:id', async (request, reply) => {
      const mail = mailOf(request);
      return mail ? { id: mail.id, isDraft: mail.draft, internetMessageId: mail.messageId } : notFound(reply);
    });

    graph.post('/v1.0/users/:user/sendMail', async (request, reply) => {
      const { user } = request.params as { user: string };
      if (!boxOf(request)) return graphError(reply, 404, 'ErrorInvalidUser', 'The requested user is invalid.');
      const raw = Buffer.from(String(request.body), 'base64');
      const to = recipientsOf(raw);
      if (to.length === 0) return graphError(reply, 400, 'ErrorInvalidRecipients', 'At least one recipient is not valid.');
      sent.push({ from: user.toLowerCase(), to, mail: mailboxes.put(user, 'sentitems', raw) });
      return reply.code(202).send();
    });

    graph.post('/v1.0/users/:user/messages', async (request, reply) => {
      const { user } = request.params as { user: string };
      if (!boxOf(request)) return graphError(reply, 404, 'ErrorInvalidUser', 'The requested user is invalid.');
      if (typeof request.body !== 'string')
        return graphError(reply, 400, 'UnableToDeserializePostBody', 'Only MIME drafts are known here.');
      const raw = Buffer.from(request.body, 'base64');
      if (raw.toString('base64') !== request.body || !/^from:/im.test(raw.toString('latin1')))
        return graphError(reply, 400, 'ErrorMimeContentInvalidBase64String', 'Invalid base64 string for MIME content.');
      const mail = mailboxes.put(user, 'drafts', raw, { draft: true });
      return reply.code(201).send({ id: mail.id, isDraft: true, internetMessageId: mail.messageId });
    });

    graph.post('/v1.0/users/:user/messages/:id/send', async (request, reply) => {
      const { user } = request.params as { user: string };
      const mail = mailOf(request);
      if (!mail) return notFound(reply);
      if (!mail.draft) return graphError(reply, 400, 'ErrorInvalidOperation', 'The message is no draft.');
      const to = recipientsOf(mail.raw);
      if (to.length === 0) return graphError(reply, 400, 'ErrorInvalidRecipients', 'At least one recipient is not valid.');
      mail.draft = false;
      mail.folder = 'sentitems';
      mail.seq = ++mailboxes.seq;
      mail.at = new Date();
      if (!String(request.headers.prefer).includes('IdType="ImmutableId"')) mail.id = randomUUID();
      sent.push({ from: user.toLowerCase(), to, mail });
      for (const address of to) if (mailboxes.get(address)) await receive(address, mail.raw);
      return reply.code(202).send();
    });

    graph.post('/v1.0/users/:user/messages/:id/attachments', async (request, reply) => {
      const mail = mailOf(request);
      if (!mail?.draft) return notFound(reply);
      const { name, contentBytes } = request.body as { name?: string; contentBytes?: string };
      if (!name || !contentBytes) return graphError(reply, 400, 'ErrorRequiredPropertyMissing', 'Required property is missing.');
      return reply.code(201).send({ id: randomUUID(), name });
    });

    graph.post('/v1.0/users/:user/messages/:id/attachments/createUploadSession', async (request, reply) => {
      const draft = mailOf(request);
      const { AttachmentItem: item } = request.body as { AttachmentItem?: { name?: string; size?: number } };
      if (!draft?.draft || !item?.name || !item.size) return notFound(reply);
      const id = randomUUID();
      uploads.set(id, { draft, bytes: 0, size: item.size });
      return reply.code(201).send({ uploadUrl: `${request.protocol}://${request.host}/v1.0/upload/${id}`, nextExpectedRanges: ['0-'] });
    });

    graph.put('/v1.0/upload/:id', async (request, reply) => {
      const upload = uploads.get((request.params as { id: string }).id);
      const [, from, to, size] = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(String(request.headers['content-range'])) ?? [];
      const body = request.body as Buffer;
      if (
        !upload ||
        Number(from) !== upload.bytes ||
        Number(size) !== upload.size ||
        body.length !== Number(to) - Number(from) + 1 ||
        body.length > 4 * 1024 * 1024
      ) {
        return graphError(reply, 416, 'ErrorInvalidRange', 'The range is not the expected one.');
      }
      upload.bytes += body.length;
      return upload.bytes === upload.size ? reply.code(201).send() : { nextExpectedRanges: [`${upload.bytes}-`] };
    });

    graph.get('/v1.0/subscriptions', async () => ({ value: [...subscriptions.values()] }));
    graph.post('/v1.0/subscriptions', async (request, reply) => {
      const wanted = request.body as Omit<Subscription, 'id'> & { changeType?: string };
      const problem =
        !wanted.changeType ||
        !wanted.notificationUrl ||
        !wanted.resource ||
        tooLong(wanted.expirationDateTime) ||
        (wanted.clientState ?? '').length > 128;
      if (problem) return graphError(reply, 400, 'InvalidRequest', 'The subscription request is not valid.');
      const urls = [wanted.notificationUrl, ...(wanted.lifecycleNotificationUrl ? [wanted.lifecycleNotificationUrl] : [])];
      for (const url of urls) {
        if (!(await validates(url))) return graphError(reply, 400, 'ValidationError', 'Subscription validation request failed.');
      }
      const subscription: Subscription = { ...wanted, id: randomUUID() };
      subscriptions.set(subscription.id, subscription);
      return reply.code(201).send({ ...subscription, clientState: undefined });
    });
    graph.patch('/v1.0/subscriptions/:id', async (request, reply) => {
      const subscription = subscriptions.get((request.params as { id: string }).id);
      if (!subscription) return graphError(reply, 404, 'ResourceNotFound', 'The object was not found.');
      const { expirationDateTime } = request.body as { expirationDateTime: string };
      if (tooLong(expirationDateTime)) return graphError(reply, 400, 'InvalidRequest', 'The expiration is not valid.');
      subscription.expirationDateTime = expirationDateTime;
      return { ...subscription, clientState: undefined };
    });
    graph.delete('/v1.0/subscriptions/:id', async (request, reply) => {
      if (!subscriptions.delete((request.params as { id: string }).id))
        return graphError(reply, 404, 'ResourceNotFound', 'The object was not found.');
      return reply.code(204).send();
    });
  });

  function tooLong(expiration: string | undefined): boolean {
    const left = Date.parse(expiration ?? '') - Date.now();
    return !(left > 0 && left <= longest);
  }

  async function validates(url: string): Promise<boolean> {
    const target = new URL(url);
    const token = `Validation: Testing client application reachability ${randomUUID()}`;
    target.searchParams.set('validationToken', token);
    try {
      const answer = await fetch(target, { method: 'POST', headers: { 'content-type': 'text/plain; charset=utf-8' } });
      return answer.status === 200 && /^text\/plain/.test(answer.headers.get('content-type') ?? '') && (await answer.text()) === token;
    } catch {
      return false;
    }
  }

  async function tell(url: string, value: object): Promise<void> {
    try {
      notified.push(
        (await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ value: [value] }) }))
          .status,
      );
    } catch {
      notified.push(0);
    }
  }

  async function receive(address: string, raw: Buffer): Promise<StoredMail> {
    const mail = mailboxes.put(address, 'inbox', raw);
    for (const subscription of subscriptions.values()) {
      if (!decodeURIComponent(subscription.resource).toLowerCase().includes(`/users/${address.toLowerCase()}/`)) continue;
      await tell(subscription.notificationUrl, {
        subscriptionId: subscription.id,
        clientState: subscription.clientState,
        changeType: 'created',
        tenantId: tenant,
        resource: `Users/${address}/Messages/${mail.id}`,
        resourceData: { '@odata.type': '#Microsoft.Graph.Message', id: mail.id },
        subscriptionExpirationDateTime: subscription.expirationDateTime,
      });
    }
    return mail;
  }

  return {
    app,
    faults,
    mailboxes,
    subscriptions,
    sent,
    tokenRequests,
    notified,
    addUser: (address) => mailboxes.add(address),
    receive,
    async lifecycle(event) {
      const all = [...subscriptions.values()];
      if (event === 'subscriptionRemoved') subscriptions.clear();
      for (const { id, clientState, lifecycleNotificationUrl, expirationDateTime } of all) {
        if (!lifecycleNotificationUrl) continue;
        await tell(lifecycleNotificationUrl, {
          subscriptionId: id,
          clientState,
          lifecycleEvent: event,
          tenantId: tenant,
          subscriptionExpirationDateTime: expirationDateTime,
        });
      }
    },
    expireTokens: () => tokens.clear(),
    grant: () => {
      const refresh = randomUUID();
      refreshTokens.add(refresh);
      return refresh;
    },
    revokeConsent: () => {
      tokens.clear();
      refreshTokens.clear();
    },
    loseDelta: () => {
      deltaEpoch += 1;
    },
  };
}
