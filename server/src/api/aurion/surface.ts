/** The Aurion surface (000_c0c3f1f19b864edf.txt): `/api/v2/…`, and its webhooks under `/api/v1`. */

import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Engine } from '../../engine/engine.ts';
import { type FieldProblem, notFound, PatchbayError } from '../../model/errors.ts';
import { allows } from '../../model/scopes.ts';
import type { Authenticator } from '../auth.ts';
import { onFirstUse } from '../compilers.ts';
import { addIdempotency, IDEMPOTENCY_STATUS } from '../idempotency.ts';
import { acceptJson } from '../json-body.ts';
import { type Refusal, refusalOf } from '../refusal.ts';
import { limitRequests } from '../request-limit.ts';
import { typed } from '../typed.ts';
import { strictly } from '../validation.ts';
import { registerConversations } from './conversations.ts';
import { registerEmailChannels } from './email-channels.ts';
import { registerSavedReplies } from './saved-replies.ts';
import { registerTemplates } from './templates.ts';
import { registerWebhooks } from './webhooks.ts';
import { registerWhatsAppChannels } from './whatsapp-channels.ts';

const CODES: Partial<Record<string, string>> = {
  invalid: 'validation_error',
  unauthorized: 'unauthorized',
  forbidden: 'forbidden',
  'not-found': 'not_found',
  conflict: 'conflict',
  precondition: 'bad_request',
  'rate-limited': 'rate_limit_exceeded',
  'window-closed': 'window_closed',
  'opted-out': 'opted_out',
  internal: 'internal_error',
};

export function registerAurion(app: FastifyInstance, engine: Engine, auth: Authenticator): void {
  app.register(
    async (scope) => {
      const areaOf = (request: FastifyRequest) => (request.url.startsWith('/api/v2/conversations') ? 'conversations' : 'channels');
      await prepare(scope, engine, auth, (request) => `${areaOf(request)}:${isRead(request) ? 'read' : 'write'}`);
      const routes = typed(scope);
      registerConversations(routes, engine);
      registerEmailChannels(routes, engine);
      registerWhatsAppChannels(routes, engine);
      registerTemplates(routes, engine);
      registerSavedReplies(routes, engine);
    },
    { prefix: '/api/v2' },
  );
  app.register(
    async (scope) => {
      // Neighbours that are not served here are simply not there, whatever the key may do.
      await prepare(scope, engine, auth, (request) => (request.is404 ? undefined : `webhooks:${isRead(request) ? 'read' : 'manage'}`));
      registerWebhooks(typed(scope), engine);
    },
    { prefix: '/api/v1' },
  );
}

/** Who calls, what they may, how errors are said. */
async function prepare(
  scope: FastifyInstance,
  engine: Engine,
  auth: Authenticator,
  neededOf: (request: FastifyRequest) => string | undefined,
): Promise<void> {
  acceptJson(scope);
  scope.setValidatorCompiler(onFirstUse(strictly));
  scope.setErrorHandler(answerError);
  scope.setNotFoundHandler((request, reply) => answerError(notFound('resource'), request, reply));
  scope.addHook('onRequest', async (request) => {
    const principal = await auth.identify(request);
    if (!principal) throw new PatchbayError('unauthorized', 'Invalid or missing API key');
    request.principal = principal;
    const needed = neededOf(request);
    if (needed && !may(principal.scopes, needed)) throw new PatchbayError('forbidden', `API key lacks required scope: ${needed}`);
  });
  await limitRequests(scope);
  addIdempotency(scope, engine, {
    refusal: (problem, message) => {
      if (problem === 'other-payload') return { status: 409, body: { error: 'idempotency_conflict', message } };
      return { status: IDEMPOTENCY_STATUS[problem], body: { error: problem === 'in-flight' ? 'conflict' : 'bad_request', message } };
    },
  });
}

/** The document gives reading to `channels:read` and to nothing else; a write scope alone does not read here. */
function may(scopes: string[], needed: string): boolean {
  return needed === 'channels:read' ? scopes.includes('*') || scopes.includes(needed) : allows(scopes, needed);
}

function isRead(request: FastifyRequest): boolean {
  return request.method === 'GET' || request.method === 'HEAD';
}

/** What is wrong with a field says which one it is. */
function messageOf({ message, problems: [first] }: Refusal): string {
  return first && first.message === message && /^[a-z]/.test(message) ? `${first.field} ${message}` : message;
}

/** One line for each field. */
function firstOfEach(problems: FieldProblem[]): FieldProblem[] {
  return problems.filter((problem, at) => problems.findIndex(({ field }) => field === problem.field) === at);
}

/** Errors as the product's older guides show them: `{error, message, details?}`. */
function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const refusal = refusalOf(error);
  if (refusal.code === 'internal') request.log.error({ err: error }, 'a request failed');
  if (refusal.code === 'unauthorized') reply.header('www-authenticate', 'Bearer');
  if (refusal.retryAfter !== undefined) reply.header('retry-after', String(refusal.retryAfter));
  return reply
    .code(refusal.status)
    .type('application/json; charset=utf-8')
    .serializer(JSON.stringify)
    .send({
      error: CODES[refusal.code] ?? refusal.code.replaceAll('-', '_'),
      message: messageOf(refusal),
      ...(refusal.status === 422 ? { details: firstOfEach(refusal.problems) } : {}),
      ...(refusal.status === 429 ? { retry_after: refusal.retryAfter } : {}),
    });
}
