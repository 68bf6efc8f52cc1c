/**
 * `Idempotency-Key` on every write, the same for every surface (draft-ietf-httpapi-idempotency-key-header): the first
 * answer is kept for 24 hours and given again, with `Idempotent-Replayed: true`, to whoever repeats the request.
 */
import { createHash } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Engine } from '../engine/engine.ts';
import { dropIdempotencyKey, keepIdempotentAnswer, sweepIdempotencyKeys, takeIdempotencyKey } from '../store/idempotency.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** The id for what this request makes: the same one when it is carried out again because an earlier run of it died. */
    intendedId?: string;
  }
}

/** Why a request with a key is refused. */
export type IdempotencyProblem =
  /** The key is empty, too long, or not plain text. */
  | 'bad-key'
  /** The key was used for another request. */
  | 'other-payload'
  /** The first request with this key is still running. */
  | 'in-flight';

export interface IdempotencyOptions {
  /** The surface's status and body for a refusal. */
  refusal(problem: IdempotencyProblem, message: string): { status: number; body: unknown };
  /** Whose key it is; undefined: the request has no owner and its key means nothing. Default: the principal. */
  owner?(request: FastifyRequest): { workspaceId: string; id: string } | undefined;
}

/** The statuses of the draft, for surfaces without an opinion of their own. */
export const IDEMPOTENCY_STATUS: Record<IdempotencyProblem, number> = { 'bad-key': 400, 'other-payload': 422, 'in-flight': 409 };

const MESSAGES: Record<IdempotencyProblem, string> = {
  'bad-key': 'the Idempotency-Key must be 1 to 255 printable characters',
  'other-payload': 'this Idempotency-Key was used for another request',
  'in-flight': 'the first request with this Idempotency-Key is still running',
};
const READS = new Set(['GET', 'HEAD', 'OPTIONS']);
const SWEEP_MS = 3_600_000;

interface Held {
  workspaceId: string;
  key: string;
}

interface KeptAnswer {
  body: string;
  contentType: string | undefined;
}

/**
 * Adds the hooks to a surface's scope. To be called after the hook that sets the principal, since hooks run in order.
 * Only answers with a text body are kept; 5xx and 429 are not, so that they can be tried again.
 */
export function addIdempotency(scope: FastifyInstance, engine: Engine, options: IdempotencyOptions): void {
  const held = new WeakMap<FastifyRequest, Held>();
  const ownerOf = options.owner ?? ((request) => request.principal && { workspaceId: request.principal.workspaceId, id: '' });
  let sweptAt = 0;

  scope.addHook('preHandler', async (request, reply) => {
    const header = request.headers['idempotency-key'];
    if (header === undefined || READS.has(request.method)) return;
    const owner = ownerOf(request);
    if (!owner) return;
    const given = typeof header === 'string' ? unquoted(header) : '';
    if (!/^[\x20-\x7e]{1,255}$/.test(given)) return refuse(reply, 'bad-key');
    const key = owner.id ? `${owner.id} ${given}` : given;
    const fingerprint = fingerprintOf(request);
    const earlier = await takeIdempotencyKey(engine.database, owner.workspaceId, key, fingerprint);
    if ('intendedId' in earlier) {
      request.intendedId = earlier.intendedId;
      held.set(request, { workspaceId: owner.workspaceId, key });
      sweep();
      return;
    }
    if (!earlier.fingerprint.equals(fingerprint)) return refuse(reply, 'other-payload');
    if (earlier.status === null || !earlier.response) return refuse(reply, 'in-flight');
    const sealed = Buffer.from(earlier.response.data, 'base64');
    const answer = engine.vault.open(sealed, earlier.response.keyId, contextOf(owner.workspaceId, key)) as KeptAnswer;
    reply.code(earlier.status).header('idempotent-replayed', 'true').serializer(String);
    if (answer.contentType) reply.header('content-type', answer.contentType);
    return reply.send(answer.body || undefined);
  });

  scope.addHook('onSend', async (request, reply, payload) => {
    const own = held.get(request);
    if (!own) return;
    held.delete(request);
    const status = reply.statusCode;
    if (status >= 500 || status === 429 || !(payload === undefined || payload === null || typeof payload === 'string')) {
      await dropIdempotencyKey(engine.database, own.workspaceId, own.key);
      return;
    }
    const type = reply.getHeader('content-type');
    // Sealed: some answers show a secret that is shown nowhere else.
    const answer: KeptAnswer = { body: payload ?? '', contentType: typeof type === 'string' ? type : undefined };
    const sealed = engine.vault.seal(answer, contextOf(own.workspaceId, own.key));
    const response = { data: sealed.data.toString('base64'), keyId: sealed.keyId };
    await keepIdempotentAnswer(engine.database, own.workspaceId, own.key, { status, response });
  });

  function refuse(reply: FastifyReply, problem: IdempotencyProblem): FastifyReply {
    const { status, body } = options.refusal(problem, MESSAGES[problem]);
    return reply.code(status).send(body);
  }

  function sweep(): void {
    if (Date.now() - sweptAt < SWEEP_MS) return;
    sweptAt = Date.now();
    sweepIdempotencyKeys(engine.database).catch((error) => engine.log.warn({ err: error }, 'old idempotency keys could not be swept'));
  }
}

/** The draft writes the key as a quoted string; most clients send it bare. Both are the same key. */
function unquoted(header: string): string {
  const quoted = /^"((?:[^"\\]|\\["\\])*)"$/.exec(header)?.[1];
  return quoted === undefined ? header : quoted.replace(/\\(["\\])/g, '$1');
}

function contextOf(workspaceId: string, key: string): string {
  return `idempotency ${workspaceId} ${key}`;
}

/** Two requests are the same when they ask the same of the same address; a file upload is told by its size. */
function fingerprintOf(request: FastifyRequest): Buffer {
  const body = request.body === undefined ? `${request.headers['content-length'] ?? ''}` : JSON.stringify(request.body);
  return createHash('sha256').update(`${request.method} ${request.url}\n${body}`).digest();
}
