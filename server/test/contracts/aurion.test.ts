/** Document 000 as an Aurion client replays it. */
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { newTemplate } from '../../../sandbox/meta/state.ts';
import { type Client, startWorld, type World } from './world.ts';

let world: World;
let client: Client;
beforeAll(async () => {
  world = await startWorld();
});
beforeEach(async () => {
  client = await world.client();
  world.metaCalls.length = 0;
  waba().templates = [];
});

const SAMPLE = { name: 'Support WhatsApp', phone_number: '+33612345678', business_account_id: '987654321', api_key: 'user-token' };
const CHANNEL = {
  id: expect.stringMatching(/^wac_[0-9a-f]+$/),
  phone_number_id: '123456789',
  waba_id: '987654321',
  display_number: '+33612345678',
  display_name: 'Support WhatsApp',
  quality_rating: 'GREEN',
  messaging_tier: 'TIER_1',
  is_active: true,
  created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
};

const waba = () => world.meta.state.waba('987654321')!;
const api = (method: string, path: string, body?: unknown, headers?: Record<string, string>) =>
  client.call(method, `/api/v2${path}`, body, headers);
const create = async () => (await api('POST', '/whatsapp/channels', SAMPLE)).json;
const invalid = (field: string) => ({
  error: 'validation_error',
  message: expect.any(String),
  details: [{ field, message: expect.any(String) }],
});

describe('WhatsApp channels', () => {
  it('are listed, created, shown, changed and deleted', async () => {
    expect((await api('GET', '/whatsapp/channels')).json).toEqual({ data: [], total: 0, limit: 25, offset: 0 });
    const created = await api('POST', '/whatsapp/channels', SAMPLE);
    expect([created.status, created.json]).toEqual([201, CHANNEL]);
    expect(created.text).not.toContain('user-token');
    const path = `/whatsapp/channels/${created.json.id}`;
    expect((await api('GET', path)).json).toEqual(created.json);
    expect((await api('GET', '/whatsapp/channels?limit=1')).json).toEqual({ data: [created.json], total: 1, limit: 1, offset: 0 });
    expect((await api('PATCH', path, { name: 'Sales' })).json).toEqual({ ...created.json, display_name: 'Sales' });
    expect((await api('PATCH', path, { is_active: false })).json).toMatchObject({ is_active: false });
    expect((await api('PATCH', path, { is_active: true })).json).toMatchObject({ is_active: true });
    expect((await api('PATCH', path, { api_key: 'user-token-2' })).json).toMatchObject({ id: created.json.id, display_name: 'Sales' });
    expect((await api('DELETE', path)).status).toBe(204);
    for (const method of ['GET', 'DELETE']) {
      const gone = await api(method, path);
      expect([gone.status, gone.json]).toEqual([404, { error: 'not_found', message: expect.any(String) }]);
    }
    expect((await api('GET', '/whatsapp/channels')).json.total).toBe(0);
    expect((await api('POST', '/whatsapp/channels', SAMPLE)).status).toBe(201);
  });

  it('show the digits of a number that Airy connected', async () => {
    const airy = await client.airy('channels.whatsapp.connect', { phone_number_id: '1234567', user_token: 'user-token', name: 'Hotline' });
    const [shown] = (await api('GET', '/whatsapp/channels')).json.data;
    expect(shown).toMatchObject({ phone_number_id: '1234567', display_number: '+15550783881', display_name: 'Hotline' });
    expect(shown.id.replace('wac_', '')).toBe(airy.json.id.replaceAll('-', ''));
  });

  it.each([
    ['name', { name: undefined }],
    ['phone_number', { phone_number: undefined }],
    ['phone_number', { phone_number: '+33699999999' }],
    ['business_account_id', { business_account_id: undefined }],
    ['business_account_id', { business_account_id: '404' }],
    ['api_key', { api_key: undefined }],
    ['api_key', { api_key: 'wrong' }],
    ['access_token', { api_key: undefined, access_token: 'wrong' }],
    ['waba_id', { business_account_id: undefined, waba_id: '404' }],
    ['phone_number_id', { phone_number: undefined, phone_number_id: '404' }],
    ['phone_number_id', { phone_number: undefined, phone_number_id: '777000111' }],
  ])('blame %s in %j', async (field, change) => {
    const answer = await api('POST', '/whatsapp/channels', { ...SAMPLE, ...change });
    expect([answer.status, answer.json]).toEqual([422, invalid(field)]);
    expect((await api('GET', '/whatsapp/channels')).json.total).toBe(0);
  });

  it('keep the old key when the new one is refused', async () => {
    const { id } = await create();
    const answer = await api('PATCH', `/whatsapp/channels/${id}`, { api_key: 'wrong' });
    expect([answer.status, answer.json]).toEqual([422, invalid('api_key')]);
    expect((await api('GET', `/whatsapp/channels/${id}`)).json.is_active).toBe(true);
    expect((await api('POST', `/whatsapp/channels/${id}/templates/sync`)).status).toBe(200);
  });

  it('are not stored while the provider is away: 503', async () => {
    world.meta.faults.outages = Number.POSITIVE_INFINITY;
    const answer = await api('POST', '/whatsapp/channels', SAMPLE).finally(() => {
      world.meta.faults.outages = 0;
    });
    expect([answer.status, answer.json.message]).toEqual([503, expect.any(String)]);
    expect((await api('GET', '/whatsapp/channels')).json.total).toBe(0);
  });

  it.each([
    ['TIER_50', 'TIER_0', 'RED', 'RED'],
    ['TIER_250', 'TIER_0', 'YELLOW', 'YELLOW'],
    ['TIER_10K', 'TIER_2', 'NA', 'UNKNOWN'],
    ['TIER_100K', 'TIER_3', 'UNKNOWN', 'UNKNOWN'],
    ['TIER_UNLIMITED', 'TIER_4', 'GREEN', 'GREEN'],
    ['TIER_NEW', 'UNKNOWN', '', 'UNKNOWN'],
  ])('show Meta’s %s as %s, and the rating %s as %s', async (meta, tier, rating, shown) => {
    const { id } = await create();
    const [row] = await world.test.engine.channels.list(client.workspaceId, { sources: ['whatsapp'] });
    const details = { messaging_limit_tier: meta, quality_rating: rating };
    await world.test.engine.channels.change(client.workspaceId, row!.id, { details });
    const channel = (await api('GET', `/whatsapp/channels/${id}`)).json;
    expect([channel.messaging_tier, channel.quality_rating]).toEqual([tier, shown]);
  });

  it('are one when several requests come at once', async () => {
    const answers = await Promise.all([1, 2, 3].map(() => api('POST', '/whatsapp/channels', SAMPLE)));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409]);
  });

  it('conflict with themselves', async () => {
    await create();
    const answer = await api('POST', '/whatsapp/channels', SAMPLE);
    expect([answer.status, answer.json]).toEqual([409, { error: 'conflict', message: expect.any(String) }]);
  });
});

