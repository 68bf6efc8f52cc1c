import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { uuidv7 } from '../../src/model/ids.ts';
import { type TestApi, testApi } from '../support/api.ts';

let api: TestApi;
/** The DNS that the domains of this test live in. */
const zone: { txt: Record<string, string[]>; mx: Record<string, string>; away: boolean } = { txt: {}, mx: {}, away: false };

const noData = () => Object.assign(new Error('no data'), { code: 'ENODATA' });
const dns = {
  async resolveTxt(name: string) {
    if (zone.away) throw Object.assign(new Error('timeout'), { code: 'ETIMEOUT' });
    if (!zone.txt[name]) throw noData();
    // Long records come in pieces.
    return zone.txt[name].map((text) => text.match(/.{1,200}/g)!);
  },
  async resolveMx(name: string) {
    if (zone.away) throw Object.assign(new Error('timeout'), { code: 'ETIMEOUT' });
    if (!zone.mx[name]) throw noData();
    return [{ exchange: zone.mx[name], priority: 10 }];
  },
};

beforeAll(async () => {
  api = await testApi({ PUBLIC_URL: 'https://mail.patchbay.example' }, { dns });
});

const SECONDS = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
let domains = 0;

async function emailParts(caller: Pick<TestApi, 'call'> = api) {
  domains += 1;
  const domain = `d${domains}.example`;
  const integration = await caller.call('POST', '/api/integrations', { name: 'Mail', type: 'email' });
  const added = await caller.call('POST', '/api/email-domains', { domain, verified: true });
  return { integration_id: integration.body.id, email_domain_id: added.body.id, domain };
}

async function newEmailChannel(more: object = {}, caller: Pick<TestApi, 'call'> = api) {
  const { domain, ...ids } = await emailParts(caller);
  const body = { name: 'Support Email', channel_type: 'email', send_from_email: `support@${domain}`, ...ids, ...more };
  const answer = await caller.call('POST', '/api/channels', body);
  expect(answer.status, answer.text).toBe(201);
  return { body, channel: answer.body };
}

