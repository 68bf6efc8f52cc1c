/** A stand-in for Google: service-account sign-in, Business Messages, RCS for Business, and users who write. */
import { createHmac, generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto';
import Fastify, { type FastifyInstance, type FastifyRequest } from 'fastify';
import { importSPKI, jwtVerify } from 'jose';
import { FaultPlan } from '../common/fault-plan.ts';

export interface GoogleSandboxOptions {
  /** Where Business Messages and RCS events go. */
  webhookUrl?: string;
  /** Takes events in place of an address. */
  deliver?: (request: { headers: Record<string, string>; body: string }) => Promise<{ status: number; body: string }>;
  /** The service account's keys, PEM; made unless given. */
  keys?: { publicKey: string; privateKey: string };
  /** Signs Business Messages events. */
  partnerKey?: string;
  /** RCS agents and the token that their webhooks are signed with. */
  agents?: Record<string, { clientToken: string }>;
  /** Phones without RCS. */
  unreachable?: string[];
  /** What the other phones can show. */
  features?: string[];
}

export interface SandboxRcsMessage {
  phone: string;
  messageId: string;
  agentId: string;
  body: Record<string, any>;
}

export interface GoogleSandbox {
  app: FastifyInstance;
  faults: FaultPlan;
  /** The service account to sign in with; its `token_uri` is this stand-in's, once it listens. */
  serviceAccount(base: string): string;
  conversations: Map<string, Record<string, any>[]>;
  messages: SandboxRcsMessage[];
  events: Record<string, any>[];
  /** Makes the access tokens that were given out so far useless. */
  expireTokens(): void;
  /** Posts a signed Business Messages event; gives the answer's status. */
  businessMessages(event: Record<string, unknown>): Promise<number>;
  /** Posts a signed RCS event in its Pub/Sub envelope; gives the answer's status. */
  rcs(agentId: string, event: Record<string, unknown>): Promise<number>;
  /** Asks the webhook for the secret back, as when it is registered; true when it came. */
  verifyWebhook(clientToken: string): Promise<boolean>;
}

class Refusal extends Error {
  readonly code: number;
  readonly status: string;

  constructor(code: number, status: string, message: string) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

const bad = (message: string) => new Refusal(400, 'INVALID_ARGUMENT', message);

/** Builds the stand-in; it listens nowhere until `app.listen`. */
export function createGoogleSandbox(options: GoogleSandboxOptions = {}): GoogleSandbox {
  const { publicKey, privateKey } =
    options.keys ??
    generateKeyPairSync('rsa', {
      modulusLength: 2048,
      publicKeyEncoding: { type: 'spki', format: 'pem' },
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    });
  const email = 'patchbay@sandbox.iam.gserviceaccount.com';
  const tokens = new Map<string, string>();
  const conversations = new Map<string, Record<string, any>[]>();
  const messages: SandboxRcsMessage[] = [];
  const events: Record<string, any>[] = [];
  const faults = new FaultPlan();
  const app = Fastify();
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));

  app.addHook('onRequest', async (request, reply) => {
    const fault = faults.take({ method: request.method, path: request.url.split('?')[0]! });
    if (!fault) return;
    if (fault.kind === 'answer')
      return reply
        .code(fault.status ?? 500)
        .headers(fault.headers ?? {})
        .send(fault.body ?? '');
    request.raw.socket.destroy();
    return reply;
  });
  app.setErrorHandler((error, _request, reply) => {
    const refusal = error instanceof Refusal ? error : new Refusal(500, 'INTERNAL', (error as Error).message);
    return reply.code(refusal.code).send({ error: { code: refusal.code, message: refusal.message, status: refusal.status } });
  });

  function authorize(request: FastifyRequest, scope: string): void {
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
    const granted = token && tokens.get(token);
    if (!granted) throw new Refusal(401, 'UNAUTHENTICATED', 'Request had invalid authentication credentials.');
    if (granted !== scope) throw new Refusal(403, 'PERMISSION_DENIED', 'Request had insufficient authentication scopes.');
  }

  app.post('/token', async (request, reply) => {
    const form = new URLSearchParams(String(request.body ?? ''));
    try {
      if (form.get('grant_type') !== 'urn:ietf:params:oauth:grant-type:jwt-bearer') throw new Error('unsupported grant type');
      const key = await importSPKI(publicKey, 'RS256');
      const audience = `http://${request.headers.host}/token`;
      const { payload } = await jwtVerify(form.get('assertion') ?? '', key, { issuer: email, audience, algorithms: ['RS256'] });
      const token = `ya29.${randomBytes(16).toString('hex')}`;
      tokens.set(token, String(payload.scope));
      return { access_token: token, expires_in: 3599, token_type: 'Bearer' };
    } catch (error) {
      return reply.code(400).send({ error: 'invalid_grant', error_description: `Invalid JWT: ${(error as Error).message}` });
    }
  });

  app.post('/v1/conversations/:conversation/messages', async (request) => {
    authorize(request, 'https://www.googleapis.com/auth/businessmessages');
    const { conversation } = request.params as { conversation: string };
    const body = JSON.parse(String(request.body)) as Record<string, any>;
    if (!body.messageId) throw bad('messageId is required');
    if (!['BOT', 'HUMAN'].includes(body.representative?.representativeType)) throw bad('representative is required');
    if (!body.text && !body.image && !body.richCard) throw bad('a message needs text, image or richCard');
    if ((body.suggestions?.length ?? 0) > 13) throw bad('at most 13 suggestions');
    checkSuggestions(body.suggestions);
    const known = conversations.get(conversation);
    if (!known) throw new Refusal(404, 'NOT_FOUND', 'Requested entity was not found.');
    if (known.some((item) => item.messageId === body.messageId))
      throw new Refusal(409, 'ALREADY_EXISTS', 'Requested entity already exists');
    known.push(body);
    return { ...body, name: `conversations/${conversation}/messages/${body.messageId}`, createTime: new Date().toISOString() };
  });
  app.post('/v1/conversations/:conversation/events', async (request) => {
    authorize(request, 'https://www.googleapis.com/auth/businessmessages');
    const event = JSON.parse(String(request.body)) as Record<string, any>;
    if (!event.eventType || !event.representative) throw bad('eventType and representative are required');
    events.push(event);
    return event;
  });

  const rcsScope = 'https://www.googleapis.com/auth/rcsbusinessmessaging';
  const query = (request: FastifyRequest) => request.query as Record<string, string | undefined>;
  function reach(request: FastifyRequest): { phone: string; agentId: string } {
    authorize(request, rcsScope);
    const { phone } = request.params as { phone: string };
    const agentId = query(request).agentId;
    if (!/^\+[1-9]\d{4,14}$/.test(phone)) throw bad('the phone number must be in E.164 format');
    if (!agentId || (options.agents && !options.agents[agentId]))
      throw new Refusal(403, 'PERMISSION_DENIED', 'The caller does not have permission for this agent');
    if (options.unreachable?.includes(phone)) throw new Refusal(404, 'NOT_FOUND', 'Requested entity was not found.');
    return { phone, agentId };
  }
  app.post('/v1/phones/:phone/agentMessages', async (request) => {
    const { phone, agentId } = reach(request);
    const messageId = query(request).messageId;
    const body = JSON.parse(String(request.body)) as Record<string, any>;
    if (!messageId) throw bad('messageId is required');
    checkContent(body.contentMessage);
    if (body.ttl && body.expireTime) throw bad('only one of ttl and expireTime');
    if (messages.some((item) => item.messageId === messageId)) throw new Refusal(409, 'ALREADY_EXISTS', 'Requested entity already exists');
    messages.push({ phone, messageId, agentId, body });
    return { name: `phones/${phone}/agentMessages/${messageId}`, sendTime: new Date().toISOString(), ...body };
  });
  app.delete('/v1/phones/:phone/agentMessages/:id', async (request) => {
    reach(request);
    const index = messages.findIndex((item) => item.messageId === (request.params as { id: string }).id);
    if (index === -1) throw new Refusal(404, 'NOT_FOUND', 'Requested entity was not found.');
    messages.splice(index, 1);
    return {};
  });
  app.post('/v1/phones/:phone/agentEvents', async (request) => {
    reach(request);
    if (!query(request).eventId) throw bad('eventId is required');
    const event = JSON.parse(String(request.body)) as Record<string, any>;
    if (!['READ', 'IS_TYPING'].includes(event.eventType)) throw bad('eventType is not valid');
    if (event.eventType === 'READ' && !event.messageId) throw bad('READ needs a messageId');
    events.push(event);
    return event;
  });
  app.get('/v1/phones/:phone/capabilities', async (request) => {
    const { phone } = reach(request);
    if (!query(request).requestId) throw bad('requestId is required');
    return {
      name: `phones/${phone}/capabilities`,
      features: options.features ?? ['RICHCARD_STANDALONE', 'RICHCARD_CAROUSEL', 'ACTION_OPEN_URL', 'ACTION_DIAL'],
    };
  });

  async function post(body: string, signature: string | undefined): Promise<{ status: number; body: string }> {
    const headers = { 'content-type': 'application/json', ...(signature ? { 'x-goog-signature': signature } : {}) };
    if (options.deliver) return await options.deliver({ headers, body });
    if (!options.webhookUrl) throw new Error('the sandbox has no webhookUrl');
    const response = await fetch(options.webhookUrl, { method: 'POST', headers, body });
    return { status: response.status, body: await response.text() };
  }

  return {
    app,
    faults,
    conversations,
    messages,
    events,
    serviceAccount: (base) =>
      JSON.stringify({
        type: 'service_account',
        client_email: email,
        private_key: privateKey,
        private_key_id: 'k1',
        token_uri: `${base}/token`,
      }),
    expireTokens: () => tokens.clear(),
    async businessMessages(event) {
      if (typeof event.conversationId === 'string' && !conversations.has(event.conversationId)) conversations.set(event.conversationId, []);
      const body = JSON.stringify({ requestId: randomUUID(), sendTime: new Date().toISOString(), ...event });
      return (await post(body, hmac(options.partnerKey ?? '', body))).status;
    },
    async rcs(agentId, event) {
      const data = JSON.stringify({ agentId: `${agentId}@rbm.goog`, sendTime: new Date().toISOString(), ...event });
      const message = {
        data: Buffer.from(data).toString('base64'),
        messageId: randomUUID(),
        publishTime: new Date().toISOString(),
        attributes: {},
      };
      const body = JSON.stringify({ message, subscription: 'projects/rcs/subscriptions/webhook' });
      return (await post(body, hmac(options.agents?.[agentId]?.clientToken ?? '', data))).status;
    },
    async verifyWebhook(clientToken) {
      const secret = randomBytes(12).toString('hex');
      const response = await post(JSON.stringify({ clientToken, secret }), undefined);
      return response.status === 200 && response.body === secret;
    },
  };
}

