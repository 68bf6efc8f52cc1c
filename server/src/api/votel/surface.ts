/** The Votel surface (002_5d10a91ec407bcfa.txt): `/api/channels` and the objects that channels refer to. */
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import Type from 'typebox';
import type { Engine } from '../../engine/engine.ts';
import { type FieldProblem, notFound, PatchbayError } from '../../model/errors.ts';
import { isUuid } from '../../model/ids.ts';
import { allows } from '../../model/scopes.ts';
import type { Authenticator } from '../auth.ts';
import { refusalOf } from '../refusal.ts';
import { registerChannels } from './channels.ts';
import { registerDomains } from './domains.ts';
import { registerIntegrations } from './integrations.ts';
import { registerNumbers } from './numbers.ts';

export type VotelApp = ReturnType<typeof typed>;

function typed(app: FastifyInstance) {
  return app.withTypeProvider<TypeBoxTypeProvider>();
}

export function registerVotel(app: FastifyInstance, engine: Engine, auth: Authenticator): void {
  app.register(
    async (scope) => {
      scope.setErrorHandler(answerError);
      scope.setNotFoundHandler((_request, reply) => reply.code(404).send({ detail: 'Not Found' }));
      scope.addHook('onRequest', async (request) => {
        const principal = await auth.identify(request);
        if (!principal) throw new PatchbayError('unauthorized', 'Invalid or missing API key');
        request.principal = principal;
        const needed = request.method === 'GET' || request.method === 'HEAD' ? 'channels:read' : 'channels:write';
        if (!allows(principal.scopes, needed)) throw new PatchbayError('forbidden', `API key missing required scope: ${needed}`);
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
  const refusal = refusalOf(error);
  if (refusal.code === 'internal') request.log.error({ err: error }, 'a request failed');
  if (refusal.retryAfter !== undefined) reply.header('retry-after', String(refusal.retryAfter));
  reply.code(refusal.status).type('application/json; charset=utf-8').serializer(JSON.stringify);
  if (refusal.status === 422) {
    const where = (error as { validationContext?: string }).validationContext === 'querystring' ? 'query' : 'body';
    const problems = refusal.problems.length > 0 ? refusal.problems : [{ field: '', message: refusal.message }];
    return reply.send({ detail: problems.map((problem) => shownProblem(where, problem)) });
  }
  const code = refusal.details.error_code;
  return reply.send({ ...(typeof code === 'string' ? { error_code: code } : {}), detail: refusal.message });
}

function shownProblem(where: 'body' | 'query', { field, message }: FieldProblem) {
  const path = field === '' || field === 'body' ? [] : field.split('.').map((part) => (/^\d+$/.test(part) ? Number(part) : part));
  const missing = message === 'is required';
  return { loc: [where, ...path], msg: missing ? 'Field required' : message, type: missing ? 'missing' : 'value_error' };
}

/** `page` from 1 and `page_size` (20, at most 100). */
export const Page = {
  page: Type.Integer({ minimum: 1, maximum: 1_000_000, default: 1 }),
  page_size: Type.Integer({ minimum: 1, maximum: 100, default: 20 }),
};

export function rangeOf(query: { page: number; page_size: number }): { limit: number; offset: number } {
  return { limit: query.page_size, offset: (query.page - 1) * query.page_size };
}

export function pageOf(total: number, query: { page: number; page_size: number }) {
  return { total, page: query.page, page_size: query.page_size, total_pages: Math.ceil(total / query.page_size) };
}

export const Id = Type.Object({ id: Type.String() });
export const Name = Type.String({ minLength: 1, maxLength: 200 });
/** Ids of other objects in a body; an empty one is none. */
export const Ref = Type.String({ maxLength: 100 });
export const Metadata = Type.Record(Type.String(), Type.Unknown());

/** What an id names. Throws `not-found` also for what is no id at all. */
export async function found<T>(what: string, id: string, load: (id: string) => Promise<T | undefined>): Promise<T> {
  const row = isUuid(id) ? await load(id.toLowerCase()) : undefined;
  if (row === undefined) throw notFound(what);
  return row;
}

/** Whole seconds, `…Z` (decisions.md B33). */
export function timeOf(date: Date): string {
  return date.toISOString().replace(/\.\d{3}Z$/, 'Z');
}
