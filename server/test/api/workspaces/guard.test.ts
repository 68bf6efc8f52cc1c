/** Every route of the surface, found in the reference: its scope, and what it says to another workspace. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { uuidv7 } from '../../../src/model/ids.ts';
import { SCOPES } from '../../../src/model/scopes.ts';
import { setConsent } from '../../../src/store/consent.ts';
import { testApp, visitorWrites } from '../support.ts';

const t = await testApp();
const other = await t.makeWorkspace();

interface Route {
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Below the workspace. */
  path: string;
  scope: string;
}

const PREFIX = '/workspaces/{workspaceId}';
interface Operation {
  security?: { apiKey?: string[] }[];
  operationId?: string;
  summary?: string;
  responses: Record<string, unknown>;
}
const paths = (await t.app.inject('/openapi.json')).json().paths as Record<string, Record<string, Operation>>;
const routes: Route[] = Object.entries(paths).flatMap(([path, methods]) =>
  path.startsWith(PREFIX)
    ? Object.entries(methods).map(([method, operation]) => ({
        method: method.toUpperCase() as Route['method'],
        path: path.slice(PREFIX.length),
        scope: operation.security!.find((scheme) => scheme.apiKey)!.apiKey![0]!,
      }))
    : [],
);

// Something real behind every kind of id.
const channel = (await t.call('POST', '/channels', { body: { source: 'chatplugin', input: { name: 'guard' } } })).json;
await visitorWrites(t.engine, 'guard', { visitor: 'ann', text: 'Hello' });
const conversation = (await t.call('GET', '/conversations')).json.results[0];
const message = conversation.lastMessage;
await t.engine.ingest.submit([{ source: 'chatplugin', sourceChannelId: 'guard', contentType: 'x', body: Buffer.from('{') }]);
const rawEvent = (await t.call('GET', '/raw-events')).json.results[0];
const key = (await t.call('POST', '/api-keys', { body: { name: 'guard', scopes: ['channels:read'] } })).json;
const reply = (await t.call('POST', '/saved-replies', { body: { title: 'guard', body: 'x' } })).json;
const domain = (await t.call('POST', '/email-domains', { body: { domain: 'guard.example' } })).json;
const templateId = uuidv7();
await t.engine.database.query(
  `insert into provider_templates (workspace_id, id, source, account, name, language, status) values ($1, $2, 'whatsapp', '1', 'guard', 'en', 'APPROVED')`,
  [t.workspaceId, templateId],
);
await setConsent(t.engine.database, {
  workspaceId: t.workspaceId,
  channelId: channel.id,
  kind: 'visitor',
  value: 'ann',
  wants: false,
  keyword: 'STOP',
  by: 'contact',
  at: new Date(),
});
const subscription = (
  await t.call('POST', '/webhook-subscriptions', {
    body: { service: 'channels', event: 'channel.created', url: 'https://example.com/hook' },
  })
).json;
const integration = (await t.call('POST', '/integrations', { body: { name: 'guard', type: 'sms' } })).json;
const number = (await t.call('POST', '/phone-numbers', { body: { phoneNumber: '+15550001111' } })).json;
const REAL: Record<string, string> = {
  integrationId: integration.id,
  phoneNumberId: number.id,
  subscriptionId: subscription.id,
  channelId: channel.id,
  conversationId: conversation.id,
  contactId: conversation.contact.id,
  messageId: message.id,
  mediaId: message.id,
  rawEventId: rawEvent.id,
  keyId: key.id,
  replyId: reply.id,
  domainId: domain.id,
  templateId,
  identifierValue: 'ann',
  identifierKey: 'visitor',
  connectorId: channel.connectorId,
};
const withIds = (path: string, id: (name: string) => string) => path.replace(/\{(\w+)\}/g, (_all, name: string) => id(name));
const QUERIES: Record<string, string> = { 'GET /channels/{channelId}/reach': '?identifierValue=ann' };
const real = (route: Route) => withIds(route.path, (name) => REAL[name]!) + (QUERIES[`${route.method} ${route.path}`] ?? '');
const BODIES: Record<string, unknown> = {
  'POST /channels/{channelId}/messages': { receiver: { contacts: [{ id: REAL.contactId }] }, body: { type: 'text', text: { text: 'x' } } },
  'POST /conversations/{conversationId}/messages': { body: { type: 'text', text: { text: 'x' } } },
  'POST /channels/{channelId}/messages/preview': {
    receiver: { contacts: [{ id: REAL.contactId }] },
    body: { type: 'text', text: { text: 'x' } },
  },
  'POST /conversations/{conversationId}/messages/preview': { body: { type: 'text', text: { text: 'x' } } },
  'POST /messages/{messageId}/reactions': { emoji: null },
  'POST /channels/{channelId}/opt-outs': { identifierValue: 'ann' },
  'PATCH /templates/{templateId}': { body: 'x' },
  'POST /templates/{templateId}/render': {},
  'PATCH /saved-replies/{replyId}': { title: 'x' },
  'POST /saved-replies/{replyId}/render': {},
  'POST /conversations/{conversationId}/typing': { on: true },
  'PATCH /channels/{channelId}': { name: 'x' },
  'PATCH /integrations/{integrationId}': { name: 'x' },
  'PATCH /conversations/{conversationId}': { status: 'closed' },
  'PATCH /webhook-subscriptions/{subscriptionId}': { status: 'inactive' },
  'POST /webhook-subscriptions/{subscriptionId}/replay': {},
  'PATCH /contacts/{contactId}': { displayName: 'x' },
  'PATCH /connectors/{connectorId}': { name: 'x' },
  'POST /contacts/{contactId}/identifiers': { key: 'visitor', value: 'x' },
  'POST /channels/{channelId}/batch/messages': { messageRequests: [{}] },
  'POST /sandbox/channels/{channelId}/script': { replies: [] },
};

