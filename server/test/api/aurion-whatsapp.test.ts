import { beforeAll, describe, expect, it } from 'vitest';
import { createMetaSandbox, type MetaSandbox } from '../../../sandbox/meta/index.ts';
import { type TestApi, testApi } from '../support/api.ts';
import { until } from '../support/until.ts';

let meta: MetaSandbox;
let api: TestApi;
let channelId: string;

const NUMBER = { id: '123456789', display_phone_number: '+33 6 12 34 56 78', verified_name: 'Verified' };
const body = { name: 'Support WhatsApp', phone_number: '+33612345678', business_account_id: '987654321', api_key: 'good-token' };
const template = (n: number) => ({
  name: `t_${n}`,
  language: 'en',
  status: 'APPROVED',
  components: [{ type: 'BODY', text: `Hello ${n}` }],
});

beforeAll(async () => {
  meta = createMetaSandbox({
    appId: 'app-1',
    appSecret: 'app-secret',
    tokens: [{ value: 'good-token' }, { value: 'newer-token' }],
    wabas: [{ id: '987654321', numbers: [NUMBER], templates: Array.from({ length: 12 }, (_, n) => template(n)) }],
  });
  const url = await meta.app.listen({ port: 0, host: '127.0.0.1' });
  api = await testApi({ META_GRAPH_URL: url, META_APP_ID: 'app-1', META_APP_SECRET: 'app-secret', META_VERIFY_TOKEN: 'verify' });
  return () => meta.app.close();
});

const create = (more: object = {}) => api.call('POST', '/api/v2/whatsapp/channels', { ...body, ...more });
const sync = () => api.call('POST', `/api/v2/whatsapp/channels/${channelId}/templates/sync`);

