/** Stored files, for whoever holds a signed address or a key. */
import type { FastifyInstance } from 'fastify';
import type { Engine } from '../engine/engine.ts';
import { isUuid } from '../model/ids.ts';
import { liveOnes } from '../store/sandbox.ts';
import type { Authenticator } from './auth.ts';

export function registerMedia(app: FastifyInstance, engine: Engine, auth: Authenticator): void {
  app.get<{ Params: { workspaceId: string; id: string }; Querystring: { s?: string } }>(
    '/media/:workspaceId/:id',
    { schema: { hide: true } },
    async (request, reply) => {
      const { workspaceId, id } = request.params;
      if (!isUuid(workspaceId) || !isUuid(id)) return reply.code(404).send();
      if (!engine.media.verify(workspaceId, id, request.query.s ?? '')) {
        const principal = await auth.identify(request);
        if (!principal) return reply.code(403).send();
        if (principal.workspaceId !== workspaceId) return reply.code(404).send();
        if (principal.sandbox && (await liveOnes(engine.database, workspaceId, [id])).size > 0) return reply.code(404).send();
      }
      const { stream, headers } = await engine.media.serve(workspaceId, id);
      return reply.headers(headers).send(stream);
    },
  );
}
