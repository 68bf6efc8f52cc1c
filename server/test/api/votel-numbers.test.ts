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

  it('answer 503 while Twilio is away', async () => {
    twilio.faults.add({ kind: 'answer', status: 503, body: 'away', times: 5 });
    const away = await api.call('GET', `/api/phone-numbers/search?integration_id=${integrationId}`);
    twilio.faults.clear();
    expect(away.status).toBe(503);
    expect(away.headers['retry-after']).toBeDefined();
  });
});
