import Fastify, { type FastifyInstance } from 'fastify';
import { beforeAll, describe, expect, it } from 'vitest';
import { type TestApi, testApi } from '../support/api.ts';

/** Just enough of a sign-in and of Graph: a code is good for a refresh token, and the mailbox can be read. */
let provider: FastifyInstance;
let api: TestApi;
let channelId: string;
const codes: string[] = [];

beforeAll(async () => {
  provider = Fastify();
  provider.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_request, body, done) => done(null, body));
  provider.post('/tenant/oauth2/v2.0/token', async (request, reply) => {
    const form = new URLSearchParams(request.body as string);
    if (form.get('grant_type') === 'refresh_token') return { access_token: 'access', expires_in: 3600 };
    const code = form.get('code');
    if (code !== 'good') return reply.code(400).send({ error: 'invalid_grant', error_description: 'The code has expired.' });
    codes.push(code);
    return { access_token: 'access', refresh_token: 'the-refresh-token', expires_in: 3600 };
  });
  provider.all('/*', async () => ({ id: 'x', value: [], displayName: 'Inbox' }));
  const url = await provider.listen({ port: 0, host: '127.0.0.1' });
  api = await testApi({ MICROSOFT_LOGIN_URL: url, MICROSOFT_GRAPH_URL: url, PUBLIC_URL: 'http://patchbay.example' });
  const made = await api.call('POST', '/api/v2/email/channels', {
    name: 'Box',
    email: 'box@m365.example',
    provider: 'microsoft',
    provider_config: { client_id: 'client', tenant_id: 'tenant' },
  });
  expect(made.body.status).toBe('pending');
  channelId = (await api.engine.channels.list(api.workspaceId))[0]!.id;
  return () => provider.close();
});

const start = () => api.call('POST', `/workspaces/${api.workspaceId}/channels/${channelId}/consent`);
const stateOf = (url: string) => new URL(url).searchParams.get('state')!;
const back = (query: Record<string, string>, cookie = '') =>
  api.app.inject({ url: `/oauth/callback?${new URLSearchParams(query)}`, headers: { cookie } });

describe('consent in the browser', () => {
  it('leads to the provider, and back to a channel that works', async () => {
    const started = await start();
    expect(started.status, started.text).toBe(200);
    const page = new URL(started.body.url);
    expect(page.searchParams.get('redirect_uri')).toBe('http://patchbay.example/oauth/callback');
    expect(page.searchParams.get('login_hint')).toBe('box@m365.example');
    const state = stateOf(started.body.url);
    const answer = await back({ state, code: 'good' });
    expect([answer.statusCode, answer.headers.location]).toEqual([302, `/channels/${channelId}?consent=granted`]);
    const row = await api.engine.channels.get(api.workspaceId, channelId);
    expect(row.status).not.toBe('pending');
    expect(api.engine.channels.view(row).credentials).toMatchObject({ refresh_token: 'the-refresh-token' });
    const again = await back({ state, code: 'good' });
    expect(again.statusCode).toBe(410);
    expect(codes).toHaveLength(1);
  });

  it('tells on the channel’s page what went wrong, and leaves the channel as it was', async () => {
    const denied = await back({ state: stateOf((await start()).body.url), error: 'access_denied', error_description: 'The user said no' });
    expect(denied.headers.location).toBe(`/channels/${channelId}?consent=refused&reason=The+user+said+no`);
    const late = await back({ state: stateOf((await start()).body.url), code: 'late' });
    expect(late.headers.location).toContain('consent=refused&reason=The+code+has+expired');
    const row = await api.engine.channels.get(api.workspaceId, channelId);
    expect(api.engine.channels.view(row).credentials).toMatchObject({ refresh_token: 'the-refresh-token' });
  });

  it('ends only in the browser that began it', async () => {
    const session = await api.app.inject({ method: 'POST', url: '/session', payload: { key: api.key } });
    const cookies = session.cookies.map(({ name, value }) => `${name}=${value}`).join('; ');
    const begin = () => api.app.inject({ url: `/oauth/start/${channelId}`, headers: { cookie: cookies } });
    const started = await begin();
    expect(started.statusCode).toBe(302);
    const other = await back({ state: stateOf(started.headers.location!), code: 'good' }, 'patchbay_consent=stolen');
    expect(other.headers.location).toContain('another+browser');
    const second = await begin();
    const own = second.cookies.find(({ name }) => name === 'patchbay_consent')!;
    const fine = await back({ state: stateOf(second.headers.location!), code: 'good' }, `patchbay_consent=${own.value}`);
    expect(fine.headers.location).toContain('consent=granted');
  });

  it('needs a key of the channel’s workspace, and a channel that needs consent', async () => {
    const stranger = await api.caller();
    expect((await stranger.call('POST', `/workspaces/${api.workspaceId}/channels/${channelId}/consent`)).status).toBe(404);
    expect((await stranger.call('GET', `/oauth/start/${channelId}`)).status).toBe(404);
    expect((await api.app.inject({ url: `/oauth/start/${channelId}` })).statusCode).toBe(401);
    const built = await api.call('POST', '/api/v2/email/channels', { name: 'B', email: 'b@own.example', provider: 'aurion' });
    const rows = await api.engine.channels.list(api.workspaceId);
    const id = rows.find((row) => row.sourceChannelId === built.body.email)!.id;
    expect((await api.call('GET', `/oauth/start/${id}`)).body.code).toBe('not-supported');
  });
});
