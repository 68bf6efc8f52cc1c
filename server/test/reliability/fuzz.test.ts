/** R3: no request to any route of any surface makes a 5xx, a hang or a crash. `npm run fuzz` does the same for longer. */
import { createConnection } from 'node:net';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { type TestApp, type TestWorkspace, testApp } from '../support/app.ts';
import { arbitraryOf, HOSTILE, junk, type Schema } from '../support/fuzz.ts';

const RUNS = Number(process.env.FUZZ_RUNS ?? 1500);
const HANG_MS = 15_000;

interface Operation {
  parameters?: { name: string; in: string; schema: Schema }[];
  requestBody?: { content: Record<string, { schema?: Schema }> };
}

interface Target {
  method: string;
  path: string;
  operation: Operation | undefined;
}

interface Attempt {
  method: string;
  url: string;
  headers: Record<string, string>;
  payload: string | undefined;
}

let app: TestApp;
let home: TestWorkspace;
let targets: Target[];
const ids: string[] = [];

beforeAll(async () => {
  const nowhere = 'http://127.0.0.1:1';
  const providers = [
    'META_GRAPH_URL',
    'TWILIO_API_URL',
    'GOOGLE_OAUTH_URL',
    'GOOGLE_RCS_URL',
    'GOOGLE_BUSINESS_MESSAGES_URL',
    'GMAIL_API_URL',
  ];
  const more = ['MICROSOFT_LOGIN_URL', 'MICROSOFT_GRAPH_URL'];
  app = await testApp(Object.fromEntries([...providers, ...more].map((name) => [name, nowhere])));
  home = await app.workspace();
  const { paths } = (await app.app.inject('/openapi.json')).json() as { paths: Record<string, Record<string, Operation>> };
  targets = app.routes.flatMap((route) => {
    const [method, path] = route.split(' ') as [string, string];
    // Streams never end by themselves, and files are files.
    if (method === 'HEAD' || method === 'OPTIONS' || /\/stream$|^\/assets\//.test(path)) return [];
    return [{ method, path, operation: paths[path.replace(/:(\w+)/g, '{$1}')]?.[method.toLowerCase()] }];
  });

  const ask = async (method: 'POST' | 'GET', url: string, payload?: object) => {
    const answer = await app.app.inject({ method, url, headers: { 'x-api-key': home.key }, ...(payload ? { payload } : {}) });
    expect(answer.statusCode, `${url}: ${answer.body}`).toBeLessThan(300);
    return answer.json();
  };
  const channel = await ask('POST', '/channels.chatplugin.connect', { name: 'fuzzed' });
  const { token } = (await app.post('chatplugin.authenticate', { channel_id: channel.id })).json;
  const message = (await app.post('chatplugin.send', { message: { text: 'x' } }, { authorization: `Bearer ${token}` })).json;
  const contact = await ask('POST', '/contacts.info', { conversation_id: message.sender.id });
  const tag = await ask('POST', '/tags.create', { name: 'fuzz', color: 'tag-red' });
  const template = await ask('POST', '/templates.create', { name: 'fuzz', source: 'chatplugin', content: {} });
  const reply = await ask('POST', '/api/v2/saved-replies', { title: 'fuzz', body: 'Hello {{name}}' });
  const mailbox = await ask('POST', '/api/v2/email/channels', { name: 'Help', email: 'help@fuzz.example', provider: 'aurion' });
  ids.push(channel.id, message.sender.id, message.id, contact.id, tag.id, template.id, reply.id, mailbox.id, home.id);
});

function pathOf(path: string): fc.Arbitrary<string> {
  const parts = path.split('/').map((part): fc.Arbitrary<string> => {
    if (part === ':workspaceId') return fc.oneof({ weight: 9, arbitrary: fc.constant(home.id) }, { weight: 1, arbitrary: segment() });
    if (part.startsWith(':') || part === '*') return segment();
    return fc.constant(part);
  });
  return fc.tuple(...parts).map((found) => found.join('/').replace('*', ''));
}

function segment(): fc.Arbitrary<string> {
  const hostile = HOSTILE.filter((text) => text.length < 500 && text !== '\ud800').map(encodeURIComponent);
  return fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...ids) },
    { weight: 2, arbitrary: fc.constantFrom(...hostile, '%ff', '%zz', '..') },
    { weight: 1, arbitrary: fc.string({ unit: 'grapheme', maxLength: 8 }).map(encodeURIComponent) },
  );
}

