/** What browsers load: the pages' policy, the widget, the demo's channel, the reference. */
import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { policyOf } from '../../src/api/page-headers.ts';
import { testApp } from './support.ts';

const t = await testApp();
const get = (url: string, headers: Record<string, string> = {}) => t.app.inject({ url, headers });

describe('the reference', () => {
  it('describes every surface in OpenAPI 3.1, without a key', async () => {
    const answer = await get('/openapi.json');
    expect(answer.statusCode).toBe(200);
    const document = answer.json();
    expect(document.openapi).toBe('3.1.0');
    expect(document.paths['/workspaces/{workspaceId}/channels'].get.description).toContain('`channels:read`');
    const send = document.paths['/workspaces/{workspaceId}/channels/{channelId}/messages'].post;
    expect(send.requestBody.content['application/json']).toBeDefined();
    expect(send.responses['202']).toBeDefined();
    expect(JSON.stringify(document)).not.toContain('patchbay_session_');
  });

  it('is a page that loads nothing from elsewhere', async () => {
    const page = await get('/docs');
    expect(page.statusCode).toBe(200);
    expect(page.headers['content-security-policy']).toContain(`default-src 'none'; script-src 'self'`);
    expect(page.body).not.toMatch(/https?:\/\//);
    const script = await get('/docs/api-reference.js');
    expect(script.statusCode).toBe(200);
    expect(script.headers['content-encoding']).toBe('gzip');
  });
});

describe('the demo', () => {
  it('makes its channel when somebody opens it, and no second one', async () => {
    expect((await t.call('GET', '/channels')).json.results).toEqual([]);
    const opened = await Promise.all([get('/demo'), get('/demo'), get('/chatplugin/ui/example')]);
    const channels = (await t.call('GET', '/channels')).json.results;
    expect(channels).toHaveLength(1);
    expect(channels[0].name).toBe('Demo');
    expect(opened.map((answer) => answer.statusCode)).toEqual([302, 302, 302]);
    expect(opened[0]!.headers.location).toBe(`/demo?channel_id=${channels[0].id}`);
    const own = await t.call('POST', '/channels', { body: { source: 'chatplugin', input: { name: 'Own' } } });
    expect((await get('/demo')).headers.location).toBe(`/demo?channel_id=${own.json.id}`);
  });
});

describe('pages', () => {
  it('allow their own inline scripts by digest and no others', () => {
    const policy = policyOf({ html: '<script>alert(1)</script><script src="/a.js"></script>', publicOrigin: 'https://chat.example.com' });
    expect(policy).toContain(`script-src 'self' 'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI='; `);
    expect(policy).toContain(`connect-src 'self' https://chat.example.com wss://chat.example.com`);
    expect(policy).not.toContain('unsafe-eval');
  });

  it('answer unknown addresses of programs with JSON', async () => {
    const answer = await get('/nothing.js');
    expect(answer.statusCode).toBe(404);
    expect(answer.json()).toMatchObject({ code: 'notFound' });
    expect((await t.app.inject({ method: 'POST', url: '/nothing', headers: { accept: 'text/html' } })).statusCode).toBe(404);
    expect((await get('/..%2f..%2fpackage.json')).statusCode).toBeGreaterThanOrEqual(400);
  });

  const built = existsSync('web/dist/index.html');
  if (!built) console.warn('SKIPPED: the pages are not built (npm run build)');
  it.skipIf(!built)('serve the application at any of its addresses, and its files for ever', async () => {
    const page = await get('/inbox/some/where', { accept: 'text/html' });
    expect(page.statusCode).toBe(200);
    expect(page.headers['content-security-policy']).toContain(`frame-ancestors 'none'`);
    const [, file] = /(\/assets\/[^"]+\.js)/.exec(page.body)!;
    expect((await get(file!)).headers['cache-control']).toBe('public, max-age=31536000, immutable');
  });

  const widget = existsSync('widget/dist/widget.js');
  if (!widget) console.warn('SKIPPED: the widget is not built (npm run build)');
  it.skipIf(!widget)('serve the widget to any page, for a short time and with an ETag', async () => {
    for (const url of ['/widget.js', '/chatplugin/ui/s.js']) {
      const answer = await get(url);
      expect(answer.headers['cache-control']).toBe('public, max-age=300');
      expect(answer.headers['cross-origin-resource-policy']).toBe('cross-origin');
      expect((await get(url, { 'if-none-match': answer.headers.etag as string })).statusCode).toBe(304);
    }
  });
});
