/** A stand-in for Twilio: the REST, Messaging and Content APIs on one address, signed webhooks, and customers who write. */
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { FaultPlan } from '../common/fault-plan.ts';
import { Customer } from './customer.ts';
import { createMessage, findMessage, listMessages, messageJson, windowProblem } from './messages.ts';
import {
  accountJson,
  buyNumber,
  contentJson,
  createContent,
  findContent,
  listContents,
  listNumbers,
  listSenders,
  numberJson,
  offerNumbers,
  requestApproval,
  senderJson,
  updateNumber,
  updateSender,
} from './resources.ts';
import { newAccount, newNumber, newSender, notFound, Refusal, type SandboxAccount, type SandboxMessage } from './state.ts';
import { type Delivery, deliver, type Post } from './webhooks.ts';

export interface TwilioSandboxOptions {
  accountSid?: string;
  authToken?: string;
  /** Numbers of the account for SMS, with what they cannot do. */
  numbers?: (string | { phoneNumber: string; sms?: boolean; mms?: boolean; voice?: boolean })[];
  /** Numbers of the account for WhatsApp. */
  senders?: string[];
  /** Every account and every number exists: for channels that are only tried out. */
  open?: boolean;
  /** Stops after `queued`: the rest of a message's life is told with `advance`. */
  manual?: boolean;
  /** Free WhatsApp messages are taken at any time: for a caller who keeps the window itself. */
  anytime?: boolean;
  /** How webhooks travel; over HTTP unless told. */
  post?: Post;
  now?: () => Date;
}

export interface TwilioSandbox {
  app: FastifyInstance;
  /** The first account. */
  account: SandboxAccount;
  faults: FaultPlan;
  customer: Customer;
  /** Customers of another account of an open stand-in; undefined until the account was used. */
  customerOf(accountSid: string): Customer | undefined;
  /** Makes an account and a number of an open stand-in exist whose webhook is there already. */
  point(accountSid: string, address: string, webhookUrl: string): void;
  /** Every webhook call so far. */
  deliveries: Delivery[];
  /** Moves a message on and tells its status callback. */
  advance(sid: string, status: string, errorCode?: number, errorMessage?: string): Promise<Delivery | undefined>;
  /** Resolves once every webhook call under way has ended. */
  settled(): Promise<void>;
}

interface Answer {
  status: number;
  body?: unknown;
  bytes?: { type: string; data: Buffer };
}

interface Call {
  account: SandboxAccount;
  id: string;
  sub: string;
  query: URLSearchParams;
  form: URLSearchParams;
  json: unknown;
  path: string;
}

type Handler = (call: Call) => Answer;

const ACCOUNT = '/2010-04-01/Accounts/(AC[0-9a-fA-F]{32})';

