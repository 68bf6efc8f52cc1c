/**
 * Consent in the browser (OAuth) for channels that need it: a page asks for the address (workspaces/consent.ts), or a link
 * leads there at once; the provider sends the browser back to one address for all channels.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type ConsentAnswer, finishConsent, startConsent } from '../engine/consent.ts';
import type { Engine } from '../engine/engine.ts';
import { notFound, PatchbayError } from '../model/errors.ts';
import { isUuid } from '../model/ids.ts';
import { allows } from '../model/scopes.ts';
import type { Authenticator, Principal } from './auth.ts';
import { refusalOf } from './refusal.ts';

/** Ties the way back to the browser that began it. */
const COOKIE = 'patchbay_consent';
const SECONDS = 600;

export function registerConsent(app: FastifyInstance, engine: Engine, auth: Authenticator): void {
  app.register(async (scope) => {
    scope.setErrorHandler(answerError);

    scope.get('/oauth/start/:channelId', { schema: { hide: true } }, async (request, reply) => {
      const { channelId } = request.params as { channelId: string };
      return reply.redirect(await beginConsent(engine, await authorised(request), channelId, reply));
    });

    scope.get('/oauth/callback', { schema: { hide: true } }, async (request, reply) => {
      const { channelId, problem } = await finishConsent(engine, answerOf(request.query), request.cookies[COOKIE]);
      reply.clearCookie(COOKIE, { path: '/oauth' });
      const outcome = new URLSearchParams(
        problem === undefined ? { consent: 'granted' } : { consent: 'refused', reason: problem.slice(0, 500) },
      );
      return reply.redirect(`/channels/${channelId}?${outcome}`);
    });
  });

  async function authorised(request: FastifyRequest): Promise<Principal> {
    const principal = await auth.identify(request);
    if (!principal) throw new PatchbayError('unauthorized', 'Invalid or missing API key');
    if (!allows(principal.scopes, 'channels:write')) throw new PatchbayError('forbidden', 'API key lacks required scope: channels:write');
    return principal;
  }
}

/** Where the person goes; this browser is remembered. Throws as `startConsent` does. */
export async function beginConsent(engine: Engine, principal: Principal, channelId: string, reply: FastifyReply): Promise<string> {
  if (!isUuid(channelId)) throw notFound('channel');
  const started = await startConsent(engine, principal.workspaceId, channelId, principal.via === 'session');
  reply.setCookie(COOKIE, started.browserSecret, {
    path: '/oauth',
    httpOnly: true,
    sameSite: 'lax',
    secure: engine.config.publicUrl.startsWith('https:'),
    maxAge: SECONDS,
  });
  return started.url;
}

function answerOf(query: unknown): ConsentAnswer {
  const { state, code, error, error_description } = query as Record<string, unknown>;
  const text = (value: unknown) => (typeof value === 'string' ? value : undefined);
  return { state: text(state), code: text(code), error: text(error), error_description: text(error_description) };
}

function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const refusal = refusalOf(error);
  if (refusal.code === 'internal') request.log.error({ err: error }, 'a request failed');
  if (refusal.retryAfter !== undefined) reply.header('retry-after', String(refusal.retryAfter));
  return reply.code(refusal.status).send({ code: refusal.code, message: refusal.message, details: refusal.details });
}