describe('POST /api/channels', () => {
  it('creates a mailbox as the document shows it', async () => {
    const { body, channel } = await newEmailChannel({ is_default: true });
    expect(channel).toEqual({
      ...body,
      id: expect.stringMatching(UUID),
      tenant_id: api.workspaceId,
      status: 'available',
      is_default: true,
      metadata: {},
      created_at: expect.stringMatching(SECONDS),
    });
    const core = await api.engine.channels.get(api.workspaceId, channel.id);
    expect(core).toMatchObject({ source: 'email', sourceChannelId: body.send_from_email, status: 'active' });
    expect(core.settings.provider).toBe('aurion');
  });

  it('makes an SMS channel by itself when a number is added, and takes the number again after that one is deleted', async () => {
    const integration = await api.call('POST', '/api/integrations', { name: 'Texts', type: 'sms' });
    expect(integration.status).toBe(201);
    const number = await api.call('POST', '/api/phone-numbers', { phone_number: '+15551234567' });
    expect(number.status, number.text).toBe(201);
    const list = await api.call('GET', '/api/channels?channel_type=sms');
    expect(list.body.channels).toEqual([
      expect.objectContaining({
        name: 'SMS - (555) 123-4567',
        channel_type: 'sms',
        send_from_phone_number: '+15551234567',
        phone_number_id: number.body.id,
        status: 'available',
        is_default: false,
        updated_at: expect.stringMatching(SECONDS),
      }),
    ]);
    const body = {
      name: 'Sales SMS',
      channel_type: 'sms',
      integration_id: integration.body.id,
      send_from_phone_number: '+15551234567',
      phone_number_id: number.body.id,
      is_default: false,
    };
    const twice = await api.call('POST', '/api/channels', body);
    expect(twice.status).toBe(409);
    expect(twice.body).toEqual({ detail: expect.stringContaining('SMS - (555) 123-4567') });
    expect((await api.call('DELETE', `/api/channels/${list.body.channels[0].id}`)).status).toBe(204);
    const manual = await api.call('POST', '/api/channels', body);
    expect(manual.status, manual.text).toBe(201);
    expect(manual.body).toEqual({
      ...body,
      id: expect.stringMatching(UUID),
      tenant_id: api.workspaceId,
      status: 'available',
      metadata: {},
      created_at: expect.stringMatching(SECONDS),
    });
    const core = await api.engine.channels.get(api.workspaceId, manual.body.id);
    expect(core).toMatchObject({ source: 'twilio.sms', status: 'pending' });
    expect(core.statusReason).toContain('account_sid');
  });

  it('names what is missing as FastAPI does', async () => {
    const missing = (field: string) => ({ loc: ['body', field], msg: 'Field required', type: 'missing' });
    const none = await api.call('POST', '/api/channels', {});
    expect(none.status).toBe(422);
    expect(none.body.detail).toEqual(expect.arrayContaining([missing('name'), missing('channel_type'), missing('integration_id')]));
    const email = await api.call('POST', '/api/channels', { name: 'x', channel_type: 'email', integration_id: uuidv7() });
    expect(email.body).toEqual({ detail: [missing('send_from_email'), missing('email_domain_id')] });
    const sms = await api.call('POST', '/api/channels', { name: 'x', channel_type: 'sms', integration_id: uuidv7() });
    expect(sms.body).toEqual({ detail: [missing('send_from_phone_number'), missing('phone_number_id')] });
    const type = await api.call('POST', '/api/channels', { name: 'x', channel_type: 'fax', integration_id: uuidv7() });
    expect(type.body.detail[0]).toMatchObject({ loc: ['body', 'channel_type'] });
    const query = await api.call('GET', '/api/channels?page=0');
    expect(query.status).toBe(422);
    expect(query.body.detail[0]).toMatchObject({ loc: ['query', 'page'] });
  });

  it('answers 404 for unknown references, 400 for an unverified domain, 422 for an address outside it', async () => {
    const { domain, ...ids } = await emailParts();
    const body = { name: 'x', channel_type: 'email', send_from_email: `a@${domain}`, ...ids };
    for (const field of ['integration_id', 'email_domain_id']) {
      const answer = await api.call('POST', '/api/channels', { ...body, [field]: uuidv7() });
      expect(answer.status).toBe(404);
      expect(answer.body.detail).toMatch(/not found$/);
    }
    const sms = { name: 'x', channel_type: 'sms', send_from_phone_number: '+15551230000', phone_number_id: uuidv7() };
    const texts = await api.call('POST', '/api/integrations', { name: 'T', type: 'sms' });
    expect((await api.call('POST', '/api/channels', { ...sms, integration_id: texts.body.id })).status).toBe(404);
    const outside = await api.call('POST', '/api/channels', { ...body, send_from_email: 'a@elsewhere.example' });
    expect(outside.body.detail[0]).toMatchObject({ loc: ['body', 'send_from_email'], type: 'value_error' });
    const unverified = await api.call('POST', '/api/email-domains', { domain: 'unverified.example' });
    const refused = await api.call('POST', '/api/channels', {
      ...body,
      send_from_email: 'a@unverified.example',
      email_domain_id: unverified.body.id,
    });
    expect(refused.status).toBe(400);
    expect(refused.body).toEqual({ error_code: 'DOMAIN_NOT_VERIFIED', detail: expect.any(String) });
    const wrongType = await api.call('POST', '/api/channels', { ...body, integration_id: texts.body.id });
    expect(wrongType.body.detail[0].loc).toEqual(['body', 'integration_id']);
  });

  it('refuses an address that is connected already', async () => {
    const { body } = await newEmailChannel();
    const again = await api.call('POST', '/api/channels', body);
    expect(again.status).toBe(409);
    expect(again.body.detail).toContain(body.send_from_email);
  });

  it('makes one of several that come at once', async () => {
    const { domain, ...ids } = await emailParts();
    const body = { name: 'x', channel_type: 'email', send_from_email: `once@${domain}`, ...ids };
    const statuses = await Promise.all([1, 2, 3, 4].map(async () => (await api.call('POST', '/api/channels', body)).status));
    expect(statuses.sort()).toEqual([201, 409, 409, 409]);
  });

  it('knows nothing of a channel that another surface deleted', async () => {
    const { body, channel } = await newEmailChannel({ is_default: true, metadata: { note: 'old' } });
    expect((await api.call('DELETE', `/workspaces/${api.workspaceId}/channels/${channel.id}`)).status).toBe(204);
    expect((await api.call('DELETE', `/api/email-domains/${body.email_domain_id}`)).status).toBe(204);
    const mailbox = { name: 'Again', email: body.send_from_email, provider: 'aurion' };
    expect((await api.call('POST', '/api/v2/email/channels', mailbox)).status).toBe(201);
    expect((await api.call('GET', `/api/channels/${channel.id}`)).body).toMatchObject({
      name: 'Again',
      integration_id: null,
      email_domain_id: null,
      is_default: false,
      metadata: {},
    });
  });
});