describe('templates', () => {
  const BODY = { name: 'ticket_update', language: 'en', body: 'Hi {{1}}, your ticket #{{2}} has been updated. Status: {{3}}' };

  it('are created with example values for Meta, and listed', async () => {
    await create();
    const created = await api('POST', '/whatsapp/templates', BODY);
    expect([created.status, created.json]).toEqual([
      201,
      expect.objectContaining({ id: expect.any(String), ...BODY, status: 'PENDING', category: 'UTILITY' }),
    ]);
    const call = world.metaCalls.find(({ method, url }) => method === 'POST' && url.includes('/987654321/message_templates'))!;
    expect(call.body).toMatchObject({
      name: 'ticket_update',
      language: 'en',
      category: 'UTILITY',
      components: [
        { type: 'BODY', text: BODY.body, example: { body_text: [[expect.any(String), expect.any(String), expect.any(String)]] } },
      ],
    });
    expect((await api('GET', '/whatsapp/templates')).json).toEqual({ data: [created.json], total: 1, limit: 25, offset: 0 });
    for (const [query, total] of [
      ['status=PENDING', 1],
      ['status=APPROVED', 0],
      ['language=en', 1],
      ['language=de', 0],
      ['search=TICKET', 1],
      ['search=%25', 0],
    ] as const) {
      expect([query, (await api('GET', `/whatsapp/templates?${query}`)).json.total]).toEqual([query, total]);
    }
  });

  it.each([
    ['name', { name: 'Ticket Update' }],
    ['body', { body: 'Hi {{2}}' }],
    ['body', { body: 'Hi {{name}}' }],
    ['language', { language: undefined }],
  ])('blame %s in %j', async (field, change) => {
    await create();
    const answer = await api('POST', '/whatsapp/templates', { ...BODY, ...change });
    expect([answer.status, answer.json]).toEqual([422, invalid(field)]);
  });

  it('need a channel, and to be told which of several', async () => {
    const none = await api('POST', '/whatsapp/templates', BODY);
    expect([none.status, none.json]).toEqual([409, { error: 'conflict', message: expect.any(String) }]);
    const { id } = await create();
    await api('POST', '/whatsapp/channels', { ...SAMPLE, business_account_id: '555000111', phone_number: '+4915123456789' });
    expect((await api('POST', '/whatsapp/templates', BODY)).json).toEqual(invalid('channel_id'));
    expect((await api('POST', '/whatsapp/templates', { ...BODY, channel_id: id })).status).toBe(201);
    expect((await api('GET', `/whatsapp/templates?channel_id=${id}`)).json.total).toBe(1);
  });

  it('that Meta refuses are told in its words, nothing stored', async () => {
    await create();
    await api('POST', '/whatsapp/templates', BODY);
    const again = await api('POST', '/whatsapp/templates', BODY);
    expect([again.status, Object.keys(again.json)]).toEqual([422, ['error', 'message', 'details']]);
    expect((await api('GET', '/whatsapp/templates')).json.total).toBe(1);
  });

  const seed = (count: number) => {
    waba().templates = Array.from({ length: count }, (_, n) => newTemplate({ name: `template_${n}`, language: 'en' }));
  };

  it('are synced over all pages: seen, added, changed', async () => {
    const { id } = await create();
    const sync = async () => (await api('POST', `/whatsapp/channels/${id}/templates/sync`)).json;
    seed(230);
    expect(await sync()).toEqual({ ok: true, templates_synced: 230, templates_added: 230, templates_updated: 0 });
    expect(await sync()).toEqual({ ok: true, templates_synced: 230, templates_added: 0, templates_updated: 0 });
    waba().templates[0]!.status = 'REJECTED';
    waba().templates[1]!.components = [{ type: 'BODY', text: 'new' }];
    const gone = waba().templates.pop()!;
    waba().templates.push(newTemplate({ name: 'added', language: 'de' }));
    expect(await sync()).toEqual({ ok: true, templates_synced: 230, templates_added: 1, templates_updated: 2 });
    expect((await api('GET', '/whatsapp/templates?status=REJECTED')).json.data).toMatchObject([{ name: 'template_0' }]);
    expect((await api('GET', '/whatsapp/templates?status=DELETED')).json.data).toMatchObject([{ name: gone.name }]);
  });

  it('are left as they were when a sync breaks off half-way', async () => {
    const { id } = await create();
    seed(230);
    let pages = 0;
    world.onMetaCall = ({ url }) => {
      if (url.includes('message_templates') && ++pages === 2) world.meta.faults.outages = Number.POSITIVE_INFINITY;
    };
    const answer = await api('POST', `/whatsapp/channels/${id}/templates/sync`).finally(() => {
      world.meta.faults.outages = 0;
      world.onMetaCall = undefined;
    });
    expect(pages).toBeGreaterThanOrEqual(2);
    expect(answer.status).toBeGreaterThanOrEqual(500);
    expect(answer.json).toEqual({ error: expect.any(String), message: expect.any(String) });
    expect((await api('GET', '/whatsapp/templates')).json.total).toBe(0);
  });
});

