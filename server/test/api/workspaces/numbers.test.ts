/** Phone numbers and provider accounts, as the pages use them. */
import { beforeAll, describe, expect, it } from 'vitest';
import { createTwilioSandbox, type TwilioSandbox } from '../../../../sandbox/twilio/index.ts';
import { type TestApi, testApi } from '../../support/api.ts';

let twilio: TwilioSandbox;
let api: TestApi;
const keys = { account_sid: `AC${'1'.repeat(32)}`, auth_token: 'the-auth-token' };

beforeAll(async () => {
  const numbers = ['+15550001111', { phoneNumber: '+15550002222', sms: false }];
  twilio = createTwilioSandbox({ accountSid: keys.account_sid, authToken: keys.auth_token, numbers });
  api = await testApi({ TWILIO_API_URL: await twilio.app.listen({ port: 0, host: '127.0.0.1' }) });
  return () => twilio.app.close();
});

const at = (path: string) => `/workspaces/${api.workspaceId}${path}`;
const call = (method: string, path: string, body?: unknown) => api.call(method, at(path), body);

describe('phone numbers', () => {
  it('say which setting is missing where no account is there', async () => {
    const answer = await call('POST', '/phone-numbers/import', {});
    expect(answer).toMatchObject({ status: 422, body: { code: 'settingMissing' } });
    expect(answer.body.message).toContain('TWILIO_ACCOUNT_SID');
  });

  it('come from an account whose keys were tried, and make their channels', async () => {
    const wrong = { name: 'T', type: 'sms', config: { ...keys, auth_token: 'wrong' } };
    expect(await call('POST', '/integrations', wrong)).toMatchObject({
      status: 422,
      body: { details: { credentials: [expect.anything()] } },
    });
    const account = await call('POST', '/integrations', { name: 'T', type: 'sms', config: keys });
    expect(account).toMatchObject({ status: 201, body: { hasCredentials: true, settings: {} } });
    expect(account.text).not.toContain('the-auth-token');
    const integrationId = account.body.id;

    const imported = await call('POST', '/phone-numbers/import', { integrationId });
    expect(imported.body.results).toMatchObject([
      { phoneNumber: '+15550001111', capabilities: { sms: true }, channelId: expect.any(String), releasable: true },
      { phoneNumber: '+15550002222', capabilities: { sms: false }, channelId: null },
    ]);
    expect((await call('POST', '/phone-numbers/import', { integrationId })).body.results).toEqual([]);
    expect((await call('GET', '/phone-numbers')).body.results).toHaveLength(2);

    const offers = await call('GET', `/phone-numbers/offers?areaCode=312&integrationId=${integrationId}`);
    const { phoneNumber } = offers.body.results[0];
    const bought = await call('POST', '/phone-numbers/purchase', { phoneNumber, integrationId });
    expect(bought, bought.text).toMatchObject({ status: 201, body: { phoneNumber, channelId: expect.any(String) } });
    expect(await call('POST', '/phone-numbers', { phoneNumber: 'no number' })).toMatchObject({
      status: 422,
      body: { details: { phoneNumber: [expect.stringContaining('country code')] } },
    });

    expect(await call('DELETE', `/integrations/${integrationId}`)).toMatchObject({ status: 409 });
    expect((await call('DELETE', `/phone-numbers/${bought.body.id}?release=true`)).status).toBe(204);
    expect(twilio.account.numbers.some((number) => number.phone_number === phoneNumber)).toBe(false);
    expect((await call('GET', `/channels/${bought.body.channelId}/details`)).body.status).toBe('deleted');
  });

  it('of real accounts are not for test keys', async () => {
    const test = await api.caller({ workspaceId: api.workspaceId, sandbox: true });
    expect((await test.call('GET', at('/phone-numbers'))).body.results).toEqual([]);
    expect((await test.call('GET', at('/integrations'))).body.results).toEqual([]);
    const [real] = (await call('GET', '/phone-numbers')).body.results;
    expect((await test.call('DELETE', at(`/phone-numbers/${real.id}?release=true`))).status).toBe(404);
    const own = await test.call('POST', at('/phone-numbers'), { phoneNumber: '+15550009999' });
    expect(own, own.text).toMatchObject({ status: 201, body: { channelId: expect.any(String) } });
    expect((await test.call('DELETE', at(`/phone-numbers/${own.body.id}`))).status).toBe(204);
  });
});

describe('the source of a message', () => {
  it('is what the provider sent', async () => {
    const test = await api.caller({ workspaceId: api.workspaceId, sandbox: true });
    const channel = await test.call('POST', at('/channels'), { source: 'chatplugin', name: 'Chat', input: { name: 'chat' } });
    const written = { channelId: channel.body.id, customer: 'ann', message: { text: 'Grüße' } };
    await test.call('POST', at('/sandbox/customers/messages'), written);
    const [conversation] = (await test.call('GET', at('/conversations'))).body.results;
    const source = await test.call('GET', at(`/messages/${conversation.lastMessage.id}/source`));
    expect(source.headers).toMatchObject({
      'content-type': 'application/octet-stream',
      'x-content-type-options': 'nosniff',
      'content-disposition': expect.stringContaining('attachment'),
    });
    expect(source.text).toContain('Grüße');
  });
});