describe('the default', () => {
  it('is one for each type, also when several ask at once', async () => {
    const made = await Promise.all([1, 2, 3, 4].map(() => newEmailChannel({ is_default: true })));
    const list = await api.call('GET', '/api/channels?channel_type=email&page_size=100');
    expect(list.body.channels.filter((channel: { is_default: boolean }) => channel.is_default)).toHaveLength(1);
    const put = await api.call('PUT', `/api/channels/${made[0]!.channel.id}`, { is_default: true });
    expect(put.body.is_default).toBe(true);
    const after = await api.call('GET', '/api/channels?channel_type=email&page_size=100');
    const defaults = after.body.channels.filter((channel: { is_default: boolean }) => channel.is_default);
    expect(defaults.map((channel: { id: string }) => channel.id)).toEqual([made[0]!.channel.id]);
    const off = await api.call('PUT', `/api/channels/${made[0]!.channel.id}`, { is_default: false });
    expect(off.body.is_default).toBe(false);
    // Whatever changes of a channel moves its `updated_at`; also of the one that is the default no more.
    await api.engine.database.query(`update channels set updated_at = '2020-01-01', created_at = '2020-01-01'`);
    for (const change of [{ is_default: true }, { metadata: { a: 1 } }, { name: 'New name' }]) {
      const changed = await api.call('PUT', `/api/channels/${made[1]!.channel.id}`, change);
      expect([changed.status, changed.body.updated_at > '2021']).toEqual([200, true]);
      await api.engine.database.query(`update channels set updated_at = '2020-01-01'`);
    }
    // Defaults that move, changes and deletes at once are in nobody's way.
    const [one, two, gone] = [made[1]!.channel.id, made[2]!.channel.id, made[3]!.channel.id];
    const storm = await Promise.all([
      ...[one, two, one, two].map((id) => api.call('PUT', `/api/channels/${id}`, { is_default: true })),
      ...[one, two].map((id) => api.call('PUT', `/api/channels/${id}`, { metadata: { a: 1 } })),
      api.call('PUT', `/api/channels/${gone}`, { is_default: true }),
      api.call('DELETE', `/api/channels/${gone}`),
    ]);
    expect(storm.map(({ status }) => status).filter((status) => status !== 200 && status !== 204 && status !== 404)).toEqual([]);
    await api.call('PUT', `/api/channels/${made[1]!.channel.id}`, { is_default: true });
    await api.engine.database.query(`update channels set updated_at = '2020-01-01'`);
    await api.call('PUT', `/api/channels/${made[2]!.channel.id}`, { is_default: true });
    const demoted = await api.call('GET', `/api/channels/${made[1]!.channel.id}`);
    expect([demoted.body.is_default, demoted.body.metadata, demoted.body.updated_at > '2021']).toEqual([false, { a: 1 }, true]);
  });
});

