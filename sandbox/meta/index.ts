/**
 * A stand-in for the Graph API: as strict as Meta where it matters, with customers who write, and with faults on demand.
 * Listens by itself (`app.listen`), or answers in-process (`app.inject`).
 */
import fastifyMultipart from '@fastify/multipart';
import Fastify, { type FastifyInstance } from 'fastify';
import { controlRoutes } from './control.ts';
import { PageCustomer, WhatsAppCustomer, type WhatsAppPerson } from './customer.ts';
import { GraphError } from './errors.ts';
import { type Faults, noFaults } from './faults.ts';
import { graphRoutes } from './graph-routes.ts';
import { META_LIMITS, type RateLimits, Throttle } from './limits.ts';
import { MetaState, type Seed } from './state.ts';
import { type Deliver, Webhooks } from './webhooks.ts';

export interface MetaSandboxOptions extends Seed {
  /** Where webhooks go: an address, or a function that takes them in-process. */
  webhook?: string | Deliver;
  limits?: RateLimits;
  /** The clock, in milliseconds. */
  now?: () => number;
  logger?: boolean;
}

export interface MetaSandbox {
  app: FastifyInstance;
  state: MetaState;
  faults: Faults;
  webhooks: Webhooks;
  /** Sends webhooks to another address from now on. */
  pointTo(webhook: string | Deliver): void;
  whatsappCustomer(number: string, person: WhatsAppPerson): WhatsAppCustomer;
  /** `account`: a page's id, or that of its Instagram account. */
  pageCustomer(account: string, id?: string): PageCustomer;
}

/** What every route works with. */
export interface Sandbox extends Omit<MetaSandbox, 'app'> {
  throttle: Throttle;
  now(): number;
}

/** Makes one stand-in; nothing is shared between two of them. */
export function createMetaSandbox(options: MetaSandboxOptions = {}): MetaSandbox {
  const state = new MetaState(options);
  const faults = noFaults();
  const now = options.now ?? Date.now;
  let deliver = deliverTo(options.webhook);
  const webhooks = new Webhooks(state, faults, (request) => deliver(request));
  const world = { state, webhooks, now };
  const sandbox: Sandbox = {
    state,
    faults,
    webhooks,
    now,
    throttle: new Throttle(options.limits ?? META_LIMITS),
    pointTo: (webhook) => {
      deliver = deliverTo(webhook);
    },
    whatsappCustomer: (number, person) => new WhatsAppCustomer(world, number, person),
    pageCustomer: (account, id) => {
      const page = state.page(account);
      if (!page) throw new Error(`The sandbox has no page or Instagram account ${account}`);
      return new PageCustomer(world, page, account, id);
    },
  };
  const app = Fastify({ logger: options.logger ?? false, bodyLimit: 110 * 1024 * 1024, routerOptions: { maxParamLength: 500 } });
  app.register(fastifyMultipart, { limits: { fileSize: 100 * 1024 * 1024 } });
  app.setErrorHandler((error, _request, reply) => {
    const told =
      error instanceof GraphError
        ? error
        : new GraphError(400, 100, `(#100) ${error instanceof Error ? error.message : 'Invalid request'}`);
    return reply.status(told.status).headers(told.headers).send(told.body());
  });
  app.setNotFoundHandler((request, reply) =>
    reply.status(400).send(new GraphError(400, 2500, `Unknown path components: ${request.url.split('?')[0]}`).body()),
  );
  app.register(controlRoutes(sandbox));
  app.register(graphRoutes(sandbox));
  return { app, ...sandbox };
}

function deliverTo(webhook: string | Deliver | undefined): Deliver {
  if (typeof webhook === 'function') return webhook;
  if (webhook === undefined) return async () => 200;
  return async ({ headers, body }) => {
    const answer = await fetch(webhook, { method: 'POST', headers, body, redirect: 'error' });
    await answer.arrayBuffer();
    return answer.status;
  };
}