function queryOf(operation: Operation | undefined): fc.Arbitrary<string> {
  const known = (operation?.parameters ?? []).filter((parameter) => parameter.in === 'query');
  const named = known.map((parameter) => [parameter.name, arbitraryOf(parameter.schema ?? {}, ids)] as [string, fc.Arbitrary<unknown>]);
  const any = fc.dictionary(fc.constantFrom('limit', 'offset', 'a[b]', '__proto__', 'status', 'pageToken'), junk(ids), { maxKeys: 2 });
  return fc.tuple(fc.record(Object.fromEntries(named), { requiredKeys: [] }), fc.oneof(fc.constant({}), any)).map(([right, more]) => {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries({ ...more, ...right })) {
      for (const one of Array.isArray(value) ? value : [value])
        query.append(name, typeof one === 'string' ? one.toWellFormed() : JSON.stringify(one));
    }
    return query.size > 0 ? `?${query}` : '';
  });
}

function bodyOf({ method, operation }: Target): fc.Arbitrary<string | undefined> {
  if (method === 'GET') return fc.constant(undefined);
  const schema = operation?.requestBody?.content['application/json']?.schema;
  const right = (schema ? arbitraryOf(schema, ids) : junk(ids)).map((value) => JSON.stringify(value));
  return fc.oneof(
    { weight: 8, arbitrary: right },
    { weight: 1, arbitrary: junk(ids).map((value) => JSON.stringify(value)) },
    {
      weight: 1,
      arbitrary: fc.constantFrom<string | undefined>(
        '',
        '{',
        'nul',
        `${'['.repeat(3000)}`,
        `${'{"a":'.repeat(500)}1${'}'.repeat(500)}`,
        undefined,
      ),
    },
  );
}

function headersOf(): fc.Arbitrary<Record<string, string>> {
  const key = fc.constantFrom(home.key, `Bearer ${home.key}`, `AccessKey ${home.key}`);
  const rare = fc.record(
    {
      'content-type': fc.constantFrom(
        'text/plain',
        'application/xml',
        'multipart/form-data',
        'multipart/form-data; boundary=x',
        'x',
        'application/json; charset=utf-16',
        '',
      ),
      'idempotency-key': fc.oneof(fc.constantFrom('', 'a'.repeat(300), 'é', 'k1', 'k2'), fc.uuid()),
      'x-hub-signature-256': fc.constantFrom('sha256=', 'x', 'sha256=é', 'a'.repeat(2000)),
      'x-twilio-signature': fc.constantFrom('', '====', 'é'),
      'x-goog-signature': fc.constantFrom('', 'AAAA'),
      'last-event-id': fc.constantFrom('-1', 'x', '1e9'),
      'accept-encoding': fc.constantFrom('br', '*;q=0', 'x,,,;q=9'),
      accept: fc.constantFrom('*/*', 'image/png', ''),
      range: fc.constantFrom('bytes=0-1', 'bytes=9-1', 'x'),
      origin: fc.constantFrom('null', 'http://evil.example', 'x'),
      cookie: fc.constantFrom('patchbay_session=x', 'patchbay_session=%', '=;;='),
      authorization: fc.constantFrom('Bearer', 'Bearer é', 'Basic Og==', `Bearer ${'a'.repeat(4000)}`, ''),
      'if-none-match': fc.constantFrom('*', '"x"'),
      'x-forwarded-for': fc.constantFrom('x', '::1, 1.2.3.4'),
      host: fc.constantFrom('', 'evil.example:99999', '[::1'),
    },
    { requiredKeys: [] },
  );
  return fc.tuple(key, fc.oneof({ weight: 7, arbitrary: fc.constant({}) }, { weight: 3, arbitrary: rare })).map(([own, more]) => ({
    'content-type': 'application/json',
    ...(own === home.key ? { 'x-api-key': own } : { authorization: own }),
    ...(more as Record<string, string>),
  }));
}

