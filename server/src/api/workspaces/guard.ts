/** Who may call what: every route of this surface names one scope, and is refused at start without it. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { notFound, PatchbayError } from '../../model/errors.ts';
import { allows, type Scope } from '../../model/scopes.ts';
import type { Authenticator, Principal } from '../auth.ts';
import { ErrorAnswer } from './schemas/common.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What a key needs for this route. */
    scope?: Scope;
  }
}

/** Lets nobody in without a key of this workspace that has the route's scope, and writes all that into the reference. */
export function guard(app: FastifyInstance, auth: Authenticator): void {
  app.addHook('onRoute', (route) => {
    const scope = route.config?.scope;
    if (!scope) throw new Error(`${route.method} ${route.url} names no scope`);
    const description = [route.schema?.description, `Scope: \`${scope}\`.`].filter(Boolean).join('\n\n');
    route.schema = {
      ...route.schema,
      description,
      security: [{ apiKey: [scope] }, { accessKey: [scope] }, { session: [] }],
      response: { '4xx': ErrorAnswer, ...(route.schema?.response as object) },
    };
  });
  app.addHook('onRequest', async (request) => {
    request.principal = await callerOf(auth, request);
    const { workspaceId } = request.params as { workspaceId: string };
    if (workspaceId.toLowerCase() !== request.principal.workspaceId) throw notFound('workspace');
    const scope = request.routeOptions.config.scope;
    if (scope && !allows(request.principal.scopes, scope)) {
      throw new PatchbayError('forbidden', `API key lacks required scope: ${scope}`);
    }
    // PostgreSQL has no place for NUL in text.
    if (request.url.includes('%00')) throw new PatchbayError('invalid', 'the address holds a NUL character');
  });
}

async function callerOf(auth: Authenticator, request: FastifyRequest): Promise<Principal> {
  const principal = await auth.identify(request);
  if (!principal) throw new PatchbayError('unauthorized', 'give a key: Authorization: AccessKey ak_…');
  return principal;
}