const MAKES_WHAT_IS_NOT_THERE = 'PATCH /contacts/identifiers/{identifierKey}/{identifierValue}';

describe('every route', () => {
  it('is in the reference with its scope, a summary, an id and an error shape', () => {
    expect(routes.length).toBeGreaterThanOrEqual(68);
    expect(new Set(Object.values(REAL)).size).toBe(15);
    const operationIds = new Set<string>();
    for (const [path, methods] of Object.entries(paths)) {
      if (!path.startsWith(PREFIX)) continue;
      for (const operation of Object.values(methods)) {
        expect(operation.summary, path).toBeTruthy();
        expect(operation.operationId, path).toBeTruthy();
        expect(Object.keys(operation.responses), path).toContain('4XX');
        operationIds.add(operation.operationId!);
      }
    }
    expect(operationIds.size).toBe(routes.length);
    for (const route of routes) expect(SCOPES, route.path).toContain(route.scope);
  });

  for (const route of routes) {
    const name = `${route.method} ${route.path}`;
    const body = BODIES[name];
    const options = body === undefined ? {} : { body };

    it(`${name}: nobody without a key, and not with a key that lacks ${route.scope}`, async () => {
      expect(await t.call(route.method, real(route), { ...options, key: null })).toMatchObject({
        status: 401,
        json: { code: 'unauthorized' },
      });
      expect((await t.call(route.method, real(route), { ...options, key: 'ak_live_wrong' })).status).toBe(401);
      const others = SCOPES.filter((scope) => scope.split(':')[0] !== route.scope.split(':')[0]);
      const lacking = await t.makeKey([...others, 'tickets:write']);
      expect(await t.call(route.method, real(route), { ...options, key: lacking })).toMatchObject({
        status: 403,
        json: { code: 'forbidden', message: `API key lacks required scope: ${route.scope}` },
      });
    });

    it(`${name}: another workspace finds nothing`, async () => {
      const foreign = await t.call(route.method, real(route), { ...options, key: other.key });
      expect(foreign).toMatchObject({ status: 404, json: { code: 'notFound' } });
      if (!route.path.includes('{') || name === MAKES_WHAT_IS_NOT_THERE) return;
      const inOwn = await t.call(route.method, real(route), { ...options, key: other.key, workspaceId: other.workspaceId });
      expect(inOwn).toMatchObject({ status: 404, json: { code: 'notFound' } });
    });
  }

  it('left everything as it was after all that', async () => {
    expect((await t.call('GET', `/channels/${channel.id}`)).json).toEqual(channel);
    expect((await t.call('GET', `/conversations/${conversation.id}`)).json.status).toBe('active');
    expect((await t.call('GET', `/conversations/${conversation.id}/messages`)).json.results).toHaveLength(1);
    expect((await t.call('GET', '/api-keys?limit=100')).json.results.map((row: { id: string }) => row.id)).toContain(key.id);
  });

  it('a write scope reads too', async () => {
    const writer = await t.makeKey(['channels:write']);
    expect((await t.call('GET', '/channels', { key: writer })).status).toBe(200);
    expect((await t.call('GET', '/contacts', { key: writer })).status).toBe(403);
  });

  it('lists show another workspace nothing', async () => {
    const own = { key: other.key, workspaceId: other.workspaceId };
    for (const path of ['/channels', '/channels/details', '/conversations', '/contacts', '/channels/messages', '/events', '/raw-events']) {
      expect((await t.call('GET', path, own)).json.results, path).toEqual([]);
    }
    expect((await t.call('GET', '/api-keys', own)).json.results).toHaveLength(1);
  });
});

