import { beforeAll, describe, expect, it } from 'vitest';
import { type Caller, type TestApi, testApi } from '../support/api.ts';

let api: TestApi;
let live: Caller;
let test: Caller;

beforeAll(async () => {
  api = await testApi();
  live = await api.caller();
  test = await api.caller({ workspaceId: live.workspaceId, sandbox: true });
});

/** What both kinds of key make, each for itself. */
async function make(caller: Caller, name: string) {
  const post = async (url: string, body: object) => {
    const answer = await caller.call('POST', url, body);
    expect(answer.status, `${url} ${answer.text}`).toBe(201);
    return answer.body;
  };
  const integration = await post('/api/integrations', { name, type: 'email' });
  const domain = await post('/api/email-domains', { domain: `${name}.example`, verified: true });
  const number = await post('/api/phone-numbers', { phone_number: name === 'live' ? '+15550000001' : '+15550000002' });
  const channel = await post('/api/channels', {
    name,
    channel_type: 'email',
    integration_id: integration.id,
    send_from_email: `desk@${name}.example`,
    email_domain_id: domain.id,
  });
  const mailbox = await post('/api/v2/email/channels', { name, email: `second@${name}.example`, provider: 'aurion' });
  return { integration, domain, number, channel, mailbox };
}

describe('a test key on the Aurion and Votel surfaces', () => {
  it('sees and touches what test keys made, and nothing else', async () => {
    const theirs = await make(live, 'live');
    const own = await make(test, 'test');
    const lists = [
      ['/api/integrations', 'integrations', [own.integration.id]],
      ['/api/email-domains', 'email_domains', [own.domain.id]],
      ['/api/phone-numbers', 'phone_numbers', [own.number.id]],
      ['/api/channels?channel_type=email&search=desk', 'channels', [own.channel.id]],
      ['/api/v2/email/channels?offset=1', 'data', [own.mailbox.id]],
    ] as const;
    for (const [path, name, ids] of lists) {
      const seen = (await test.call('GET', path)).body[name].map((item: { id: string }) => item.id);
      expect([path, seen]).toEqual([path, ids]);
    }
    expect((await live.call('GET', '/api/integrations')).body.total).toBe(2);
    for (const path of [
      `/api/integrations/${theirs.integration.id}`,
      `/api/email-domains/${theirs.domain.id}`,
      `/api/phone-numbers/${theirs.number.id}`,
      `/api/channels/${theirs.channel.id}`,
      `/api/v2/email/channels/${theirs.mailbox.id}`,
    ]) {
      for (const method of ['GET', 'DELETE']) expect([path, (await test.call(method, path)).status]).toEqual([path, 404]);
      expect((await live.call('GET', path)).status, path).toBe(200);
    }
    const borrowed = await test.call('POST', '/api/channels', {
      name: 'x',
      channel_type: 'email',
      integration_id: theirs.integration.id,
      send_from_email: 'x@test.example',
      email_domain_id: own.domain.id,
    });
    expect([borrowed.status, borrowed.body]).toEqual([404, { detail: 'Integration not found' }]);
    const auto = await test.call('POST', '/api/channels/auto-create-for-email', { email: 'auto@live.example' });
    expect([auto.status, auto.body.error_code]).toEqual([400, 'DOMAIN_NOT_VERIFIED']);
    expect((await test.call('POST', '/api/phone-numbers', { phone_number: '+15550000001' })).status).toBe(409);
  });

  it('has its own WhatsApp numbers, templates, conversations and primary mailbox', async () => {
    const created = await test.call('POST', '/api/v2/whatsapp/channels', {
      name: 'Test number',
      phone_number_id: '555000111',
      waba_id: '555000222',
      api_key: 'anything',
    });
    expect(created.status, created.text).toBe(201);
    expect((await test.call('GET', '/api/v2/whatsapp/channels')).body.total).toBe(1);
    expect((await test.call('POST', '/api/v2/whatsapp/templates', { name: 'hi', language: 'en', body: 'Hello' })).status).toBe(201);
    expect((await test.call('GET', '/api/v2/whatsapp/templates')).body.total).toBe(1);
    const message = { to_wa_id: '33612345678', body: 'Hello' };
    const sent = await test.call('POST', `/api/v2/whatsapp/channels/${created.body.id}/send-test`, message);
    expect(sent.body, sent.text).toMatchObject({ ok: true, status: 'sent' });
    const conversations = (await test.call('GET', '/api/v2/conversations')).body;
    expect(conversations.total).toBe(1);
    const { workspaceId } = live;
    await api.engine.database.query('update channels set sandbox = false where workspace_id = $1 and source = $2', [
      workspaceId,
      'whatsapp',
    ]);
    expect((await test.call('GET', '/api/v2/conversations')).body.total).toBe(0);
    expect((await test.call('GET', `/api/v2/conversations/${conversations.data[0].id}`)).status).toBe(404);
    expect((await test.call('GET', '/api/v2/whatsapp/templates')).body.total).toBe(0);
    expect((await test.call('POST', '/api/v2/whatsapp/templates', { name: 'hi', language: 'en', body: 'Hello' })).status).toBe(409);
    const marked = (await live.call('GET', '/api/v2/email/channels')).body.data.filter((one: { is_primary: boolean }) => one.is_primary);
    expect(marked.map((one: { email: string }) => one.email).sort()).toEqual(['desk@live.example', 'desk@test.example']);
  });
});
