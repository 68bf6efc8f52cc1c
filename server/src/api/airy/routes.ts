/** What every route of the Airy surface shares: who calls, how bodies are read, how errors are said. */
// Adds what documents a route to its schema.
import type {} from '@fastify/swagger';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import Type, { type Static, type TSchema } from 'typebox';
import type { Engine } from '../../engine/engine.ts';
import { type ErrorCode, PatchbayError, ProviderError } from '../../model/errors.ts';
import { allows, type Scope } from '../../model/scopes.ts';
import { isDatabaseAway } from '../../store/database.ts';
import { seeUser } from '../../store/users.ts';
import type { Authenticator, Principal } from '../auth.ts';
import { withoutLive } from './sandbox.ts';
import { ErrorMessage, Nothing } from './schemas.ts';
import { Show } from './show.ts';

/** One request, its body checked. */
export interface Call<Body> {
  body: Body;
  workspaceId: string;
  principal: Principal;
  request: FastifyRequest;
  reply: FastifyReply;
}

export interface RouteOptions<Body extends TSchema> {
  /** What the key must be allowed to do. */
  needs: Scope;
  summary: string;
  body?: Body;
  /** What it answers, for the reference. */
  answer: TSchema;
  /** 200 unless said, and 204 for nothing. */
  status?: number | number[];
}

const UUID_PATTERN = '^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$';
/** An id as clients write it: upper or lower case. */
export const Id = Type.String({ pattern: UUID_PATTERN });
export const Name = Type.String({ minLength: 1, maxLength: 1000 });
export const PageSize = Type.Optional(Type.Integer({ minimum: -2147483648, maximum: 2147483647 }));
export const Cursor = Type.Optional(Type.String({ maxLength: 200 }));

const SEEN_EVERY_MS = 60_000;

export const EMPTY = Type.Object({});

/** Adds routes of the surface; each is a POST with a JSON body, under all its names. */
export class Airy {
  readonly scope: FastifyInstance;
  readonly engine: Engine;
  readonly auth: Authenticator;
  readonly show: Show;
  readonly #seenAt = new Map<string, number>();

  constructor(scope: FastifyInstance, engine: Engine, auth: Authenticator) {
    this.scope = scope;
    this.engine = engine;
    this.auth = auth;
    this.show = new Show(engine);
  }

  post<Body extends TSchema>(
    names: string | string[],
    options: RouteOptions<Body>,
    handler: (call: Call<Static<Body>>) => Promise<unknown>,
  ): void {
    const [first, ...aliases] = [names].flat();
    for (const name of [first!, ...aliases]) {
      this.scope.route({
        method: 'POST',
        url: `/${name}`,
        schema: {
          ...documented(name, options),
          tags: ['Airy'],
          summary: options.summary,
          body: options.body ?? EMPTY,
          hide: name !== first,
        },
        onRequest: (request, reply) => this.#admit(request, reply, options.needs),
        handler: async (request, reply) => {
          const { principal } = request;
          const { workspaceId, sandbox } = principal;
          const body = (sandbox ? await withoutLive(this.engine.database, workspaceId, request.body) : request.body) as Static<Body>;
          return handler({ body, workspaceId, principal, request, reply });
        },
      });
    }
  }

  async #admit(request: FastifyRequest, reply: FastifyReply, needs: Scope): Promise<unknown> {
    const principal = await this.auth.identify(request);
    if (!principal) return reply.code(403).send({ message: 'the API key is missing or wrong' });
    if (!allows(principal.scopes, needs)) throw lacking(needs);
    request.principal = principal;
    await this.#see(principal);
    return undefined;
  }

  /** Notes who works here, now and then. */
  async #see({ workspaceId, keyId, name }: Principal): Promise<void> {
    const now = Date.now();
    if (now - (this.#seenAt.get(keyId) ?? 0) < SEEN_EVERY_MS) return;
    this.#seenAt.set(keyId, now);
    await seeUser(this.engine.database, workspaceId, { id: keyId, name });
  }
}

export function lacking(scope: Scope): PatchbayError {
  return new PatchbayError('forbidden', `the API key lacks the scope ${scope}`);
}

/** What the reference says of a route beside its body. */
function documented(name: string, { needs, answer, status = answer === Nothing ? 204 : 200 }: Omit<RouteOptions<TSchema>, 'body'>) {
  const security: Record<string, string[]>[] = [{ apiKey: [needs] }, { accessKey: [needs] }, { session: [] }];
  const answers = Object.fromEntries([status].flat().map((one) => [one, answer]));
  return {
    operationId: operationId(name),
    description: `Scope: \`${needs}\`.`,
    security,
    response: { ...answers, '4xx': ErrorMessage, 503: ErrorMessage },
  };
}

/** `channels.twilio.sms.connect` → `airyChannelsTwilioSmsConnect`. */
export function operationId(name: string): string {
  return `airy.${name}`.replace(/[.-](\w)/g, (_, letter: string) => letter.toUpperCase());
}

/** Bodies as Airy's clients send them: none at all, `null` for what is left out, names in camel case. */
export function normalise(request: FastifyRequest): void {
  if (request.body === undefined || request.body === null) request.body = {};
  else if (Array.isArray(request.body)) request.body = request.body.map(normaliseObject);
  else request.body = normaliseObject(request.body);
}

function normaliseObject(body: unknown): unknown {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return body;
  const given = Object.entries(body).filter(([, value]) => value !== null);
  const names = new Set(given.map(([name]) => name));
  return Object.fromEntries(
    given.map(([name, value]) => {
      const snake = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
      return [names.has(snake) ? name : snake, value];
    }),
  );
}

const STATUS: Record<ErrorCode, number> = {
  invalid: 400,
  precondition: 400,
  unauthorized: 403,
  forbidden: 403,
  'not-found': 404,
  conflict: 409,
  gone: 404,
  'too-large': 413,
  'rate-limited': 429,
  'window-closed': 400,
  'opted-out': 400,
  'not-supported': 400,
  'channel-inactive': 403,
  'setting-missing': 400,
  'provider-refused': 400,
  'provider-unavailable': 503,
  unavailable: 503,
};

/** Classes of a provider's error that say nothing about the request: the same one may work later. */
const PASSING = new Set(['retry', 'rate-limited', 'unknown-outcome']);

/** Every error as `{message}`. */
export function answerError(error: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { status, message } = describe(error);
  if (status >= 500 && status !== 503) request.log.error({ err: error }, 'a request failed');
  if (status === 503) reply.header('retry-after', '5');
  return reply.code(status).send({ message });
}

function describe(error: FastifyError): { status: number; message: string } {
  if (isDatabaseAway(error)) return { status: 503, message: 'the database is away' };
  if (error instanceof PatchbayError) return { status: STATUS[error.code], message: error.message };
  if (error instanceof ProviderError) return { status: PASSING.has(error.class) ? 503 : 400, message: error.message };
  const problem = error.validation?.[0];
  if (problem) {
    const missing = (problem.params as { missingProperty?: string }).missingProperty;
    const field = problem.instancePath.slice(1).replaceAll('/', '.');
    if (missing) return { status: 400, message: `${field ? `${field}.` : ''}${missing} is required` };
    return { status: 400, message: `${field || 'the body'} ${problem.message}` };
  }
  const status = error.statusCode ?? 500;
  return { status, message: status >= 500 ? 'something went wrong here; it is logged' : error.message };
}
