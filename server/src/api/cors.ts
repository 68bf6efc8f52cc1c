/** Which web pages of other origins may call. */
import type { FastifyCorsOptions } from '@fastify/cors';
import type { FastifyRequest } from 'fastify';

/** What the widget calls from customers' pages: with a token of its own, never with a cookie. */
const WIDGET = /^\/(chatplugin\.|chatplugin\/|widget[./]|media\.upload)/;

/**
 * Clients of allowed origins may send credentials. The widget's routes are open to every page, without credentials;
 * whether the page may speak for a channel is checked there, where the channel is known.
 */
export function corsOptions(allowed: ReadonlySet<string>) {
  return (request: FastifyRequest, callback: (error: Error | null, options: FastifyCorsOptions) => void): void => {
    const trusted = allowed.has(request.headers.origin ?? '');
    const open = !trusted && WIDGET.test(request.url);
    callback(null, {
      origin: trusted || open,
      credentials: trusted,
      methods: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'],
      exposedHeaders: ['Retry-After', 'Idempotent-Replayed'],
      maxAge: 600,
    });
  };
}