describe('send-test', () => {
  const MESSAGE = { to_wa_id: '33612345678', body: 'Hello! This is a test message from Aurion.' };

  it('reaches the provider within the window', async () => {
    const { id } = await create();
    world.meta.whatsappCustomer('123456789', { phone: '33612345678' }).text('hi');
    await world.meta.webhooks.settled();
    for (const to of ['33612345678', '+33612345678']) {
      const answer = await api('POST', `/whatsapp/channels/${id}/send-test`, { ...MESSAGE, to_wa_id: to });
      expect([answer.status, answer.json]).toEqual([
        200,
        { ok: true, status: 'sent', provider_message_id: expect.stringMatching(/^wamid\./) },
      ]);
    }
    const sent = world.meta.state.sent.at(-1)!;
    expect(sent).toMatchObject({ from: '123456789', to: '33612345678', body: { type: 'text', text: { body: MESSAGE.body } } });
  });

  it('is refused outside the window before the provider is asked', async () => {
    const { id } = await create();
    world.metaCalls.length = 0;
    const answer = await api('POST', `/whatsapp/channels/${id}/send-test`, { ...MESSAGE, to_wa_id: '33600000009' });
    expect([answer.status, answer.json]).toMatchObject([422, { error: 'window_closed', message: expect.stringMatching(/template/i) }]);
    // The clock's own look at the new channel's templates may fall in between.
    expect(world.metaCalls.filter(({ method }) => method === 'POST')).toEqual([]);
  });

  it("tells the provider's refusal", async () => {
    const { id } = await create();
    world.meta.whatsappCustomer('123456789', { phone: '33612345671' }).text('hi');
    await world.meta.webhooks.settled();
    world.meta.faults.refusals = { status: 400, code: 131026, message: '(#131026) Message undeliverable', left: 1 };
    const answer = await api('POST', `/whatsapp/channels/${id}/send-test`, { ...MESSAGE, to_wa_id: '33612345671' });
    expect([answer.status, answer.json]).toEqual([422, { ok: false, status: 'failed', error: expect.any(String) }]);
    const wrong = await api('POST', `/whatsapp/channels/${id}/send-test`, { to_wa_id: 'nobody', body: 'x' });
    expect([wrong.status, wrong.json]).toEqual([422, invalid('to_wa_id')]);
  });
});

