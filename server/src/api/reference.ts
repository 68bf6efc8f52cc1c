/** The reference of every surface: `/openapi.json`, made from the routes themselves, and a page that shows it. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import swagger from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import { PROJECT_ROOT } from '../pages.ts';
import { PAGE_HEADERS } from './page-headers.ts';

const SCRIPT = '/docs/api-reference.js';
const BUNDLE = join(PROJECT_ROOT, 'node_modules', '@scalar', 'api-reference', 'dist', 'browser', 'standalone.js');

const DESCRIPTION = `Every channel a business talks to its customers through, behind one API.

The **workspace surface** (\`/workspaces/{workspaceId}/…\`) is complete. The other surfaces are the same channels,
contacts, conversations and messages in the words of other products, for clients that were written for those.

Give your key as \`Authorization: AccessKey ak_…\`, \`Authorization: Bearer ak_…\` or \`X-API-Key: ak_…\`. Each route names the
scope that it needs; a write scope also reads (not so below \`/api/v2\`). Every write takes an \`Idempotency-Key\`. A repeated
request with the same key changes nothing and gets the first answer again.`;

const CONFIGURATION = {
  url: '/openapi.json',
  withDefaultFonts: false,
  telemetry: false,
  hideClientButton: true,
  showDeveloperTools: 'never',
  mcp: { disabled: true },
  agent: { disabled: true },
  theme: 'default',
  layout: 'modern',
  documentDownloadType: 'json',
  metaData: { title: 'Patchbay API' },
};

/** No script but ours, and no address but ours: the page works without the internet, and tells nobody of its readers. */
const POLICY = [
  `default-src 'none'`,
  `script-src 'self'`,
  `style-src 'self' 'unsafe-inline'`,
  `img-src 'self' data: blob:`,
  `font-src 'self' data:`,
  `connect-src 'self'`,
  `worker-src 'self' blob:`,
  `base-uri 'none'`,
  `form-action 'none'`,
  `frame-ancestors 'none'`,
].join('; ');

const PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Patchbay API</title>
  </head>
  <body>
    <script id="api-reference" data-configuration="${attribute(JSON.stringify(CONFIGURATION))}"></script>
    <script src="${SCRIPT}"></script>
  </body>
</html>
`;

/** Must come before the routes that it describes. */
export async function registerReference(app: FastifyInstance): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Patchbay',
        version: await version(),
        description: DESCRIPTION,
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      servers: [{ url: '/' }],
      components: {
        securitySchemes: {
          accessKey: { type: 'apiKey', in: 'header', name: 'Authorization', description: '`AccessKey ak_…` or `Bearer ak_…`' },
          apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
          sourceToken: {
            type: 'apiKey',
            in: 'header',
            name: 'Authorization',
            description: 'The token of a source that was brought: `Bearer src_…`',
          },
          session: { type: 'apiKey', in: 'cookie', name: 'patchbay_session', description: 'The cookie of a person who signed in.' },
        },
      },
    },
  });
  app.get('/openapi.json', { schema: { hide: true } }, async (_request, reply) =>
    reply.header('cache-control', 'no-cache').header('access-control-allow-origin', '*').send(app.swagger()),
  );
  app.get('/docs', { schema: { hide: true } }, async (_request, reply) =>
    reply
      .headers({ ...PAGE_HEADERS, 'content-security-policy': POLICY, 'cache-control': 'no-cache' })
      .type('text/html; charset=utf-8')
      .send(PAGE),
  );
  let script: Promise<Buffer> | undefined;
  app.get(SCRIPT, { schema: { hide: true } }, async (_request, reply) => {
    script ??= compressedScript();
    return reply
      .headers({ ...PAGE_HEADERS, 'content-encoding': 'gzip', 'cache-control': 'public, max-age=86400' })
      .type('text/javascript; charset=utf-8')
      .send(await script);
  });
}

/** Read and compressed when the first reader comes: most services are never asked. */
async function compressedScript(): Promise<Buffer> {
  return promisify(gzip)(await readFile(BUNDLE), { level: 9 });
}

async function version(): Promise<string> {
  const text = await readFile(join(PROJECT_ROOT, 'package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

function attribute(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;');
}
