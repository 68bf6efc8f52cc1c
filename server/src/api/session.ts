/** Signing in to the pages: a key is exchanged for a session cookie that scripts cannot read. */
import type { FastifyInstance } from 'fastify';
import type { Engine } from '../engine/engine.ts';
import { type Authenticator, type Principal, SESSION_COOKIE, SESSION_SECONDS } from './auth.ts';

export function registerSession(app: FastifyInstance, engine: Engine, auth: Authenticator): void {
  const cookie = { path: '/', httpOnly: true, sameSite: 'lax', secure: engine.config.publicUrl.startsWith('https:') } as const;

  app.get('/session', { schema: { hide: true } }, async (request, reply) => {
    const principal = await auth.identify(request);
    if (!principal) return reply.code(401).send({ code: 'unauthorized', message: 'not signed in' });
    return shown(principal);
  });

  app.post<{ Body: { key?: unknown } | null }>('/session', { schema: { hide: true } }, async (request, reply) => {
    const key = request.body?.key;
    const principal = typeof key === 'string' ? await auth.byKey(key.trim()) : undefined;
    if (!principal) return reply.code(401).send({ code: 'unauthorized', message: 'there is no such key' });
    reply.setCookie(SESSION_COOKIE, await auth.openSession(principal), { ...cookie, maxAge: SESSION_SECONDS });
    return shown(principal);
  });

  app.delete('/session', { schema: { hide: true } }, async (_request, reply) => {
    reply.clearCookie(SESSION_COOKIE, cookie);
    return reply.code(204).send();
  });
}

function shown(principal: Principal) {
  const { workspaceId, name, scopes, sandbox } = principal;
  return { workspaceId, name, scopes, sandbox };
}