describe('keys', () => {
  it('take the three headers, and any case of the workspace', async () => {
    const ways: Record<string, string>[] = [
      { authorization: `Bearer ${t.key}` },
      { authorization: `AccessKey ${t.key}` },
      { 'x-api-key': t.key },
    ];
    for (const headers of ways) {
      expect((await t.call('GET', '/channels', { key: null, headers })).status).toBe(200);
    }
    expect((await t.call('GET', '/channels', { workspaceId: t.workspaceId.toUpperCase() })).status).toBe(200);
  });

  it('are shown once, take neighbours’ scopes, and are revoked at once', async () => {
    const made = await t.call('POST', '/api-keys', { body: { name: 'CRM', scopes: ['channels:read', 'tickets:read'], sandbox: true } });
    expect(made).toMatchObject({ status: 201, json: { key: expect.stringMatching(/^ak_test_/), sandbox: true } });
    expect(JSON.stringify((await t.call('GET', '/api-keys?limit=100')).json)).not.toContain(made.json.key);
    expect((await t.call('GET', '/channels', { key: made.json.key })).status).toBe(200);
    expect((await t.call('DELETE', `/api-keys/${made.json.id}`)).status).toBe(204);
    expect((await t.call('GET', '/channels', { key: made.json.key })).status).toBe(401);
    expect((await t.call('DELETE', `/api-keys/${made.json.id}`)).status).toBe(404);
  });

  it('refuse unknown scopes, and more than the maker has', async () => {
    expect(await t.call('POST', '/api-keys', { body: { name: 'x', scopes: ['channels:read', 'moon:walk'] } })).toMatchObject({
      status: 422,
      json: { code: 'validationError', details: { scopes: ['there is no scope moon:walk'] } },
    });
    const maker = await t.makeKey(['keys:write', 'channels:read']);
    const ask = (scopes: string[], sandbox = false) => t.call('POST', '/api-keys', { key: maker, body: { name: 'x', scopes, sandbox } });
    expect((await ask(['channels:read'])).status).toBe(201);
    expect((await ask(['channels:write'])).status).toBe(403);
    expect((await ask(['*'])).status).toBe(403);
    const test = await t.makeKey(['*'], { sandbox: true });
    expect((await t.call('POST', '/api-keys', { key: test, body: { name: 'x', scopes: ['channels:read'], sandbox: false } })).status).toBe(
      403,
    );
  });
});

