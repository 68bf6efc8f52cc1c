import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { mailEvent } from '../../src/connectors/email/raw.ts';
import { mail } from '../connectors/email/mail.ts';
import { type TestApi, testApi } from '../support/api.ts';

let api: TestApi;

beforeAll(async () => {
  api = await testApi({ MICROSOFT_LOGIN_URL: 'http://127.0.0.1:9', GOOGLE_OAUTH_URL: 'http://127.0.0.1:9' });
});

const SECONDS = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;
const newMailbox = (email: string, more: object = {}) =>
  api.call('POST', '/api/v2/email/channels', { name: 'Support Inbox', email, provider: 'aurion', ...more });

describe('email channels', () => {
  it('are created, listed, changed and deleted as the document shows', async () => {
    const created = await newMailbox('support@example.com', {
      provider: 'microsoft',
      provider_config: { client_id: 'azure_app_client_id', tenant_id: 'azure_tenant_id' },
    });
    expect(created.status, created.text).toBe(201);
    expect(created.body).toMatchObject({
      id: expect.stringMatching(/^ec_[0-9a-f]{32}$/),
      name: 'Support Inbox',
      email: 'support@example.com',
      provider: 'microsoft',
      status: 'pending',
      created_at: expect.stringMatching(SECONDS),
    });
    const list = await api.call('GET', '/api/v2/email/channels');
    expect(list.body).toMatchObject({ total: 1, limit: 25, offset: 0, data: [{ id: created.body.id }] });
    const changed = await api.call('PATCH', `/api/v2/email/channels/${created.body.id}`, { name: 'Updated Support Inbox' });
    expect(changed.body.name).toBe('Updated Support Inbox');
    const primary = await api.call('DELETE', `/api/v2/email/channels/${created.body.id}`);
    expect([primary.status, primary.body.error]).toEqual([409, 'conflict']);
    expect((await newMailbox('first@example.com')).body).toMatchObject({ provider: 'aurion', status: 'active', is_primary: true });
    const second = await newMailbox('second@example.com');
    expect(second.body).toMatchObject({ provider: 'aurion', status: 'active', is_primary: false });
    expect((await api.call('DELETE', `/api/v2/email/channels/${second.body.id}`)).status).toBe(204);
    expect((await api.call('GET', `/api/v2/email/channels/${second.body.id}`)).status).toBe(404);
    expect((await newMailbox('second@example.com')).status).toBe(201);
  });

  it('never give back a secret, and never belong to somebody else', async () => {
    const secret = 'hunter2-secret';
    const made = await newMailbox('own@server.example', {
      provider: 'smtp',
      provider_config: { host: '127.0.0.1', port: 9, username: 'u', password: secret, use_tls: true, imap_host: '127.0.0.1', imap_port: 9 },
    });
    expect([201, 422]).toContain(made.status);
    const everything = await api.call('GET', '/api/v2/email/channels');
    expect(made.text + everything.text).not.toContain(secret);
    const stranger = await api.caller();
    expect((await stranger.call('GET', '/api/v2/email/channels')).body.total).toBe(0);
    const id = everything.body.data[0].id;
    for (const method of ['GET', 'PATCH', 'DELETE']) {
      expect((await stranger.call(method, `/api/v2/email/channels/${id}`, method === 'PATCH' ? { name: 'mine' } : undefined)).status).toBe(
        404,
      );
    }
  });

  it('say which field is wrong', async () => {
    const answer = await api.call('POST', '/api/v2/email/channels', { name: 'x', email: 'nothing', provider: 'aurion' });
    expect(answer.status).toBe(422);
    expect(answer.body).toMatchObject({ error: 'validation_error', details: [{ field: 'email', message: expect.any(String) }] });
    const reader = await api.caller({ workspaceId: api.workspaceId, scopes: ['channels:read'] });
    const refused = await reader.call('POST', '/api/v2/email/channels', { name: 'x', email: 'a@b.example', provider: 'aurion' });
    expect(refused.body).toEqual({ error: 'forbidden', message: 'API key lacks required scope: channels:write' });
    const nobody = await api.app.inject({ url: '/api/v2/email/channels' });
    expect(nobody.json()).toEqual({ error: 'unauthorized', message: 'Invalid or missing API key' });
  });
});

describe('saved replies', () => {
  it('are made, found, changed and taken away', async () => {
    const body = 'Hi {{contact_name}},\n\nTo reset your password:\n1. Go to https://login.example.com/reset';
    const created = await api.call('POST', '/api/v2/saved-replies', {
      title: 'Password Reset Instructions',
      category: 'Account Access',
      body,
    });
    expect(created.status).toBe(201);
    expect(created.body).toMatchObject({
      id: expect.stringMatching(/^sr_/),
      category: 'Account Access',
      body,
      variables: ['contact_name'],
    });
    await api.call('POST', '/api/v2/saved-replies', { title: '100% refund_policy', body: 'x' });
    const blank = await api.call('POST', '/api/v2/saved-replies', { title: 'Blank', body: ' \n ' });
    expect([blank.status, blank.body.details]).toEqual([422, [{ field: 'body', message: 'must not be blank' }]]);
    const found = async (search: string) =>
      (await api.call('GET', `/api/v2/saved-replies?search=${encodeURIComponent(search)}`)).body.data.map(
        (reply: { title: string }) => reply.title,
      );
    expect(await found('PASSWORD')).toEqual(['Password Reset Instructions']);
    expect(await found('%')).toEqual(['100% refund_policy']);
    expect(await found('d_p')).toEqual(['100% refund_policy']);
    const changed = await api.call('PATCH', `/api/v2/saved-replies/${created.body.id}`, { body: 'Updated reply content...' });
    expect(changed.body).toMatchObject({ title: 'Password Reset Instructions', body: 'Updated reply content...' });
    const stranger = await api.caller();
    expect((await stranger.call('GET', `/api/v2/saved-replies/${created.body.id}`)).status).toBe(404);
    expect((await api.call('DELETE', `/api/v2/saved-replies/${created.body.id}`)).status).toBe(204);
    expect((await api.call('GET', `/api/v2/saved-replies/${created.body.id}`)).status).toBe(404);
  });
});

