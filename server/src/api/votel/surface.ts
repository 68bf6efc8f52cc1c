/** The Votel surface (002_5d10a91ec407bcfa.txt): `/api/channels` and the objects that channels refer to. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { TSchema } from 'typebox';
import { Value } from 'typebox/value';
import type { Engine } from '../../engine/engine.ts';
import { type FieldProblem, PatchbayError } from '../../model/errors.ts';
import { allows } from '../../model/scopes.ts';
import type { Authenticator } from '../auth.ts';
import { addIdempotency, IDEMPOTENCY_STATUS } from '../idempotency.ts';
import { acceptJson } from '../json-body.ts';
import { type Refusal, refusalOf } from '../refusal.ts';
import { registerChannels } from './channels.ts';
import { registerDomains } from './domains.ts';
import { registerIntegrations } from './integrations.ts';
import { registerNumbers } from './numbers.ts';
import { typed } from './shapes.ts';

export function registerVotel(app: FastifyInstance, engine: Engine, auth: Authenticator): void {
  app.register(
    async (scope) => {
      acceptJson(scope);
      scope.setErrorHandler(answerError);
      scope.setNotFoundHandler((_request, reply) => reply.code(404).send({ detail: 'Not Found' }));
      scope.addHook('onRequest', async (request) => {
        const principal = await auth.identify(request);
        if (!principal) throw new PatchbayError('unauthorized', 'Invalid or missing API key');
        request.principal = principal;
        const needed = request.method === 'GET' || request.method === 'HEAD' ? 'channels:read' : 'channels:write';
        if (!allows(principal.scopes, needed)) throw new PatchbayError('forbidden', `API key missing required scope: ${needed}`);
      });
      // Clients of this product write `null` for what they leave out.
      scope.addHook('preValidation', async (request) => {
        const { body } = request;
        if (typeof body !== 'object' || body === null || Array.isArray(body)) return;
        request.body = Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null));
      });
      addIdempotency(scope, engine, {
        refusal: (problem, message) => {
          const status = IDEMPOTENCY_STATUS[problem];
          const shown = { loc: ['header', 'idempotency-key'], msg: message, type: 'value_error' };
          return { status, body: { detail: status === 422 ? [shown] : message } };
        },
      });
      const routes = typed(scope);
      registerChannels(routes, engine);
      registerIntegrations(routes, engine);
      registerDomains(routes, engine);
      registerNumbers(routes, engine);
    },
    { prefix: '/api' },
  );
}

/** Errors as FastAPI shows them: `{detail}`, and for 422 a list of `{loc, msg, type}`. */
function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const context = (error as { validationContext?: string }).validationContext;
  const refusal = context === 'body' ? everyProblem(error, request) : refusalOf(error);
  if (refusal.code === 'internal') request.log.error({ err: error }, 'a request failed');
  if (refusal.retryAfter !== undefined) reply.header('retry-after', String(refusal.retryAfter));
  reply.code(refusal.status).type('application/json; charset=utf-8').serializer(JSON.stringify);
  if (refusal.status === 422) {
    const where = context === 'querystring' ? 'query' : 'body';
    const problems = refusal.problems.length > 0 ? refusal.problems : [{ field: '', message: refusal.message }];
    return reply.send({ detail: problems.map((problem) => shownProblem(where, problem)) });
  }
  const code = refusal.details.error_code;
  return reply.send({ ...(typeof code === 'string' ? { error_code: code } : {}), detail: refusal.message });
}

/** The server stops at the first field that is wrong; this product names them all, one line each. */
function everyProblem(error: unknown, request: FastifyRequest): Refusal {
  const schema = request.routeOptions.schema?.body as TSchema | undefined;
  const violations = schema ? Value.Errors(schema, request.body) : [];
  const refusal = violations.length > 0 ? refusalOf({ validation: violations }) : refusalOf(error);
  const first = new Map<string, FieldProblem>();
  for (const problem of refusal.problems) if (!first.has(problem.field)) first.set(problem.field, problem);
  return { ...refusal, problems: [...first.values()] };
}

function shownProblem(where: 'body' | 'query', { field, message }: FieldProblem) {
  const path = field === '' || field === 'body' ? [] : field.split('.').map((part) => (/^\d+$/.test(part) ? Number(part) : part));
  const missing = message === 'is required';
  return { loc: [where, ...path], msg: missing ? 'Field required' : message, type: missing ? 'missing' : 'value_error' };
}