function hmac(key: string, content: string): string {
  return createHmac('sha512', key).update(content).digest('base64');
}

function checkContent(content: Record<string, any> | undefined): void {
  if (!content) throw bad('contentMessage is required');
  const kinds = ['text', 'contentInfo', 'uploadedRbmFile', 'richCard'].filter((kind) => content[kind] !== undefined);
  if (kinds.length !== 1) throw bad('contentMessage needs exactly one of text, contentInfo, uploadedRbmFile, richCard');
  if (typeof content.text === 'string' && (content.text.length === 0 || [...content.text].length > 3072))
    throw bad('text must have 1 to 3072 characters');
  if (content.contentInfo && !/^https?:\/\//.test(content.contentInfo.fileUrl ?? '')) throw bad('fileUrl must be a public address');
  if ((content.suggestions?.length ?? 0) > 11) throw bad('at most 11 suggestions');
  checkSuggestions(content.suggestions);
  const { standaloneCard, carouselCard } = content.richCard ?? {};
  if (content.richCard && !standaloneCard && !carouselCard) throw bad('richCard needs standaloneCard or carouselCard');
  const cards: Record<string, any>[] = carouselCard
    ? (carouselCard.cardContents ?? [])
    : standaloneCard
      ? [standaloneCard.cardContent ?? {}]
      : [];
  if (carouselCard && (cards.length < 2 || cards.length > 10)) throw bad('a carousel has 2 to 10 cards');
  for (const card of cards) {
    if (!card.title && !card.description && !card.media) throw bad('a card needs title, description or media');
    if ((card.suggestions?.length ?? 0) > 4) throw bad('a card has at most 4 suggestions');
    checkSuggestions(card.suggestions);
  }
}

function checkSuggestions(suggestions: Record<string, any>[] | undefined): void {
  for (const item of suggestions ?? []) {
    const inner = item.reply ?? item.action;
    if (!inner?.text || [...inner.text].length > 25) throw bad('a suggestion has 1 to 25 characters');
    if (!inner.postbackData) throw bad('a suggestion needs postbackData');
  }
}
