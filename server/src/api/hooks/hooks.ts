/** Where providers call in: verified over the raw bytes, durable, then answered. Knows no provider. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Hook, HookRequest } from '../../connectors/connector.ts';
import type { Engine } from '../../engine/engine.ts';
import { takeCall } from '../../engine/hook-calls.ts';
import { PatchbayError } from '../../model/errors.ts';
import { isDatabaseAway } from '../../store/database.ts';

/** Meta sends up to 3 MB, and custom sources may carry files. */
const MAX_BODY_BYTES = 8 * 1024 * 1024;

/** Adds every hook of every provider, under its own path and the ones that existing installations registered. */
export function registerHooks(app: FastifyInstance, engine: Engine): void {
  app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: MAX_BODY_BYTES }, (_request, body, done) => done(null, body));
    scope.setErrorHandler((error, request, reply) => {
      if (isDatabaseAway(error)) return reply.code(503).header('retry-after', '5').send();
      if (error instanceof PatchbayError && error.code === 'setting-missing') {
        request.log.error(error.message);
        return reply.code(403).send({ message: error.message });
      }
      const status = (error as { statusCode?: number }).statusCode ?? 500;
      if (status >= 500) request.log.error({ err: error }, 'a webhook could not be taken');
      return reply.code(status).send();
    });
    for (const hook of engine.registry.hooks) {
      for (const path of [hook.path, ...(hook.aliases ?? [])]) {
        scope.route({
          method: ['GET', 'POST'],
          url: path,
          schema: { hide: true },
          handler: (request, reply) => answer(engine, hook, request, reply),
        });
      }
    }
  });
}

async function answer(engine: Engine, hook: Hook, request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
  const { status, contentType, body } = await takeCall(engine, hook, callOf(engine, request));
  reply.code(status);
  return body === undefined ? reply.send() : reply.type(contentType ?? 'text/plain').send(body);
}

function callOf(engine: Engine, request: FastifyRequest): HookRequest {
  const query = request.query as Record<string, string | string[]>;
  return {
    method: request.method,
    url: engine.config.publicUrl + request.raw.url,
    path: request.url.split('?')[0]!,
    query: Object.fromEntries(Object.entries(query).map(([name, value]) => [name, Array.isArray(value) ? value[0]! : value])),
    headers: Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value]),
    ),
    body: Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0),
  };
}