describe('WhatsApp channels', () => {
  it('refuse a bad key and an unknown number by the request’s field names, and store nothing', async () => {
    const badKey = await create({ api_key: 'wrong' });
    expect([badKey.status, badKey.body.details?.[0]?.field], badKey.text).toEqual([422, 'api_key']);
    const unknown = await create({ phone_number: '+33699999999' });
    expect([unknown.status, unknown.body.details?.[0]?.field], unknown.text).toEqual([422, 'phone_number']);
    const missing = await create({ name: undefined, api_key: undefined });
    expect(missing.body.details.map((problem: { field: string }) => problem.field)).toEqual(['name', 'api_key']);
    meta.faults.outages = 1000;
    expect((await create()).status).toBe(503);
    meta.faults.outages = 0;
    expect((await api.call('GET', '/api/v2/whatsapp/channels')).body.total).toBe(0);
  });

  it('are created and shown as the document does, without the key', async () => {
    const created = await create();
    expect(created.status, created.text).toBe(201);
    channelId = created.body.id;
    expect(created.body).toMatchObject({
      id: expect.stringMatching(/^wac_[0-9a-f]{32}$/),
      phone_number_id: '123456789',
      waba_id: '987654321',
      display_name: 'Support WhatsApp',
      quality_rating: 'GREEN',
      messaging_tier: expect.stringMatching(/^TIER_\d$/),
      is_active: true,
      created_at: expect.stringMatching(/Z$/),
    });
    expect(created.body.display_number.replace(/\s/g, '')).toBe('+33612345678');
    const shown = await api.call('GET', `/api/v2/whatsapp/channels/${channelId}`);
    expect(shown.body).toEqual(created.body);
    const list = await api.call('GET', '/api/v2/whatsapp/channels');
    expect(list.body).toMatchObject({ data: [created.body], total: 1, limit: 25, offset: 0 });
    expect(list.text + created.text).not.toContain('good-token');
    expect((await create()).status).toBe(409);
  });

  it('change their name, key and activity', async () => {
    const patch = (change: object) => api.call('PATCH', `/api/v2/whatsapp/channels/${channelId}`, change);
    expect((await patch({ name: 'Renamed' })).body.display_name).toBe('Renamed');
    expect((await patch({ is_active: false })).body.is_active).toBe(false);
    expect((await patch({ is_active: true })).body.is_active).toBe(true);
    const refused = await patch({ api_key: 'wrong' });
    expect([refused.status, refused.body.details?.[0]?.field], refused.text).toEqual([422, 'api_key']);
    expect((await patch({ api_key: 'newer-token' })).status).toBe(200);
    const view = api.engine.channels.view((await api.engine.channels.list(api.workspaceId, { sources: ['whatsapp'] }))[0]!);
    expect(JSON.stringify(view.credentials)).toContain('newer-token');
  });

  it('sync their templates, counting what is new and what changed', async () => {
    expect((await sync()).body).toEqual({ ok: true, templates_synced: 12, templates_added: 12, templates_updated: 0 });
    const templates = meta.state.waba('987654321')!.templates;
    templates[0]!.status = 'PAUSED';
    templates[1]!.components = [{ type: 'BODY', text: 'Changed' }];
    expect((await sync()).body).toEqual({ ok: true, templates_synced: 12, templates_added: 0, templates_updated: 2 });
  });

  it('keep every template as it was when a sync fails half-way', async () => {
    const waba = meta.state.waba('987654321')!;
    for (let n = 12; n < 400; n++) waba.templates.push({ ...structuredClone(waba.templates[2]!), id: `x${n}`, name: `t_${n}` });
    const before = await api.call('GET', '/api/v2/whatsapp/templates?limit=100');
    let calls = 0;
    const templatesOf = Object.getOwnPropertyDescriptor(waba, 'templates')!.value;
    // The second page finds the service down.
    Object.defineProperty(waba, 'templates', {
      configurable: true,
      get: () => {
        calls += 1;
        if (calls === 1) meta.faults.outages = 1000;
        return templatesOf;
      },
    });
    const failed = await sync();
    meta.faults.outages = 0;
    Object.defineProperty(waba, 'templates', { configurable: true, writable: true, value: templatesOf });
    expect(calls).toBe(1);
    expect(failed.status).toBeGreaterThanOrEqual(500);
    expect((await api.call('GET', '/api/v2/whatsapp/templates?limit=100')).body).toEqual(before.body);
    expect((await sync()).body.templates_synced).toBe(400);
  });

  it('send a test message inside the window, and refuse one outside', async () => {
    const test = () => api.call('POST', `/api/v2/whatsapp/channels/${channelId}/send-test`, { to_wa_id: '33612340000', body: 'Hello!' });
    const outside = await test();
    expect([outside.status, outside.body.error], outside.text).toEqual([422, 'window_closed']);
    meta.pointTo(async (request) => {
      const answer = await api.app.inject({ method: 'POST', url: '/hooks/meta', headers: request.headers, payload: request.body });
      return answer.statusCode;
    });
    meta.whatsappCustomer('123456789', { phone: '33612340000', name: 'Kim' }).text('hi');
    await until(async () => (await api.call('GET', '/api/v2/conversations?channel=whatsapp')).body.total === 1);
    const sent = await test();
    expect(sent.body, sent.text).toEqual({ ok: true, status: 'sent', provider_message_id: expect.stringMatching(/^wamid\./) });
  });

  it('tell at once what Meta says to a test, and try it no second time', async () => {
    const test = () => api.call('POST', `/api/v2/whatsapp/channels/${channelId}/send-test`, { to_wa_id: 33612340000, body: 'Hello!' });
    for (const [status, code, message, answered] of [
      [500, 131000, 'Something went wrong', 502],
      [429, 130429, 'Rate limit hit', 502],
      [400, 131026, 'Message undeliverable', 422],
      [400, 131047, 'Re-engagement message', 422],
      [400, 100, 'Invalid parameter', 422],
    ] as const) {
      meta.faults.refusals = { status, code, message, left: 1 };
      const answer = await test();
      expect([answer.status, answer.body], answer.text).toEqual([
        answered,
        { ok: false, status: 'failed', error: expect.stringContaining(message) },
      ]);
    }
    expect(meta.faults.refusals?.left ?? 0).toBe(0);
    // Nothing of that waits in line before the next one.
    await until(async () => (await test()).body.ok === true);
    const allow = (valid: boolean) => {
      for (const token of meta.state.tokens.values()) token.valid = valid;
    };
    allow(false);
    const refused = await test();
    expect([refused.status, refused.body.ok, refused.body.status], refused.text).toEqual([422, false, 'failed']);
    expect((await test()).body).toMatchObject({ ok: false, status: 'failed' });
    allow(true);
    expect((await test()).body, 'after the repair').toMatchObject({ ok: true, status: 'sent' });
  });

  it('list what vanished at Meta as deleted', async () => {
    const waba = meta.state.waba('987654321')!;
    const gone = waba.templates.find(({ name }) => name === 't_399')!;
    waba.templates.splice(waba.templates.indexOf(gone), 1);
    expect((await sync()).body).toMatchObject({ templates_synced: 399, templates_added: 0, templates_updated: 0 });
    const found = (query: string) => api.call('GET', `/api/v2/whatsapp/templates?${query}`);
    expect((await found('search=t_399')).body.data).toMatchObject([{ name: 't_399', status: 'DELETED' }]);
    expect((await found('status=deleted')).body.total).toBe(1);
    expect((await found('search=t_399&status=APPROVED')).body.total).toBe(0);
  });

  it('stay off when their key changes, and ask for one after a disconnect', async () => {
    const path = `/api/v2/whatsapp/channels/${channelId}`;
    const patch = (change: object) => api.call('PATCH', path, change);
    expect((await patch({ is_active: false, api_key: 'good-token' })).body.is_active).toBe(false);
    expect((await patch({ api_key: 'newer-token' })).body.is_active).toBe(false);
    for (const change of [{ is_active: null }, { is_active: 'true' }, { name: 123 }, { name: ' ' }, { name: ['x'] }]) {
      expect([JSON.stringify(change), (await patch(change)).status]).toEqual([JSON.stringify(change), 422]);
    }
    expect((await patch({ is_active: true })).body.is_active).toBe(true);
    await api.engine.channels.disconnect(
      api.workspaceId,
      (await api.engine.channels.list(api.workspaceId, { sources: ['whatsapp'] }))[0]!.id,
    );
    const keyless = await patch({ is_active: true });
    expect([keyless.status, keyless.body.details?.[0]?.field], keyless.text).toEqual([422, 'api_key']);
    const back = await patch({ api_key: 'good-token' });
    expect([back.status, back.body.id, back.body.is_active], back.text).toEqual([200, channelId, true]);
  });

  it('belong to one workspace, and are gone once deleted', async () => {
    const stranger = await api.caller();
    expect((await stranger.call('DELETE', `/api/v2/whatsapp/channels/${channelId}`)).status).toBe(404);
    expect((await stranger.call('POST', `/api/v2/whatsapp/channels/${channelId}/templates/sync`)).status).toBe(404);
    expect((await api.call('DELETE', `/api/v2/whatsapp/channels/${channelId}`)).status).toBe(204);
    expect((await api.call('GET', `/api/v2/whatsapp/channels/${channelId}`)).status).toBe(404);
    expect((await create()).status).toBe(201);
  });
});