describe('GET, PUT and DELETE', () => {
  it('page, filter and search', async () => {
    const caller = await api.caller();
    const made = [];
    for (const name of ['One', 'Two 100%', 'Three']) made.push((await newEmailChannel({ name }, caller)).channel);
    const page = await caller.call('GET', '/api/channels?page=2&page_size=2');
    expect(page.body).toMatchObject({ total: 3, page: 2, page_size: 2, total_pages: 2 });
    expect(page.body.channels).toHaveLength(1);
    const names = async (query: string) => {
      const answer = await caller.call('GET', `/api/channels?${query}`);
      return answer.body.channels.map((channel: { name: string }) => channel.name);
    };
    expect(await names('search=two')).toEqual(['Two 100%']);
    expect(await names('search=%25')).toEqual(['Two 100%']);
    expect(await names('channel_type=sms')).toEqual([]);
    const put = await caller.call('PUT', `/api/channels/${made[0].id}`, { name: 'Uno', status: 'unavailable' });
    expect(put.body).toMatchObject({ name: 'Uno', status: 'unavailable', updated_at: expect.stringMatching(SECONDS) });
    expect(await names('status=unavailable')).toEqual(['Uno']);
    const options = await caller.call('GET', '/api/channels?for_options=true&search=uno');
    expect(options.body).toEqual({
      options: [
        {
          id: made[0].id,
          name: `Uno (${made[0].send_from_email})`,
          identifier: made[0].send_from_email,
          category: 'email',
          status: 'unavailable',
          disabled_reason: 'switched off',
        },
      ],
    });
    expect((await caller.call('PUT', `/api/channels/${made[0].id}`, { status: 'available' })).body.status).toBe('available');
  });

  it('keep a channel what it is', async () => {
    const { channel } = await newEmailChannel();
    const same = await api.call('PUT', `/api/channels/${channel.id}`, { channel_type: 'email', send_from_email: channel.send_from_email });
    expect(same.status).toBe(200);
    const written = await api.call('PUT', `/api/channels/${channel.id}`, {
      ...channel,
      send_from_email: channel.send_from_email.toUpperCase(),
    });
    expect([written.status, written.body.send_from_email]).toEqual([200, channel.send_from_email]);
    const other = await api.call('PUT', `/api/channels/${channel.id}`, { channel_type: 'sms', send_from_email: 'x@y.example' });
    expect(other.status).toBe(422);
    expect(other.body.detail.map((problem: { loc: string[] }) => problem.loc[1])).toEqual(['channel_type', 'send_from_email']);
    const status = await api.call('PUT', `/api/channels/${channel.id}`, { status: 'gone' });
    expect(status.body.detail[0].loc).toEqual(['body', 'status']);
  });

  it('delete once', async () => {
    const { channel, body } = await newEmailChannel();
    expect((await api.call('DELETE', `/api/channels/${channel.id}`)).status).toBe(204);
    for (const method of ['GET', 'PUT', 'DELETE']) {
      const answer = await api.call(method, `/api/channels/${channel.id}`, method === 'PUT' ? {} : undefined);
      expect(answer.status).toBe(404);
      expect(answer.body).toEqual({ detail: 'Channel not found' });
    }
    expect((await api.call('POST', '/api/channels', body)).status).toBe(201);
  });
});

describe('POST /api/channels/auto-create-for-email', () => {
  it('makes a mailbox of a verified domain once', async () => {
    const caller = await api.caller();
    const refused = await caller.call('POST', '/api/channels/auto-create-for-email', { email: 'hi@auto.example' });
    expect(refused.status).toBe(400);
    expect(refused.body).toEqual({ error_code: 'DOMAIN_NOT_VERIFIED', detail: 'No verified domain found for this email' });
    await caller.call('POST', '/api/email-domains', { domain: 'auto.example', verified: true });
    const created = await caller.call('POST', '/api/channels/auto-create-for-email', { email: 'Hi@auto.example' });
    expect(created.status).toBe(201);
    const again = await caller.call('POST', '/api/channels/auto-create-for-email', { email: 'hi@auto.example' });
    expect([again.status, again.body.id]).toEqual([200, created.body.id]);
    const asked = await Promise.all(
      [1, 2, 3].map(() => caller.call('POST', '/api/channels/auto-create-for-email', { email: 'at-once@auto.example' })),
    );
    expect(asked.map(({ status }) => status).sort()).toEqual([200, 200, 201]);
    expect(new Set(asked.map(({ body }) => body.id)).size).toBe(1);
    expect((await caller.call('POST', '/api/channels/auto-create-for-email', { email: 'nothing' })).status).toBe(422);
  });
});

