import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import sdk from 'twilio';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTwilioSandbox } from '../twilio/index.ts';

const SID = `AC${'c'.repeat(32)}`;
const sandbox = createTwilioSandbox({
  accountSid: SID,
  authToken: 'token',
  numbers: ['+15551230001'],
  senders: ['+15551230002'],
  manual: true,
});
let base: string;
let client: ReturnType<typeof sdk>;

beforeAll(async () => {
  base = await sandbox.app.listen({ port: 0, host: '127.0.0.1' });
  const httpClient = new sdk.RequestClient();
  const request = httpClient.request.bind(httpClient);
  // The SDK knows only Twilio's own hosts.
  httpClient.request = (options) => request({ ...options, uri: options.uri.replace(/^https:\/\/[a-z]+\.twilio\.com/, base) });
  client = sdk(SID, 'token', { httpClient });
});
afterAll(() => sandbox.app.close());

describe('Twilio’s own client works against the stand-in', () => {
  it('account, numbers, messages', async () => {
    expect((await client.api.v2010.accounts(SID).fetch()).status).toBe('active');
    const [number] = await client.incomingPhoneNumbers.list({ phoneNumber: '+15551230001' });
    expect(number!.capabilities.mms).toBe(true);
    const updated = await client.incomingPhoneNumbers(number!.sid).update({ smsUrl: 'https://p.example/hooks/twilio' });
    expect(updated.smsUrl).toBe('https://p.example/hooks/twilio');
    const sent = await client.messages.create({
      from: '+15551230001',
      to: '+15557770001',
      body: 'hi',
      mediaUrl: ['https://x.example/1.png'],
    });
    expect(sent).toMatchObject({ status: 'queued', numMedia: '1', direction: 'outbound-api' });
    expect((await client.messages(sent.sid).fetch()).dateCreated).toBeInstanceOf(Date);
    const listed = await client.messages.list({ to: '+15557770001', dateSentAfter: new Date(Date.now() - 86_400_000) });
    expect(listed.map((item) => item.sid)).toEqual([sent.sid]);
    await expect(client.messages.create({ from: '+15551230001', to: '+15005550004', body: 'x' })).rejects.toMatchObject({
      code: 21610,
      status: 400,
    });
    await expect(client.messages.create({ from: '+19990000000', to: '+15557770001', body: 'x' })).rejects.toMatchObject({ code: 21659 });
  });

  it('pages', async () => {
    for (let index = 0; index < 5; index += 1)
      await client.messages.create({ from: '+15551230001', to: '+15557770002', body: String(index) });
    expect((await client.messages.list({ to: '+15557770002', pageSize: 2 })).map((item) => item.body)).toEqual(['4', '3', '2', '1', '0']);
  });

  it('senders and templates', async () => {
    const senders = await client.messaging.v2.channelsSenders.list({ channel: 'whatsapp' });
    expect(senders[0]!.senderId).toBe('whatsapp:+15551230002');
    const [content] = await client.content.v1.contents.list();
    expect(content).toBeUndefined();
  });

  it('Content for one message, of which too much is refused', async () => {
    const body = { friendlyName: 'a', language: 'en', types: {} };
    const buttons = (count: number) =>
      Array.from({ length: count }, (_, id) => ({ type: 'QUICK_REPLY' as const, title: `B${id}`, id: `${id}` }));
    const create = (types: object) => client.content.v1.contents.create({ ...body, types } as never);
    const made = await create({ 'twilio/quick-reply': { body: 'Which?', actions: buttons(2) } });
    const sent = await client.messages.create({ from: 'whatsapp:+15551230002', to: 'whatsapp:+15557770001', contentSid: made.sid });
    expect(sent.body).toBe('Which?');
    for (const wrong of [
      { 'twilio/quick-reply': { body: 'x'.repeat(1025), actions: buttons(1) } },
      { 'twilio/quick-reply': { body: 'x', actions: buttons(11) } },
      { 'twilio/list-picker': { body: 'x', button: 'y', items: [{ id: '1', item: 'z'.repeat(25) }] } },
      { 'twilio/card': { title: 'alone' } },
    ]) {
      await expect(create(wrong)).rejects.toMatchObject({ status: 400 });
    }
    await client.content.v1.contents(made.sid).remove();
  });

  it('messages for later, which can be canceled once', async () => {
    const later = await client.messages.create({
      messagingServiceSid: `MG${'d'.repeat(32)}`,
      to: '+15557770005',
      body: 'later',
      scheduleType: 'fixed',
      sendAt: new Date(Date.now() + 3_600_000),
      validityPeriod: 60,
    });
    expect(later.status).toBe('scheduled');
    expect((await client.messages(later.sid).update({ status: 'canceled' })).status).toBe('canceled');
    await expect(client.messages(later.sid).update({ status: 'canceled' })).rejects.toMatchObject({ code: 30409 });
  });
});

describe('an open stand-in', () => {
  it('has every account and number, and customers for each', async () => {
    const open = createTwilioSandbox({ open: true, manual: true });
    const other = `AC${'d'.repeat(32)}`;
    const headers = {
      authorization: `Basic ${Buffer.from(`${other}:any`).toString('base64')}`,
      'content-type': 'application/x-www-form-urlencoded',
    };
    const found = await open.app.inject({
      url: `/2010-04-01/Accounts/${other}/IncomingPhoneNumbers.json?PhoneNumber=%2B491234567`,
      headers,
    });
    expect(found.json().incoming_phone_numbers).toMatchObject([{ phone_number: '+491234567' }]);
    const sent = await open.app.inject({
      method: 'POST',
      url: `/2010-04-01/Accounts/${other}/Messages.json`,
      headers,
      payload: 'From=whatsapp%3A%2B491234567&To=whatsapp%3A%2B4917012345&Body=x',
    });
    expect(sent.statusCode).toBe(201);
    expect(await open.customerOf(other)!.writes({ from: '+4917012345', to: '+491234567', body: 'hi' })).toMatchObject({
      delivery: undefined,
    });
    expect(open.customerOf(`AC${'e'.repeat(32)}`)).toBeUndefined();
  });
});

