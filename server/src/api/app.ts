/** Puts every surface onto one HTTP server. */
import cookie from '@fastify/cookie';
import cors from '@fastify/cors';
import multipart from '@fastify/multipart';
import type { FastifyInstance } from 'fastify';
import type { Registry as Metrics } from 'prom-client';
import type { Engine } from '../engine/engine.ts';
import { MAX_UPLOAD_BYTES } from '../engine/media.ts';
import { PatchbayError } from '../model/errors.ts';
import { isDatabaseAway } from '../store/database.ts';
import { registerAiry } from './airy/surface.ts';
import { registerAurion } from './aurion/surface.ts';
import { Authenticator } from './auth.ts';
import { registerConsent } from './consent.ts';
import { corsOptions } from './cors.ts';
import { registerHooks } from './hooks/hooks.ts';
import { createHttp } from './http.ts';
import { parseJson } from './json-body.ts';
import { registerLive } from './live/live.ts';
import { registerMedia } from './media.ts';
import { registerReference } from './reference.ts';
import { registerSession } from './session.ts';
import { registerStatic } from './static.ts';
import { type Readiness, registerSupervision } from './supervision.ts';
import { registerVotel } from './votel/surface.ts';
import { registerWorkspaces } from './workspaces/surface.ts';

export interface AppParts {
  engine: Engine;
  metrics: Metrics;
  readiness: Readiness;
}

/** The server with all its routes, not listening yet. */
export async function createApp({ engine, metrics, readiness }: AppParts): Promise<FastifyInstance> {
  const app = createHttp({ log: engine.log });
  registerHooks(app, engine);
  await app.register((scope) => registerSurfaces(scope, { engine, metrics, readiness }));
  return app;
}

/** Everything that people, their programs and browsers call: with cookies, uploads, and other origins' pages in mind. */
async function registerSurfaces(app: FastifyInstance, { engine, metrics, readiness }: AppParts): Promise<void> {
  const auth = new Authenticator(engine);
  // Also for addresses that nobody knows: they are told so, whatever was sent there.
  parseJson(app);
  await app.register(cookie);
  await app.register(multipart, { limits: { fileSize: MAX_UPLOAD_BYTES, files: 1, fields: 10 } });
  await app.register(cors, () => corsOptions(new Set(engine.config.allowedOrigins)));
  app.setErrorHandler((error, request, reply) => {
    if (isDatabaseAway(error))
      return reply.code(503).header('retry-after', '5').send({ code: 'unavailable', message: 'the database is away' });
    if (error instanceof PatchbayError && error.code === 'not-found')
      return reply.code(404).send({ code: error.code, message: error.message });
    const status = (error as { statusCode?: number }).statusCode ?? 500;
    if (status >= 500) request.log.error({ err: error }, 'a request failed');
    const message = status >= 500 ? 'something went wrong here; it is logged' : (error as Error).message;
    return reply.code(status).send({ code: status >= 500 ? 'internal-error' : 'invalid', message });
  });
  await registerReference(app);
  registerSupervision(app, { metrics, readiness });
  registerSession(app, engine, auth);
  registerMedia(app, engine, auth);
  registerConsent(app, engine, auth);
  registerAiry(app, engine, auth);
  registerWorkspaces(app, engine, auth);
  registerAurion(app, engine, auth);
  registerVotel(app, engine, auth);
  registerLive(app, engine, auth);
  registerStatic(app, engine);
}
