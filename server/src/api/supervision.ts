// Adds `hide` to a route's schema.
import type {} from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import type { Registry } from 'prom-client';

/** Whether this node should get requests. */
export interface Readiness {
  /** False from the moment that it is asked to stop. */
  draining: boolean;
  isDatabaseUp(): Promise<boolean>;
}

/** Adds what supervisors and Prometheus ask: `/healthz`, `/readyz`, `/metrics`. */
export function registerSupervision(app: FastifyInstance, parts: { readiness: Readiness; metrics: Registry }): void {
  app.get('/healthz', { logLevel: 'silent', schema: { hide: true } }, async () => ({ status: 'ok' }));
  app.get('/readyz', { logLevel: 'silent', schema: { hide: true } }, async (_request, reply) => {
    if (parts.readiness.draining) return reply.code(503).send({ status: 'draining' });
    if (!(await parts.readiness.isDatabaseUp())) return reply.code(503).send({ status: 'database unavailable' });
    return { status: 'ready' };
  });
  app.get('/metrics', { logLevel: 'silent', schema: { hide: true } }, async (_request, reply) => {
    return reply.type(parts.metrics.contentType).send(await parts.metrics.metrics());
  });
}
