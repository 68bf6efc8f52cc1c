/** What browsers load: the control center and inbox at `/`, the widget, and a page to try it on. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { demoChannel } from '../engine/demo-channel.ts';
import type { Engine } from '../engine/engine.ts';
import { PROJECT_ROOT } from '../pages.ts';
import { PAGE_HEADERS, policyOf } from './page-headers.ts';

const WEB = join(PROJECT_ROOT, 'web', 'dist');
const WIDGET = join(PROJECT_ROOT, 'widget');

/** Vite names these files by their content: a changed file has another name. */
const HASHED = /[\\/]assets[\\/]/;

/** The widget's preview stands in a frame of our own settings page. */
const FRAMED = /[\\/]preview\.html/;

export function registerStatic(app: FastifyInstance, engine: Engine): void {
  app.register(fastifyStatic, {
    root: WEB,
    suppressWarning: true,
    index: false,
    // One route a file: an address below another surface's prefix that nobody knows is that surface's to answer.
    wildcard: false,
    globIgnore: ['index.html*'],
    preCompressed: true,
    cacheControl: false,
    schemaHide: true,
    setHeaders: (response, path) => {
      for (const [name, value] of Object.entries(PAGE_HEADERS)) response.header(name, value);
      if (FRAMED.test(path)) response.header('x-frame-options', 'SAMEORIGIN');
      response.header('cache-control', cachingOf(path));
    },
  });
  const page = pages(engine);

  for (const url of ['/', '/index.html']) {
    app.get(url, { schema: { hide: true } }, (_request, reply) => page(reply, join(WEB, 'index.html')));
  }
  for (const url of ['/widget.js', '/chatplugin/ui/s.js']) {
    app.get(url, { schema: { hide: true } }, (_request, reply) => sendWidget(reply));
  }
  for (const url of ['/demo', '/chatplugin/ui/example']) {
    app.get<{ Querystring: { channel_id?: string } }>(url, { schema: { hide: true } }, async (request, reply) => {
      if (request.query.channel_id) return page(reply, join(WIDGET, 'demo.html'));
      const channel = await demoChannel(engine);
      return reply.header('cache-control', 'no-store').redirect(`${url}?channel_id=${channel.id}`);
    });
  }
  app.setNotFoundHandler((request, reply) => {
    if (wantsPage(request)) return page(reply, join(WEB, 'index.html'));
    return reply.code(404).send({ code: 'notFound', message: `there is nothing at ${request.method} ${request.url.split('?')[0]}` });
  });
}

/** A person's browser asks for an address within the application: the application itself knows what to show. */
function wantsPage(request: FastifyRequest): boolean {
  if (request.method !== 'GET' && request.method !== 'HEAD') return false;
  const path = request.url.split('?')[0]!;
  // Names of sources have dots too: `/channels/new/twilio.sms`.
  const isFile = /\.\w{1,8}$/.test(path) && !path.startsWith('/channels/');
  return (request.headers.accept ?? '').includes('text/html') && !isFile;
}

/** Other people's pages load it: short-lived, since its name stays the same. */
function sendWidget(reply: FastifyReply): FastifyReply {
  return reply
    .header('cross-origin-resource-policy', 'cross-origin')
    .header('access-control-allow-origin', '*')
    .header('timing-allow-origin', '*')
    .sendFile('widget.js', join(WIDGET, 'dist'));
}

function cachingOf(path: string): string {
  if (HASHED.test(path)) return 'public, max-age=31536000, immutable';
  return path.startsWith(WIDGET) ? 'public, max-age=300' : 'no-cache';
}

/** Sends HTML pages under a policy that is made for each. */
function pages(engine: Engine): (reply: FastifyReply, path: string) => Promise<FastifyReply> {
  const publicOrigin = new URL(engine.config.publicUrl).origin;
  return async (reply, path) => {
    let html: string;
    try {
      html = await readFile(path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      return reply.code(404).type('text/plain').send('This page is not built yet: run npm run build.');
    }
    return reply
      .headers({ ...PAGE_HEADERS, 'content-security-policy': policyOf({ html, publicOrigin }), 'cache-control': 'no-cache' })
      .type('text/html; charset=utf-8')
      .send(html);
  };
}