/** Whatever is wrong is said; 503 alone may mean that somebody else is away, and then says who. */
async function check({ method, url, headers, payload }: Attempt): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const hang = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('hangs')), HANG_MS);
  });
  const answer = await Promise.race([
    app.app.inject({ method: method as 'GET', url, headers, ...(payload === undefined ? {} : { payload }) }),
    hang,
  ]);
  clearTimeout(timer);
  const said = `${method} ${url} → ${answer.statusCode}: ${answer.body.slice(0, 500)}`;
  if (answer.statusCode === 503) expect(answer.json().message ?? answer.json().detail, said).toMatch(/\w/);
  else expect(answer.statusCode, said).toBeLessThan(500);
}

describe('no input', () => {
  it('makes a 5xx or a hang on any route', { timeout: Math.max(60_000, RUNS * 100) }, async () => {
    expect(targets.length).toBeGreaterThan(150);
    const attempts = fc
      .constantFrom(...targets)
      .chain((target) =>
        fc
          .tuple(pathOf(target.path), queryOf(target.operation), headersOf(), bodyOf(target))
          .map(([path, query, headers, payload]): Attempt => ({ method: target.method, url: path + query, headers, payload })),
      );
    await fc.assert(fc.asyncProperty(attempts, check), { numRuns: RUNS });
  });

  it('that is too large is taken', async () => {
    for (const { method, path } of targets) {
      if (method === 'GET' || path.startsWith('/media') || path === '/*') continue;
      const url = path.replace(':workspaceId', home.id).replace(/:\w+/g, ids[0]!).replace('*', '');
      const answer = await app.app.inject({
        method: method as 'POST',
        url,
        headers: { 'x-api-key': home.key, 'content-type': 'application/json', 'content-length': String(40 * 1024 * 1024) },
        payload: '{}',
      });
      expect([400, 403, 404, 405, 413, 415], `${method} ${url} → ${answer.statusCode} ${answer.body}`).toContain(answer.statusCode);
    }
  });

  it('below HTTP ends the service', async () => {
    const { port } = new URL(await app.listen());
    const say = async (text: string) => {
      const socket = createConnection(Number(port), '127.0.0.1');
      socket.on('error', () => undefined);
      let answer = '';
      socket.on('data', (data) => {
        answer += data;
      });
      socket.end(text);
      await new Promise((resolve) => socket.once('close', resolve));
      return answer;
    };
    const host = `Host: x\r\nX-API-Key: ${home.key}\r\n`;
    for (const text of [
      '\u0000\u0001\r\n\r\n',
      'GET  / HTTP/9.9\r\n\r\n',
      'NONSENSE / HTTP/1.1\r\nHost: x\r\n\r\n',
      `GET /${'a'.repeat(100_000)} HTTP/1.1\r\n${host}\r\n`,
      `GET / HTTP/1.1\r\n${host}A: ${'b'.repeat(100_000)}\r\n\r\n`,
      `GET / HTTP/1.1\r\n${host}${'A: b\r\n'.repeat(5000)}\r\n`,
      `POST /channels.list HTTP/1.1\r\n${host}Content-Type: application/json\r\nContent-Length: 10\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
      `POST /channels.list HTTP/1.1\r\n${host}Content-Type: application/json\r\nContent-Length: -1\r\n\r\n{}`,
      `POST /channels.list HTTP/1.1\r\n${host}Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{}`,
      `POST /channels.list HTTP/1.1\r\n${host}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n`,
      `GET //..//..//etc/passwd HTTP/1.1\r\n${host}Connection: close\r\n\r\n`,
      `GET http://evil.example/ HTTP/1.1\r\n${host}Connection: close\r\n\r\n`,
      `GET /ws.communication HTTP/1.1\r\n${host}Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 99\r\nSec-WebSocket-Key: x\r\n\r\n`,
      `OPTIONS * HTTP/1.1\r\n${host}Connection: close\r\n\r\n`,
    ]) {
      expect(await say(text), JSON.stringify(text.slice(0, 80))).not.toMatch(/^HTTP\/1\.1 5/);
    }
    expect((await fetch(`http://127.0.0.1:${port}/readyz`)).status).toBe(200);
  });
});