const evidence = join(process.env.EVIDENCE_DIR ?? '../shared/evidence', 'twilio');
const present = existsSync(evidence);
if (!present) console.warn(`SKIPPED: no Twilio OpenAPI in ${evidence}`);

describe('answers fit Twilio’s OpenAPI', () => {
  function validatorOf(file: string) {
    const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true });
    ajv.addSchema(JSON.parse(readFileSync(join(evidence, file), 'utf8')) as object, 'api');
    return (schema: string, value: unknown): unknown => {
      const validate = ajv.getSchema(`api#/components/schemas/${schema}`) ?? ajv.compile({ $ref: `api#/components/schemas/${schema}` });
      return validate(value) ? [] : validate.errors;
    };
  }
  const call = async (method: 'GET' | 'POST', url: string, body?: unknown) => {
    const json = body !== undefined && typeof body !== 'string';
    const response = await sandbox.app.inject({
      method,
      url,
      headers: {
        authorization: `Basic ${Buffer.from(`${SID}:token`).toString('base64')}`,
        'content-type': json ? 'application/json' : 'application/x-www-form-urlencoded',
      },
      payload: json ? JSON.stringify(body) : (body as string | undefined),
    });
    return response.json() as Record<string, any>;
  };

  it.skipIf(!present)('REST', async () => {
    const check = validatorOf('twilio_api_v2010.json');
    const path = `/2010-04-01/Accounts/${SID}`;
    expect(check('api.v2010.account', await call('GET', `${path}.json`))).toEqual([]);
    expect(
      check('api.v2010.account.message', await call('POST', `${path}/Messages.json`, 'From=%2B15551230001&To=%2B15557770003&Body=x')),
    ).toEqual([]);
    for (const item of (await call('GET', `${path}/Messages.json`)).messages) expect(check('api.v2010.account.message', item)).toEqual([]);
    for (const item of (await call('GET', `${path}/IncomingPhoneNumbers.json`)).incoming_phone_numbers) {
      expect(check('api.v2010.account.incoming_phone_number', item)).toEqual([]);
    }
  });

  it.skipIf(!present)('and so do the parameters that Patchbay sends', () => {
    const api = JSON.parse(readFileSync(join(evidence, 'twilio_api_v2010.json'), 'utf8')) as { paths: Record<string, any> };
    const parametersOf = (path: string): string[] =>
      Object.keys(api.paths[path].post.requestBody.content['application/x-www-form-urlencoded'].schema.properties);
    expect(parametersOf('/2010-04-01/Accounts/{AccountSid}/Messages.json')).toEqual(
      expect.arrayContaining([
        ...['To', 'From', 'MessagingServiceSid', 'Body', 'MediaUrl', 'ContentSid', 'ContentVariables'],
        ...['StatusCallback', 'ScheduleType', 'SendAt', 'ValidityPeriod', 'PersistentAction'],
      ]),
    );
    expect(parametersOf('/2010-04-01/Accounts/{AccountSid}/IncomingPhoneNumbers/{Sid}.json')).toEqual(
      expect.arrayContaining(['SmsUrl', 'SmsMethod']),
    );
  });

  it.skipIf(!present)('Content', async () => {
    const check = validatorOf('twilio_content_v1.json');
    const content = await call('POST', '/v1/Content', {
      friendly_name: 'a',
      language: 'en',
      variables: { 1: 'x' },
      types: { 'twilio/text': { body: 'Hi {{1}}' } },
    });
    expect(check('content.v1.content', content)).toEqual([]);
    // What Patchbay makes for one message is what Twilio's own schema takes.
    for (const types of [
      { 'twilio/quick-reply': { body: 'x', actions: [{ type: 'QUICK_REPLY', title: 'y', id: 'z' }] } },
      { 'twilio/list-picker': { body: 'x', button: 'y', items: [{ id: '1', item: 'z', description: 'd' }] } },
      { 'twilio/card': { title: 'x', media: ['https://x.example/1'], actions: [{ type: 'URL', title: 'y', url: 'https://x.example' }] } },
    ]) {
      expect(check('ContentCreateRequest', { friendly_name: 'a', language: 'en', variables: {}, types })).toEqual([]);
    }
    expect(
      check(
        'content.v1.content.approval_create',
        await call('POST', `/v1/Content/${content.sid}/ApprovalRequests/whatsapp`, { name: 'a', category: 'UTILITY' }),
      ),
    ).toEqual([]);
    expect(check('content.v1.content.approval_fetch', await call('GET', `/v1/Content/${content.sid}/ApprovalRequests`))).toEqual([]);
    for (const item of (await call('GET', '/v1/ContentAndApprovals')).contents)
      expect(check('content.v1.content_and_approvals', item)).toEqual([]);
  });

  it.skipIf(!present)('Messaging', async () => {
    const check = validatorOf('twilio_messaging_v2.json');
    for (const item of (await call('GET', '/v2/Channels/Senders?Channel=whatsapp')).senders)
      expect(check('messaging.v2.channels_sender_response', item)).toEqual([]);
  });
});
