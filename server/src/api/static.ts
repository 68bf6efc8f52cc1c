/** The files that browsers load: the control center and inbox at `/`, the widget, and the demo shop. */
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Engine } from '../engine/engine.ts';
import { isConnected } from '../model/channel.ts';
import { PROJECT_ROOT } from '../pages.ts';
import { listChannels } from '../store/channels.ts';

const WEB = join(PROJECT_ROOT, 'web', 'dist');
const WIDGET = join(PROJECT_ROOT, 'widget', 'dist');
const WIDGET_SOURCE = join(PROJECT_ROOT, 'widget');

/** The pages' own addresses; whatever is below them, the pages find out themselves. */
const PAGES = ['/', '/inbox', '/inbox/*', '/channels', '/channels/*', '/keys', '/events'];

/**
 * Scripts come from here alone. Pictures and recordings may come from anywhere, since that is where providers and
 * customers keep them; mails are shown in frames that have a tighter policy still.
 */
const PAGE_POLICY = [
  "default-src 'self'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  'img-src * data: blob:',
  'media-src * blob:',
  "connect-src 'self'",
  "frame-src 'self'",
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "object-src 'none'",
].join('; ');

const NAMED_BY_CONTENT = { maxAge: '365d', immutable: true };
const ASKED_EACH_TIME = { cacheControl: false };

export function registerStatic(app: FastifyInstance, engine: Engine): void {
  app.register(fastifyStatic, { root: WEB, serve: false, preCompressed: true });

  for (const url of PAGES) {
    app.get(url, { schema: { hide: true } }, async (_request, reply) =>
      reply
        .headers({
          'content-security-policy': PAGE_POLICY,
          'cache-control': 'no-cache',
          'referrer-policy': 'same-origin',
          'x-content-type-options': 'nosniff',
        })
        .sendFile('index.html', WEB, ASKED_EACH_TIME),
    );
  }
  app.get<{ Params: { '*': string } }>('/assets/*', { schema: { hide: true } }, async (request, reply) =>
    noSniff(reply).sendFile(request.params['*'], join(WEB, 'assets'), NAMED_BY_CONTENT),
  );
  for (const file of ['favicon.svg', 'preview.html', 'preview.js']) {
    app.get(`/${file}`, { schema: { hide: true } }, async (_request, reply) =>
      noSniff(reply).header('cache-control', 'no-cache').sendFile(file, WEB, ASKED_EACH_TIME),
    );
  }

  // `/chatplugin/ui/s.js` is where Airy's loader looks for the widget.
  for (const url of ['/widget.js', '/chatplugin/ui/s.js']) {
    app.get(url, { schema: { hide: true } }, async (_request, reply) =>
      noSniff(reply)
        .headers({
          'cache-control': 'public, max-age=300',
          'access-control-allow-origin': '*',
          'cross-origin-resource-policy': 'cross-origin',
        })
        .sendFile('widget.js', WIDGET, ASKED_EACH_TIME),
    );
  }
  app.get<{ Querystring: { channel_id?: string } }>('/demo', { schema: { hide: true } }, async (request, reply) => {
    if (!request.query.channel_id) return reply.redirect(await demoAddress(engine), 302);
    return noSniff(reply).header('cache-control', 'no-cache').sendFile('demo.html', WIDGET_SOURCE, ASKED_EACH_TIME);
  });
}

/** The demo with the live chat that there is; where there is none, the form that makes one. */
async function demoAddress(engine: Engine): Promise<string> {
  const channels = await listChannels(engine.database, engine.defaultWorkspaceId, { sources: ['chatplugin'] });
  const channel = channels.find(({ status }) => isConnected(status));
  return channel ? `/demo?channel_id=${channel.id}` : '/channels/new/chatplugin';
}

function noSniff(reply: FastifyReply): FastifyReply {
  return reply.header('x-content-type-options', 'nosniff');
}