describe('/api/email-domains', () => {
  it('is verified by what the DNS says', async () => {
    const added = await api.call('POST', '/api/email-domains', { domain: 'Real.Example.' });
    expect(added.body).toMatchObject({ domain: 'real.example', status: 'pending', verified: false });
    const record = (purpose: string, from = added.body) => from.dns_records.find((item: { purpose: string }) => item.purpose === purpose);
    expect(record('return_path')).toMatchObject({
      type: 'MX',
      name: 'real.example',
      value: '10 mail.patchbay.example',
      status: 'unchecked',
    });
    const verify = async () => (await api.call('POST', `/api/email-domains/${added.body.id}/verify`)).body;
    expect(await verify()).toMatchObject({ status: 'failed', verified: false });
    zone.txt[record('dkim').name] = [record('dkim').value];
    zone.txt['real.example'] = ['google-site-verification=x', 'v=spf1 include:other.example -all'];
    zone.mx['real.example'] = 'MAIL.patchbay.example';
    const half = await verify();
    expect(half.verified).toBe(false);
    expect(record('spf', half)).toMatchObject({ status: 'wrong', message: 'add a:mail.patchbay.example to the SPF record' });
    expect(record('dmarc', half).status).toBe('missing');
    zone.txt['real.example'] = ['v=spf1 include:other.example a:mail.patchbay.example -all'];
    const whole = await verify();
    expect(whole).toMatchObject({ status: 'verified', verified: true, verified_at: expect.stringMatching(SECONDS) });
    zone.away = true;
    expect(await verify()).toMatchObject({ verified: true });
    zone.away = false;
    zone.mx['real.example'] = 'elsewhere.example';
    // Whoever looks at the page gets a warning, and time to mend it.
    const looked = await api.call('POST', `/workspaces/${api.engine.defaultWorkspaceId}/email-domains/${added.body.id}/verify`);
    expect(looked.body).toMatchObject({ status: 'warning', verifiedAt: expect.any(String), failingSince: expect.any(String) });
    expect(await verify()).toMatchObject({ verified: false, status: 'failed' });
  });

  it('refuses what is no domain, and one that is here already', async () => {
    for (const domain of ['localhost', 'a b.example', 'x'.repeat(70), '-.example', '..']) {
      const answer = await api.call('POST', '/api/email-domains', { domain });
      expect(answer.body.detail[0].loc).toEqual(['body', 'domain']);
    }
    await api.call('POST', '/api/email-domains', { domain: 'bücher.example' });
    expect((await api.call('POST', '/api/email-domains', { domain: 'xn--bcher-kva.example' })).status).toBe(409);
  });

  it('signs the mail of its mailboxes with its own key, which nobody is shown', async () => {
    const { channel } = await newEmailChannel();
    const view = api.engine.channels.view(await api.engine.channels.get(api.workspaceId, channel.id));
    expect(view.credentials.dkim).toMatchObject({
      domain: channel.send_from_email.split('@')[1],
      private_key: expect.stringContaining('PRIVATE'),
    });
    // It stays with them when their account changes, and when they are switched off and on.
    const dkim = async () => api.engine.channels.view(await api.engine.channels.get(api.workspaceId, channel.id)).credentials.dkim;
    const changed = await api.call('PUT', `/api/integrations/${channel.integration_id}`, { name: 'Other', config: { signature: 'Bye' } });
    expect([changed.status, changed.body.config, await dkim()]).toEqual([200, { signature: 'Bye' }, view.credentials.dkim]);
    for (const status of ['unavailable', 'available']) await api.call('PUT', `/api/channels/${channel.id}`, { status });
    expect(await dkim()).toEqual(view.credentials.dkim);
    const domain = await api.call('GET', `/api/email-domains/${channel.email_domain_id}`);
    expect(domain.text).not.toContain('PRIVATE');
    expect((await api.call('DELETE', `/api/email-domains/${channel.email_domain_id}`)).status).toBe(409);
    expect((await api.call('DELETE', `/api/integrations/${channel.integration_id}`)).status).toBe(409);
  });
});

describe('an integration', () => {
  it('stays what it is', async () => {
    const { body } = await api.call('POST', '/api/integrations', { name: 'Mail', type: 'email' });
    const put = (change: object) => api.call('PUT', `/api/integrations/${body.id}`, change);
    expect((await put({ ...body, name: 'Whole' })).body).toEqual({ ...body, name: 'Whole', updated_at: expect.stringMatching(SECONDS) });
    for (const change of [{ type: 'sms' }, { provider: 'smtp' }]) {
      const answer = await put(change);
      expect([answer.status, answer.body.detail[0].loc]).toEqual([422, ['body', Object.keys(change)[0]]]);
    }
  });
});

describe('lists of what channels refer to', () => {
  it('are searched, whatever the case', async () => {
    const caller = await api.caller();
    for (const name of ['Mail 100%', 'Other']) await caller.call('POST', '/api/integrations', { name, type: 'email' });
    for (const domain of ['one.example', 'two.example']) await caller.call('POST', '/api/email-domains', { domain, verified: true });
    const count = async (path: string) => (await caller.call('GET', path)).body.total;
    expect([await count('/api/integrations?search=MAIL'), await count('/api/integrations?search=%25&type=email')]).toEqual([1, 1]);
    expect([await count('/api/integrations?search=_'), await count('/api/integrations?type=sms')]).toEqual([0, 0]);
    expect([await count('/api/email-domains?search=ONE'), await count('/api/email-domains?search=%25')]).toEqual([1, 0]);
  });
});