describe('saved replies', () => {
  const REPLY = { title: 'Password Reset Instructions', category: 'Account Access', body: 'Hi {{contact_name}},\n\n100% sure_thing' };

  it('are created, found by any case and literally, changed', async () => {
    const created = await api('POST', '/saved-replies', REPLY);
    expect([created.status, created.json]).toEqual([201, expect.objectContaining({ id: expect.stringMatching(/^sr_/), ...REPLY })]);
    for (const [search, total] of [
      ['password', 1],
      ['PASSWORD', 1],
      ['100%', 1],
      ['%', 1],
      ['sure_t', 1],
      ['sure.t', 0],
      ['sureXt', 0],
      ['_', 1],
      ['nothing', 0],
    ] as const) {
      expect([search, (await api('GET', `/saved-replies?search=${encodeURIComponent(search)}`)).json.total]).toEqual([search, total]);
    }
    const changed = await api('PATCH', `/saved-replies/${created.json.id}`, { body: 'Updated reply content...' });
    expect(changed.json).toMatchObject({
      id: created.json.id,
      title: REPLY.title,
      category: REPLY.category,
      body: 'Updated reply content...',
    });
    const list = await api('GET', '/saved-replies?search=password');
    expect(list.json).toMatchObject({ data: [{ id: created.json.id }], total: 1, limit: 25, offset: 0 });
  });
});

describe('email channels', () => {
  it('microsoft without a consent is pending, and the first is primary', async () => {
    const sample = {
      name: 'Support Inbox',
      email: 'support@example.com',
      provider: 'microsoft',
      provider_config: { client_id: 'azure_app_client_id', tenant_id: 'azure_tenant_id' },
    };
    const created = await api('POST', '/email/channels', sample);
    expect([created.status, created.json]).toMatchObject([
      201,
      {
        id: expect.stringMatching(/^ec_/),
        name: 'Support Inbox',
        email: 'support@example.com',
        provider: 'microsoft',
        status: 'pending',
        created_at: expect.stringMatching(/:\d\dZ$/),
      },
    ]);
    expect((await api('GET', '/email/channels')).json).toMatchObject({ data: [{ id: created.json.id }], total: 1, limit: 25, offset: 0 });
    const renamed = await api('PATCH', `/email/channels/${created.json.id}`, { name: 'Updated Support Inbox' });
    expect([renamed.status, renamed.json.name]).toEqual([200, 'Updated Support Inbox']);
  });

  it('aurion: active, primary, not to be deleted; the second is', async () => {
    const [first, second] = [
      await api('POST', '/email/channels', { name: 'IT Support', email: `it@${client.workspaceId}.example.com`, provider: 'aurion' }),
      await api('POST', '/email/channels', { name: 'HR', email: `hr@${client.workspaceId}.example.com`, provider: 'aurion' }),
    ];
    expect([first.status, second.status]).toEqual([201, 201]);
    const refused = await api('DELETE', `/email/channels/${first.json.id}`);
    expect([refused.status, refused.json]).toEqual([409, { error: 'conflict', message: expect.any(String) }]);
    expect((await api('DELETE', `/email/channels/${second.json.id}`)).status).toBe(204);
    expect((await api('GET', '/email/channels')).json.total).toBe(1);
  });

  it.each([
    ['provider', { provider: 'yahoo' }],
    ['email', { email: 'nobody' }],
    ['name', { name: undefined }],
  ])('blame %s in %j', async (field, change) => {
    const answer = await api('POST', '/email/channels', { name: 'x', email: 'a@example.com', provider: 'aurion', ...change });
    expect([answer.status, answer.json]).toEqual([422, invalid(field)]);
  });
});