describe('conversations', () => {
  it('list what came by mail, with filters, and answer with a saved reply that is filled in', async () => {
    await newMailbox('desk@example.com');
    const take = (raw: Buffer) => api.engine.ingest.submit([mailEvent('desk@example.com', raw)]);
    await take(mail({ From: 'Zoe Quinn <zoe@c.example>', Subject: 'Lost key', 'Message-ID': '<c1@x>', To: 'desk@example.com' }));
    await take(mail({ From: 'Bob <bob@c.example>', Subject: 'Invoice', 'Message-ID': '<c2@x>', To: 'desk@example.com' }));
    const list = await api.call('GET', '/api/v2/conversations?channel=email&search=zoe');
    expect(list.body.total).toBe(1);
    const [conversation] = list.body.data;
    expect(conversation).toEqual({
      id: expect.stringMatching(/^conv_[0-9a-f]{32}$/),
      subject: 'Lost key',
      status: 'open',
      priority: 'medium',
      channel: 'email',
      contact_id: expect.stringMatching(/^ct_/),
      contact_name: 'Zoe Quinn',
      assigned_team_id: null,
      assigned_agent_id: null,
      tags: [],
      created_at: expect.stringMatching(SECONDS),
      last_activity_at: expect.stringMatching(SECONDS),
    });
    const patched = await api.call('PATCH', `/api/v2/conversations/${conversation.id}`, { status: 'pending', priority: 'urgent' });
    expect(patched.body).toMatchObject({ status: 'pending', priority: 'urgent' });
    for (const query of ['status=pending', 'priority=urgent', `contact_id=${conversation.contact_id}`]) {
      const found = await api.call('GET', `/api/v2/conversations?${query}`);
      expect(
        found.body.data.map((item: { id: string }) => item.id),
        query,
      ).toEqual([conversation.id]);
    }
    expect((await api.call('GET', '/api/v2/conversations?channel=whatsapp')).body.total).toBe(0);
    for (const contact of ['ct_nobody', 'nobody', '']) {
      const none = await api.call('GET', `/api/v2/conversations?contact_id=${contact}`);
      expect([contact, none.status, none.body.total]).toEqual([contact, contact ? 200 : 422, contact ? 0 : undefined]);
    }
    expect((await api.call('GET', '/api/v2/conversations?status=odd')).body.details[0].field).toBe('status');
    const reply = await api.call('POST', '/api/v2/saved-replies', {
      title: 'Hello',
      body: 'Hi {{contact_name}}, about {{subject}}: {{ticket}}',
    });
    const sent = await api.call('POST', `/api/v2/conversations/${conversation.id}/messages`, { saved_reply_id: reply.body.id });
    expect(sent.status, sent.text).toBe(201);
    expect(sent.body).toMatchObject({ direction: 'outbound', content: 'Hi Zoe Quinn, about Lost key: {{ticket}}', unresolved: ['ticket'] });
    const messages = await api.call('GET', `/api/v2/conversations/${conversation.id}/messages`);
    expect(messages.body.data.map((item: { direction: string }) => item.direction)).toEqual(['outbound', 'inbound']);
    const stranger = await api.caller();
    for (const path of ['', '/messages'])
      expect((await stranger.call('GET', `/api/v2/conversations/${conversation.id}${path}`)).status).toBe(404);
  });
});

describe('whatever comes in', () => {
  it('is never answered with a 5xx', async () => {
    const value = fc.oneof(
      fc.string(),
      fc.string({ unit: 'binary' }),
      fc.integer(),
      fc.constant(null),
      fc.object({ maxDepth: 2 }),
      fc.constant('\u0000'),
    );
    const field = fc.constantFrom(
      'name',
      'email',
      'status',
      'provider_config',
      'title',
      'body',
      'category',
      'priority',
      'content',
      'variables',
      'subject',
    );
    const body = fc.oneof(fc.dictionary(field, value), value);
    const area = fc.constantFrom('email/channels', 'whatsapp/channels', 'whatsapp/templates', 'saved-replies', 'conversations');
    const path = fc.oneof(
      area.map((name) => `/api/v2/${name}`),
      fc.tuple(area, fc.string()).map(([name, id]) => `/api/v2/${name}/${encodeURIComponent(id)}`),
      fc.string().map((search) => `/api/v2/conversations?search=${encodeURIComponent(search)}&tags=${encodeURIComponent(search)}`),
    );
    await fc.assert(
      fc.asyncProperty(fc.constantFrom('GET', 'POST', 'PATCH', 'DELETE'), path, body, async (method, url, content) => {
        const payload = method === 'GET' ? undefined : JSON.stringify(content);
        const answer = await api.call(method, url, payload, { 'content-type': 'application/json' });
        expect(answer.status, `${method} ${url} ${payload} ${answer.text}`).toBeLessThan(500);
        if (answer.status >= 400) expect(answer.body).toHaveProperty('error');
      }),
      { numRuns: 300 },
    );
  });
});