describe('who is asking', () => {
  it('is answered with {detail} when nobody knows them, or when they may not', async () => {
    const nobody = await api.app.inject({ method: 'GET', url: '/api/channels' });
    expect([nobody.statusCode, nobody.json()]).toEqual([401, { detail: 'Invalid or missing API key' }]);
    const reader = await api.caller({ workspaceId: api.workspaceId, scopes: ['channels:read'] });
    expect((await reader.call('GET', '/api/channels')).status).toBe(200);
    const refused = await reader.call('POST', '/api/integrations', { name: 'x', type: 'sms' });
    expect([refused.status, refused.body]).toEqual([403, { detail: 'API key missing required scope: channels:write' }]);
    expect((await api.call('GET', '/api/nothing-here')).body).toEqual({ detail: 'Not Found' });
  });

  it('never meets another workspace’s objects', async () => {
    const { channel } = await newEmailChannel();
    const number = await api.call('POST', '/api/phone-numbers', { phone_number: '+15557654321' });
    const stranger = await api.caller();
    const paths = [
      `/api/channels/${channel.id}`,
      `/api/integrations/${channel.integration_id}`,
      `/api/email-domains/${channel.email_domain_id}`,
      `/api/phone-numbers/${number.body.id}`,
    ];
    for (const path of paths) {
      expect((await stranger.call('GET', path)).status, path).toBe(404);
      expect((await stranger.call('DELETE', path)).status, path).toBe(404);
      if (!/domains|numbers/.test(path)) expect((await stranger.call('PUT', path, { name: 'mine' })).status, path).toBe(404);
      expect((await api.call('GET', path)).status, path).toBe(200);
    }
    expect((await stranger.call('POST', `/api/email-domains/${channel.email_domain_id}/verify`)).status).toBe(404);
    expect((await stranger.call('GET', '/api/channels')).body.total).toBe(0);
    const own = await emailParts(stranger);
    const body = { name: 'x', channel_type: 'email', send_from_email: `x@${own.domain}` };
    const theirs = { ...body, integration_id: channel.integration_id, email_domain_id: own.email_domain_id };
    expect((await stranger.call('POST', '/api/channels', theirs)).status).toBe(404);
  });
});

describe('whatever comes in', () => {
  it('is never answered with a 5xx', async () => {
    const value = fc.oneof(
      fc.string(),
      fc.string({ unit: 'binary' }),
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      fc.object({ maxDepth: 2 }),
      fc.constant('\u0000'),
    );
    const fields = [
      'name',
      'type',
      'channel_type',
      'integration_id',
      'send_from_email',
      'email_domain_id',
      'send_from_phone_number',
    ].concat([
      'phone_number_id',
      'is_default',
      'metadata',
      'status',
      'domain',
      'verified',
      'phone_number',
      'config',
      'credentials',
      'email',
      'provider',
    ]);
    const body = fc.oneof(fc.dictionary(fc.constantFrom(...fields), value), value);
    const path = fc.oneof(
      fc.constantFrom('/api/channels', '/api/integrations', '/api/email-domains', '/api/channels/auto-create-for-email'),
      fc
        .tuple(fc.constantFrom('channels', 'integrations', 'email-domains', 'phone-numbers'), fc.string())
        .map(([area, id]) => `/api/${area}/${encodeURIComponent(id)}`),
      fc.string().map((search) => `/api/channels?search=${encodeURIComponent(search)}&page=${encodeURIComponent(search)}`),
    );
    await fc.assert(
      fc.asyncProperty(fc.constantFrom('GET', 'POST', 'PUT', 'DELETE'), path, body, async (method, url, content) => {
        const payload = method === 'GET' ? undefined : JSON.stringify(content);
        const answer = await api.call(method, url, payload, { 'content-type': 'application/json' });
        expect(answer.status, `${method} ${url} ${payload} ${answer.text}`).toBeLessThan(500);
        if (answer.status >= 400) expect(answer.body).toHaveProperty('detail');
      }),
      { numRuns: 300 },
    );
  });
});