describe('whatever is sent', () => {
  const anyId = fc.oneof(fc.constantFrom(...Object.values(REAL)), fc.constant(uuidv7()), fc.string({ maxLength: 40 }));
  const anyText = fc.oneof(
    fc.string({ maxLength: 30 }),
    fc.string({ unit: 'binary', maxLength: 10 }),
    fc.constantFrom('\u0000', '%00', '\ud800', '{}', '-1', '1e9'),
  );
  const names = [
    'limit',
    'pageToken',
    'reverse',
    'status',
    'after',
    'search',
    'platform',
    'startAt',
    'tag',
    'unread',
    'state',
    'contactIdentifierValue',
  ];
  const query = fc.dictionary(fc.constantFrom(...names), anyText, { maxKeys: 4 });
  const anyBody = fc.oneof(
    fc.jsonValue({ maxDepth: 4 }),
    fc.record(
      {
        source: fc.constantFrom('chatplugin', 'nowhere'),
        name: anyText,
        input: fc.dictionary(fc.constantFrom('name', 'config'), fc.oneof(anyText, fc.jsonValue())),
        receiver: fc.record({ contacts: fc.array(fc.record({ identifierKey: anyText, identifierValue: anyText }), { maxLength: 3 }) }),
        body: fc.record({ type: fc.constantFrom('text', 'image', 'list', 'template'), text: fc.record({ text: anyText }) }),
        metadata: fc.dictionary(anyText, fc.jsonValue()),
        attributes: fc.dictionary(anyText, fc.jsonValue()),
        displayName: anyText,
        tags: fc.record({ add: fc.array(anyText, { maxLength: 3 }) }),
        on: fc.boolean(),
        scopes: fc.array(anyText, { maxLength: 3 }),
        channelId: anyId,
        customer: anyText,
        message: fc.record({ text: anyText }),
      },
      { requiredKeys: [] },
    ),
  );

  it('no answer is a 5xx, and every error has the shape', async () => {
    const calls = routes.filter(
      (route) => !route.path.endsWith('/stream') && !(route.method === 'DELETE' && route.path.startsWith('/api-keys')),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...calls),
        fc.array(anyId, { minLength: 3, maxLength: 3 }),
        query,
        anyBody,
        async (route, given, search, body) => {
          const list = [...given];
          const path = withIds(route.path, () => encodeURIComponent((list.pop() ?? '').toWellFormed()));
          const text = Object.entries(search).map(([name, value]) => `${name}=${encodeURIComponent(value.toWellFormed())}`);
          const options = route.method === 'GET' || route.method === 'DELETE' ? {} : { body: JSON.stringify(body) };
          const answer = await t.call(route.method, `${path}?${text.join('&')}`, {
            ...options,
            headers: options.body ? { 'content-type': 'application/json' } : {},
          });
          expect(answer.status, `${route.method} ${path} ${answer.text}`).toBeLessThan(500);
          if (answer.status >= 400) expect(answer.json).toMatchObject({ code: expect.any(String), message: expect.any(String) });
        },
      ),
      { numRuns: Number(process.env.FUZZ_RUNS ?? 400) },
    );
  });

  it('broken JSON, wrong types and unknown addresses are told apart', async () => {
    const json = { 'content-type': 'application/json' };
    expect(await t.call('POST', '/channels', { body: '{', headers: json })).toMatchObject({ status: 400, json: { code: 'badRequest' } });
    expect((await t.call('POST', '/channels', { body: 'x', headers: { 'content-type': 'text/html' } })).status).toBe(415);
    expect((await t.call('POST', `/conversations/${conversation.id}/read`, { body: '', headers: json })).status).toBe(204);
    expect((await t.call('POST', '/channels', { body: { valueOf: 1 } })).json.details).toEqual({ valueOf: ['is not known here'] });
    const odd = {
      receiver: { contacts: [{ identifierKey: 'valueOf', identifierValue: 'x' }] },
      body: { type: 'text', text: { text: 'x' } },
    };
    const fresh = (await t.call('POST', '/channels', { body: { source: 'chatplugin', input: { name: 'odd' } } })).json;
    expect((await t.call('POST', `/channels/${fresh.id}/messages`, { body: odd })).status).toBe(422);
    expect(await t.call('GET', '/nothing/here')).toMatchObject({ status: 404, json: { code: 'notFound' } });
    expect(await t.call('GET', '/channels/x')).toMatchObject({ status: 422, json: { details: { channelId: [expect.any(String)] } } });
  });
});
