/** Where providers call in: verified over the raw bytes, durable, then answered. Knows no provider. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { ChannelView, Hook, HookRequest, RawEvent } from '../../connectors/connector.ts';
import type { Engine } from '../../engine/engine.ts';
import { PatchbayError } from '../../model/errors.ts';
import { channelsByAddress } from '../../store/channels.ts';
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
  const call = callOf(engine, request);
  const config = engine.config.providers;
  const handshake = hook.handshake?.(call, config);
  if (handshake)
    return reply
      .code(handshake.status)
      .type(handshake.contentType ?? 'text/plain')
      .send(handshake.body ?? '');
  if (request.method === 'GET' && call.body.length === 0 && !hook.claims) return reply.code(403).send();
  const channels = await claimedChannels(engine, hook, call);
  const verdict = await hook.verify(call, { config, channels, http: engine.http });
  if (verdict !== 'ok') {
    request.log.warn({ hook: hook.path, verdict }, 'a webhook was refused: its signature is not right');
    return reply.code(verdict === 'missing' ? 401 : 403).send();
  }
  await engine.ingest.submit(unpacked(hook, call));
  const answered = hook.reply ?? { status: 200 };
  return reply
    .code(answered.status)
    .type(answered.contentType ?? 'text/plain')
    .send(answered.body ?? '');
}

/** What nobody can read is kept whole, to be listed and replayed after a fix. */
function unpacked(hook: Hook, call: HookRequest): RawEvent[] {
  try {
    return hook.unpack(call);
  } catch {
    return [{ source: hook.source, sourceChannelId: null, contentType: call.headers['content-type'] ?? '', body: call.body }];
  }
}

async function claimedChannels(engine: Engine, hook: Hook, call: HookRequest): Promise<ChannelView[]> {
  const claims = hook.claims?.(call) ?? [];
  const rows = await Promise.all(claims.map((claim) => channelsByAddress(engine.database, claim.source, claim.sourceChannelId)));
  return rows
    .flat()
    .filter((row) => row.credentials)
    .map((row) => engine.channels.view(row));
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