/** Builds the stand-in; it listens nowhere until `app.listen`, and can be mounted or injected. */
export function createTwilioSandbox(options: TwilioSandboxOptions = {}): TwilioSandbox {
  const now = options.now ?? (() => new Date());
  const accounts = new Map<string, SandboxAccount>();
  const account = newAccount(options.accountSid ?? `AC${'0'.repeat(32)}`, options.authToken ?? 'sandbox-auth-token');
  accounts.set(account.sid, account);
  for (const item of options.numbers ?? []) {
    if (typeof item === 'string') account.numbers.push(newNumber(item));
    else {
      const { phoneNumber, ...abilities } = item;
      account.numbers.push(newNumber(phoneNumber, abilities));
    }
  }
  for (const item of options.senders ?? []) account.senders.push(newSender(item));

  const faults = new FaultPlan();
  const deliveries: Delivery[] = [];
  const pending = new Set<Promise<unknown>>();
  const track = async <T>(work: Promise<T>): Promise<T> => {
    pending.add(work);
    try {
      return await work;
    } finally {
      pending.delete(work);
    }
  };
  const send = async (address: string, parameters: Record<string, string>, token: string): Promise<Delivery> => {
    const delivery = await track(deliver(address, parameters, token, options.post));
    deliveries.push(delivery);
    return delivery;
  };

  async function tell(owner: SandboxAccount, message: SandboxMessage): Promise<Delivery | undefined> {
    const sender = owner.senders.find((item) => item.sender_id === message.from);
    const address = message.statusCallback ?? sender?.webhook.status_callback_url;
    return address ? await send(address, statusParameters(owner, message), owner.authToken) : undefined;
  }

  async function live(owner: SandboxAccount, message: SandboxMessage, problem: [number, string] | undefined): Promise<void> {
    const steps = problem ? ['failed'] : ['sent', 'delivered'];
    for (const status of steps) {
      message.status = status;
      if (status === 'sent') message.sent = now();
      if (problem) [message.errorCode, message.errorMessage] = problem;
      await tell(owner, message);
    }
  }

  function ensure(owner: SandboxAccount, address: string | null): void {
    if (!options.open || !address) return;
    const bare = address.replace(/^whatsapp:/, '');
    if (address.startsWith('whatsapp:') && !owner.senders.some((item) => item.sender_id === address)) owner.senders.push(newSender(bare));
    if (/^\+\d+$/.test(address) && !owner.numbers.some((item) => item.phone_number === address)) owner.numbers.push(newNumber(address));
  }

  const ok = (body: unknown, status = 200) => ({ status, body });
  const routes: [method: string, pattern: RegExp, handler: Handler][] = [
    ['GET', new RegExp(`^${ACCOUNT}\\.json$`), ({ account: owner }) => ok(accountJson(owner))],
    [
      'GET',
      new RegExp(`^${ACCOUNT}/IncomingPhoneNumbers\\.json$`),
      ({ account: owner, query }) => {
        ensure(owner, query.get('PhoneNumber'));
        return ok(listNumbers(owner, query));
      },
    ],
    [
      'GET',
      new RegExp(`^${ACCOUNT}/AvailablePhoneNumbers/([A-Z]{2})/Local\\.json$`),
      ({ account: owner, id, query }) => ok(offerNumbers(owner, id, query)),
    ],
    ['POST', new RegExp(`^${ACCOUNT}/IncomingPhoneNumbers\\.json$`), ({ account: owner, form }) => ok(buyNumber(owner, form), 201)],
    [
      'DELETE',
      new RegExp(`^${ACCOUNT}/IncomingPhoneNumbers/(PN\\w{32})\\.json$`),
      ({ account: owner, id, path }) => {
        const index = owner.numbers.findIndex((item) => item.sid === id);
        if (index < 0) throw notFound(path);
        owner.numbers.splice(index, 1);
        return { status: 204 };
      },
    ],
    [
      'GET',
      new RegExp(`^${ACCOUNT}/IncomingPhoneNumbers/(PN\\w{32})\\.json$`),
      ({ account: owner, id, path }) => {
        const number = owner.numbers.find((item) => item.sid === id);
        if (!number) throw notFound(path);
        return ok(numberJson(owner, number));
      },
    ],
    [
      'POST',
      new RegExp(`^${ACCOUNT}/IncomingPhoneNumbers/(PN\\w{32})\\.json$`),
      ({ account: owner, id, form }) => ok(updateNumber(owner, id, form)),
    ],
    [
      'POST',
      new RegExp(`^${ACCOUNT}/Messages\\.json$`),
      ({ account: owner, form }) => {
        ensure(owner, form.get('From'));
        const message = createMessage(owner, form, now());
        const answer = messageJson(owner, message);
        if (!options.manual && message.status !== 'scheduled') {
          const problem = options.anytime ? undefined : windowProblem(owner, message, form, now());
          setImmediate(() => void track(live(owner, message, problem)));
        }
        return ok(answer, 201);
      },
    ],
    ['GET', new RegExp(`^${ACCOUNT}/Messages\\.json$`), ({ account: owner, query }) => ok(listMessages(owner, query))],
    [
      'GET',
      new RegExp(`^${ACCOUNT}/Messages/((?:SM|MM)\\w{32})\\.json$`),
      ({ account: owner, id, path }) => ok(messageJson(owner, findMessage(owner, id, path))),
    ],
    [
      'POST',
      new RegExp(`^${ACCOUNT}/Messages/((?:SM|MM)\\w{32})\\.json$`),
      ({ account: owner, id, path, form }) => {
        const message = findMessage(owner, id, path);
        if (form.get('Status') === 'canceled') {
          if (message.status !== 'scheduled') throw new Refusal(400, 30409, 'Message is not in scheduled state');
          message.status = 'canceled';
        }
        if (form.get('Body') === '') message.body = '';
        return ok(messageJson(owner, message));
      },
    ],
    [
      'DELETE',
      new RegExp(`^${ACCOUNT}/Messages/((?:SM|MM)\\w{32})\\.json$`),
      ({ account: owner, id, path }) => {
        owner.messages.splice(owner.messages.indexOf(findMessage(owner, id, path)), 1);
        return { status: 204 };
      },
    ],
    [
      'GET',
      new RegExp(`^${ACCOUNT}/Messages/((?:SM|MM)\\w{32})/Media\\.json$`),
      ({ account: owner, id, path }) => {
        const message = findMessage(owner, id, path);
        return ok({
          media_list: message.media.map((item) => ({
            sid: item.sid,
            account_sid: owner.sid,
            parent_sid: message.sid,
            content_type: item.type,
            uri: `/2010-04-01/Accounts/${owner.sid}/Messages/${message.sid}/Media/${item.sid}.json`,
          })),
          next_page_uri: null,
        });
      },
    ],
    [
      'GET',
      new RegExp(`^${ACCOUNT}/Messages/((?:SM|MM)\\w{32})/Media/(ME\\w{32})$`),
      ({ account: owner, id, sub, path }) => {
        const media = findMessage(owner, id, path).media.find((item) => item.sid === sub);
        if (!media) throw notFound(path);
        return { status: 200, bytes: { type: media.type, data: media.data } };
      },
    ],
    ['GET', /^\/v2\/Channels\/Senders$/, ({ account: owner }) => ok(listSenders(owner))],
    [
      'GET',
      /^\/v2\/Channels\/Senders\/()(XE\w{32})$/,
      ({ account: owner, id, path }) => {
        const sender = owner.senders.find((item) => item.sid === id);
        if (!sender) throw notFound(path);
        return ok(senderJson(sender));
      },
    ],
    ['POST', /^\/v2\/Channels\/Senders\/()(XE\w{32})$/, ({ account: owner, id, json }) => ok(updateSender(owner, id, json), 202)],
    [
      'POST',
      /^\/v2\/Indicators\/Typing\.json$/,
      ({ account: owner, form }) => {
        const sid = form.get('messageId') ?? '';
        if (form.get('channel') !== 'whatsapp' || !owner.messages.some((item) => item.sid === sid))
          throw new Refusal(400, 20001, 'messageId is not valid');
        owner.typing.push(sid);
        return ok({ success: true });
      },
    ],
    ['POST', /^\/v1\/Content$/, ({ account: owner, json }) => ok(createContent(owner, json, now()), 201)],
    ['GET', /^\/v1\/Content$/, ({ account: owner, query, path }) => ok(listContents(owner, query, path, false))],
    ['GET', /^\/v1\/ContentAndApprovals$/, ({ account: owner, query, path }) => ok(listContents(owner, query, path, true))],
    ['GET', /^\/v1\/Content\/()(HX\w{32})$/, ({ account: owner, id }) => ok(contentJson(owner, findContent(owner, id)))],
    [
      'DELETE',
      /^\/v1\/Content\/()(HX\w{32})$/,
      ({ account: owner, id }) => {
        owner.contents.splice(owner.contents.indexOf(findContent(owner, id)), 1);
        return { status: 204 };
      },
    ],
    [
      'GET',
      /^\/v1\/Content\/()(HX\w{32})\/ApprovalRequests$/,
      ({ account: owner, id }) =>
        ok({
          sid: id,
          account_sid: owner.sid,
          whatsapp: findContent(owner, id).approval,
          url: `https://content.twilio.com/v1/Content/${id}/ApprovalRequests`,
        }),
    ],
    [
      'POST',
      /^\/v1\/Content\/()(HX\w{32})\/ApprovalRequests\/whatsapp$/,
      ({ account: owner, id, json }) => ok(requestApproval(owner, id, json), 201),
    ],
  ];

  function authenticate(request: FastifyRequest): SandboxAccount {
    const [sid = '', token = ''] = Buffer.from((request.headers.authorization ?? '').replace(/^Basic /i, ''), 'base64')
      .toString()
      .split(':');
    if (options.open && /^AC[0-9a-fA-F]{32}$/.test(sid) && !accounts.has(sid)) accounts.set(sid, newAccount(sid, token));
    const owner = accounts.get(sid);
    if (!owner || owner.authToken !== token) throw new Refusal(401, 20003, 'Authenticate');
    if (owner.status !== 'active' && request.method !== 'GET') throw new Refusal(403, 20005, 'Account is not active');
    return owner;
  }

  async function answer(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const url = new URL(request.url, 'http://sandbox');
    const fault = faults.take({ method: request.method, path: url.pathname });
    if (fault?.kind === 'down') return void request.raw.socket.destroy();
    if (fault?.kind === 'answer') {
      await reply
        .code(fault.status ?? 500)
        .headers(fault.headers ?? {})
        .send(fault.body ?? '');
      return;
    }
    const result = handle(request, url);
    if (fault?.kind === 'lost') return void request.raw.socket.destroy();
    reply.code(result.status);
    await (result.bytes ? reply.type(result.bytes.type).send(result.bytes.data) : reply.send(result.body));
  }

  function handle(request: FastifyRequest, url: URL): Answer {
    try {
      const owner = authenticate(request);
      for (const [method, pattern, handler] of routes) {
        const match = method === request.method ? pattern.exec(url.pathname) : null;
        if (!match) continue;
        if (match[1] && match[1] !== owner.sid) throw notFound(url.pathname);
        const body = (request.body as string | undefined) ?? '';
        const json = request.headers['content-type']?.startsWith('application/json') ? (JSON.parse(body || 'null') as unknown) : undefined;
        return handler({
          account: owner,
          id: match[2] ?? '',
          sub: match[3] ?? '',
          query: url.searchParams,
          form: new URLSearchParams(json === undefined ? body : ''),
          json,
          path: url.pathname,
        });
      }
      throw notFound(url.pathname);
    } catch (error) {
      if (error instanceof Refusal) return { status: error.status, body: error.toJSON() };
      throw error;
    }
  }

  const app = Fastify();
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));
  app.all('/*', answer);

  return {
    app,
    account,
    faults,
    deliveries,
    customer: new Customer(account, send, now),
    customerOf(accountSid) {
      const owner = accounts.get(accountSid);
      return owner && new Customer(owner, send, now);
    },
    point(accountSid, address, webhookUrl) {
      const owner = accounts.get(accountSid);
      if (!owner) return;
      ensure(owner, address);
      for (const number of owner.numbers) if (number.phone_number === address) number.sms_url ||= webhookUrl;
      for (const sender of owner.senders) if (sender.sender_id === address) sender.webhook.callback_url ||= webhookUrl;
    },
    async advance(sid, status, errorCode, errorMessage) {
      const message = findMessage(account, sid, sid);
      message.status = status;
      message.errorCode = errorCode ?? null;
      message.errorMessage = errorMessage ?? null;
      if (status !== 'queued' && !message.sent) message.sent = now();
      return await tell(account, message);
    },
    async settled() {
      while (pending.size > 0) await Promise.allSettled(pending);
    },
  };
}

function statusParameters(account: SandboxAccount, message: SandboxMessage): Record<string, string> {
  const whatsapp = message.from.startsWith('whatsapp:');
  return {
    ...(message.errorCode === null ? {} : { ErrorCode: String(message.errorCode), ErrorMessage: message.errorMessage ?? '' }),
    ...(whatsapp ? { ChannelPrefix: 'whatsapp', EventType: message.status.toUpperCase() } : {}),
    SmsSid: message.sid,
    SmsStatus: message.status,
    MessageStatus: message.status,
    To: message.to,
    MessageSid: message.sid,
    AccountSid: account.sid,
    From: message.from,
    ApiVersion: '2010-04-01',
  };
}