describe('who may call', () => {
  it('is told what is missing', async () => {
    const nobody = await world.raw('GET', '/api/v2/whatsapp/channels', { headers: { 'x-api-key': 'ak_live_wrong' } });
    expect([nobody.status, nobody.json]).toEqual([401, { error: 'unauthorized', message: 'Invalid or missing API key' }]);
    const reader = await world.client(['channels:read', 'tickets:read']);
    expect((await reader.call('GET', '/api/v2/whatsapp/channels')).status).toBe(200);
    const refused = { error: 'forbidden', message: 'API key lacks required scope: channels:write' };
    for (const [method, path] of [
      ['POST', '/whatsapp/channels'],
      ['POST', '/whatsapp/templates'],
      ['PATCH', '/email/channels/ec_abc123'],
      ['DELETE', '/whatsapp/channels/wac_abc123'],
      ['POST', '/whatsapp/channels/wac_abc123/send-test'],
      ['POST', '/saved-replies'],
    ] as const) {
      const answer = await reader.call(method, `/api/v2${path}`, {});
      expect([answer.status, answer.json]).toEqual([403, refused]);
    }
    const writer = await world.client(['channels:write']);
    expect((await writer.call('POST', '/api/v2/saved-replies', { title: 'a', body: 'b' })).status).toBe(201);
    const unread = await writer.call('GET', '/api/v2/saved-replies');
    expect([unread.status, unread.json]).toEqual([403, { error: 'forbidden', message: 'API key lacks required scope: channels:read' }]);
  });

  it('is told of limits out of range and of bodies that are no JSON', async () => {
    for (const path of ['/whatsapp/channels', '/email/channels', '/whatsapp/templates', '/saved-replies', '/conversations']) {
      for (const query of ['limit=0', 'limit=101', 'limit=x', 'limit=1.5', 'limit=', 'offset=-1', 'offset=99999999999999999999']) {
        const answer = await api('GET', `${path}?${query}`);
        expect([path, query, answer.status, answer.json]).toEqual([path, query, 422, invalid(query.split('=')[0]!)]);
      }
    }
    const broken = await world.raw('POST', '/api/v2/saved-replies', {
      headers: { 'x-api-key': client.key, 'content-type': 'application/json' },
      body: '{"title":',
    });
    expect([broken.status, Object.keys(broken.json)]).toEqual([400, ['error', 'message']]);
    const both = await api('GET', '/saved-replies?limit=0&offset=x');
    expect(both.json.details.map(({ field }: { field: string }) => field)).toEqual(['limit', 'offset']);
    const named = await api('POST', '/email/channels', { name: 'x', email: 'nobody', provider: 'aurion' });
    expect(named.json.message).toBe('email is not a mail address');
  });
});

describe('Idempotency-Key', () => {
  const headers = { 'idempotency-key': 'key-1' };

  it('gives the first answer again, and 409 for another payload', async () => {
    const first = await api('POST', '/saved-replies', { title: 'a', body: 'b' }, headers);
    const again = await api('POST', '/saved-replies', { title: 'a', body: 'b' }, headers);
    expect([again.status, again.json, again.headers.get('idempotent-replayed')]).toEqual([201, first.json, 'true']);
    const other = await api('POST', '/saved-replies', { title: 'a', body: 'c' }, headers);
    expect([other.status, other.json]).toEqual([409, { error: 'idempotency_conflict', message: expect.any(String) }]);
    expect((await api('GET', '/saved-replies')).json.total).toBe(1);
  });

  it('connects a channel once', async () => {
    const answers = [await api('POST', '/whatsapp/channels', SAMPLE, headers), await api('POST', '/whatsapp/channels', SAMPLE, headers)];
    expect(answers.map(({ status, json }) => [status, json.id])).toEqual([
      [201, answers[0]!.json.id],
      [201, answers[0]!.json.id],
    ]);
  });
});
