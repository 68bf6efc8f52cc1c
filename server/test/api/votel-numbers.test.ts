import { beforeAll, describe, expect, it } from 'vitest';
import { createTwilioSandbox, type TwilioSandbox } from '../../../sandbox/twilio/index.ts';
import { type TestApi, testApi } from '../support/api.ts';

let twilio: TwilioSandbox;
let api: TestApi;
let integrationId: string;
const keys = { account_sid: `AC${'1'.repeat(32)}`, auth_token: 'the-auth-token' };

beforeAll(async () => {
  const numbers = ['+15550001111', { phoneNumber: '+15550002222', sms: false }, '+15550003333'];
  twilio = createTwilioSandbox({ accountSid: keys.account_sid, authToken: keys.auth_token, numbers });
  const url = await twilio.app.listen({ port: 0, host: '127.0.0.1' });
  api = await testApi({ TWILIO_API_URL: url });
  return () => twilio.app.close();
});

const number = (phone: string) => twilio.account.numbers.find((item) => item.phone_number === phone);
const channelsOf = async (phone: string) =>
  (await api.call('GET', `/api/channels?channel_type=sms&search=${encodeURIComponent(phone)}`)).body.channels;

describe('numbers of a Twilio account', () => {
  it('need keys that Twilio takes', async () => {
    const refused = await api.call('POST', '/api/integrations', { name: 'T', type: 'sms', credentials: { ...keys, auth_token: 'wrong' } });
    expect([refused.status, refused.body.detail?.[0]?.loc], refused.text).toEqual([422, ['body', 'credentials']]);
    const made = await api.call('POST', '/api/integrations', { name: 'T', type: 'sms', credentials: keys });
    expect(made.body).toMatchObject({ has_credentials: true, provider: 'twilio', config: {} });
    expect(made.text).not.toContain('the-auth-token');
    integrationId = made.body.id;
  });

  it('are taken over with what they can do; one with SMS gets its channel and calls us', async () => {
    const one = await api.call('POST', '/api/phone-numbers', { phone_number: '+15550001111', integration_id: integrationId });
    expect(one.body, one.text).toMatchObject({ capabilities: { sms: true, mms: true, voice: true }, integration_id: integrationId });
    expect(await channelsOf('+15550001111')).toEqual([
      expect.objectContaining({
        name: 'SMS - (555) 000-1111',
        integration_id: integrationId,
        phone_number_id: one.body.id,
        status: 'available',
      }),
    ]);
    const none = await api.call('POST', '/api/phone-numbers', { phone_number: '+15559999999', integration_id: integrationId });
    expect([none.status, none.body.detail[0].loc]).toEqual([422, ['body', 'phone_number']]);
    const rest = await api.call('POST', '/api/phone-numbers/import', { integration_id: integrationId });
    expect(rest.body.phone_numbers.map((item: { phone_number: string }) => item.phone_number)).toEqual(['+15550002222', '+15550003333']);
    expect(await channelsOf('+15550002222')).toEqual([]);
    expect((await api.call('POST', '/api/phone-numbers', { phone_number: '+1 (555) 000-1111' })).status).toBe(409);
  });

  it('are searched, bought once even when the answer is lost, and given back', async () => {
    const search = await api.call('GET', `/api/phone-numbers/search?area_code=312&limit=2&integration_id=${integrationId}`);
    expect(search.body.phone_numbers).toHaveLength(2);
    const { phone_number } = search.body.phone_numbers[0];
    twilio.faults.add({ kind: 'lost', match: ({ method, path }) => method === 'POST' && path.endsWith('/IncomingPhoneNumbers.json') });
    const bought = await api.call('POST', '/api/phone-numbers/purchase', { phone_number, integration_id: integrationId });
    expect(bought.status, bought.text).toBe(201);
    expect(twilio.account.numbers.filter((item) => item.phone_number === phone_number)).toHaveLength(1);
    expect(await channelsOf(phone_number)).toHaveLength(1);
    const again = await api.call('POST', '/api/phone-numbers/purchase', { phone_number, integration_id: integrationId });
    expect(again.status).toBe(409);
    expect((await api.call('DELETE', `/api/phone-numbers/${bought.body.id}?release=true`)).status).toBe(204);
    expect(number(phone_number)).toBeUndefined();
    expect(await channelsOf(phone_number)).toEqual([]);
  });

  it('wait without keys, and go on once their integration has some', async () => {
    const bare = await api.call('POST', '/api/integrations', { name: 'Later', type: 'sms' });
    await api.call('DELETE', `/api/channels/${(await channelsOf('+15550003333'))[0].id}`);
    const list = await api.call('GET', '/api/phone-numbers?search=3333');
    const created = await api.call('POST', '/api/channels', {
      name: 'Later',
      channel_type: 'sms',
      integration_id: bare.body.id,
      send_from_phone_number: '+15550003333',
      phone_number_id: list.body.phone_numbers[0].id,
    });
    expect(created.status, created.text).toBe(201);
    expect((await api.engine.channels.get(api.workspaceId, created.body.id)).status).toBe('pending');
    expect((await api.call('PUT', `/api/integrations/${bare.body.id}`, { credentials: keys })).status).toBe(200);
    const core = await api.engine.channels.get(api.workspaceId, created.body.id);
    expect(core.details).toMatchObject({ lookup: 'found' });
    expect(['active', 'warning']).toContain(core.status);
  });

  it('are asked for once: what is here already is neither bought nor guessed', async () => {
    const purchases = () => twilio.account.numbers.length;
    const before = purchases();
    const again = await api.call('POST', '/api/phone-numbers/purchase', { phone_number: '+15550001111', integration_id: integrationId });
    expect([again.status, again.body, purchases()]).toEqual([409, { detail: 'the number +15550001111 is here already' }, before]);
    twilio.faults.add({ kind: 'answer', status: 400, body: JSON.stringify({ code: 21422, message: 'not available', status: 400 }) });
    const taken = await api.call('POST', '/api/phone-numbers/purchase', { phone_number: '+13125550199', integration_id: integrationId });
    expect([taken.status, taken.body.detail[0].loc], taken.text).toEqual([422, ['body', 'phone_number']]);
    for (const phone_number of ['5550001234', '15550001234', '(555) 000-1234', 'nope', '+1555']) {
      const answer = await api.call('POST', '/api/phone-numbers', { phone_number });
      expect([phone_number, answer.status, answer.body.detail[0].loc]).toEqual([phone_number, 422, ['body', 'phone_number']]);
    }
  });

  it('are renamed', async () => {
    const [row] = (await api.call('GET', '/api/phone-numbers?search=0001111')).body.phone_numbers;
    const put = await api.call('PUT', `/api/phone-numbers/${row.id}`, { name: 'Front desk', metadata: { floor: 1 } });
    expect([put.status, put.body]).toEqual([
      200,
      { ...row, name: 'Front desk', metadata: { floor: 1 }, updated_at: expect.stringMatching(/Z$/) },
    ]);
    expect((await api.call('PUT', `/api/phone-numbers/${row.id}`, {})).body.name).toBe('Front desk');
    expect((await api.call('GET', '/api/phone-numbers?search=FRONT')).body.total).toBe(1);
  });

  it('have channels that are switched off and on by way of their account', async () => {
    const [channel] = await channelsOf('+15550001111');
    const put = (body: object) => api.call('PUT', `/api/channels/${channel.id}`, body);
    expect((await put({ status: 'unavailable' })).body.status).toBe('unavailable');
    const options = await api.call('GET', '/api/channels?for_options=true&search=0001111');
    expect(options.body.options).toMatchObject([{ status: 'unavailable', disabled_reason: 'switched off' }]);
    // Other settings of the account leave it off.
    expect((await api.call('PUT', `/api/integrations/${integrationId}`, { credentials: keys })).status).toBe(200);
    expect((await put({ name: 'Off' })).body).toMatchObject({ name: 'Off', status: 'unavailable' });
    expect((await put({ status: 'available' })).body.status).toBe('available');
    const core = await api.engine.channels.get(api.workspaceId, channel.id);
    expect(api.engine.channels.view(core).credentials).toMatchObject(keys);
  });

  it('without keys anywhere are on again on trust, and their account may change', async () => {
    const bare = await api.call('POST', '/api/integrations', { name: 'Bare', type: 'sms' });
    for (const [phone_number, more] of [
      ['+15550004444', {}],
      ['+15550005555', { integration_id: bare.body.id }],
    ] as const) {
      expect((await api.call('POST', '/api/phone-numbers', { phone_number, ...more })).status).toBe(201);
      const [channel] = await channelsOf(phone_number);
      const put = async (body: object) => (await api.call('PUT', `/api/channels/${channel.id}`, body)).body.status;
      expect([await put({ status: 'unavailable' }), await put({ status: 'available' })]).toEqual(['unavailable', 'available']);
    }
    expect(
      (await api.call('PUT', `/api/integrations/${bare.body.id}`, { config: { messaging_service_sid: `MG${'2'.repeat(32)}` } })).status,
    ).toBe(200);
    expect((await channelsOf('+15550005555'))[0].status).toBe('available');
  });

  it('answer 503 while Twilio is away', async () => {
    twilio.faults.add({ kind: 'answer', status: 503, body: 'away', times: 5 });
    const away = await api.call('GET', `/api/phone-numbers/search?integration_id=${integrationId}`);
    twilio.faults.clear();
    expect(away.status).toBe(503);
    expect(away.headers['retry-after']).toBeDefined();
  });
});
