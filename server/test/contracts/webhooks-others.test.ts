/** Twilio's and Google's webhooks, replayed from outside. */
import { createHmac } from 'node:crypto';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { sign } from '../../../sandbox/twilio/webhooks.ts';
import { until } from '../support/until.ts';
import { PNG } from './pictures.ts';
import { type Client, PARTNER_KEY, startWorld, TWILIO, type World } from './world.ts';

const UNKNOWN = '123e4567-e89b-12d3-a456-426614174000';

let world: World;
let client: Client;
let people = 0;
beforeAll(async () => {
  world = await startWorld();
});
beforeEach(async () => {
  client = await world.client();
  people += 1;
});

const phone = () => `+4915200${String(people).padStart(6, '0')}`;

async function connected(source: string, body: object): Promise<string> {
  const { json } = await client.airy(`channels.${source}.connect`, { name: source, ...body });
  return json.id;
}

async function messages(count = 1): Promise<any[]> {
  return until(async () => {
    const [only] = (await client.airy('conversations.list')).json.data;
    if (!only) return undefined;
    const { data } = (await client.airy('messages.list', { conversation_id: only.id })).json;
    return data.length >= count && data;
  });
}

async function messageOf(channel: string, reference: string): Promise<any> {
  return until(async () => {
    const { json } = await client.workspace('GET', `/channels/${channel}/messages?limit=50`);
    return json.results.find((message: any) => message.parts[0]?.platformReference === reference);
  });
}

const form = (sid: string, more: Record<string, string> = {}): Record<string, string> => ({
  ToCountry: 'DE',
  SmsMessageSid: sid,
  NumMedia: '0',
  SmsSid: sid,
  SmsStatus: 'received',
  Body: 'Hello Patchbay & co',
  To: '+491234567',
  NumSegments: '1',
  MessageSid: sid,
  AccountSid: TWILIO.accountSid,
  From: phone(),
  ApiVersion: '2010-04-01',
  ...more,
});

function twilio(path: string, parameters: Record<string, string>, signature?: string) {
  const headers = {
    'content-type': 'application/x-www-form-urlencoded',
    'x-twilio-signature': signature ?? sign(TWILIO.authToken, world.url + path, parameters),
  };
  return world.raw('POST', path, { headers, body: new URLSearchParams(parameters).toString() });
}

const sid = (n = 0) => `SM${String(people * 100 + n).padStart(32, '0')}`;

describe.each(['/hooks/twilio', '/twilio'])('%s', (path) => {
  it('takes what is signed and nothing else', async () => {
    const channel = await connected('twilio.sms', { phone_number: '+491234567' });
    const parameters = form(sid());
    const unsigned = await world.raw('POST', path, {
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams(form(sid(1))).toString(),
    });
    expect(unsigned.status).toBe(401);
    expect((await twilio(path, form(sid(2)), 'wrong')).status).toBe(403);
    expect((await twilio(path, form(sid(3)), sign('other-token', world.url + path, form(sid(3))))).status).toBe(403);
    expect([200, 204]).toContain((await twilio(path, parameters)).status);
    const [message, ...others] = await messages();
    expect(others).toEqual([]);
    expect(message).toMatchObject({
      content: new URLSearchParams(parameters).toString(),
      from_contact: true,
      delivery_state: 'delivered',
      source: 'twilio.sms',
      metadata: { source: { id: sid() } },
    });
    expect(await messageOf(channel, sid())).toMatchObject({
      id: message.id,
      body: { type: 'text', text: { text: 'Hello Patchbay & co' } },
      sender: { contact: { id: message.sender.id, identifierKey: 'phonenumber', identifierValue: phone() } },
    });
    const window = await client.workspace('GET', `/channels/${channel}/contacts/${message.sender.id}`);
    expect(window.json).toEqual({ serviceWindowExpireAt: null, isPermanentSession: true });
    expect((await client.workspace('GET', `/channels/${channel}/contacts/${UNKNOWN}`)).status).toBe(404);
    const raw = await client.workspace('GET', '/raw-events?state=failed&state=unrouted&state=waiting');
    expect(raw.json.results).toEqual([]);
  });

  it('shows a message once, however often it comes', async () => {
    await connected('twilio.sms', { phone_number: '+491234567' });
    for (let n = 0; n < 5; n += 1) expect([200, 204]).toContain((await twilio(path, form(sid()))).status);
    await twilio(path, form(sid(1), { Body: 'last' }));
    expect(await messages(2)).toHaveLength(2);
    expect((await client.airy('conversations.list')).json.data[0].metadata.unread_count).toBe(2);
  });

  it('answers 200 to statuses that it does not know', async () => {
    await connected('twilio.sms', { phone_number: '+491234567' });
    const status = { MessageSid: sid(), MessageStatus: 'surprising', SmsStatus: 'surprising', From: '+491234567', To: phone() };
    expect([200, 204]).toContain((await twilio(path, status)).status);
  });
});

describe('an MMS', () => {
  it('is fetched with the credentials of the account and served under our address', async () => {
    const channel = await connected('twilio.sms', { phone_number: '+4915123450001' });
    const media = [{ type: 'image/png', data: PNG }];
    const { message, delivery } = await world.twilio.customer.writes({ from: phone(), to: '+4915123450001', body: 'Look', media });
    expect(delivery!.attempts.at(-1)).toBeLessThan(300);
    const shown = await messageOf(channel, message.sid);
    expect(shown.body).toMatchObject({ type: 'image', image: { images: [{ mediaUrl: expect.stringContaining(`${world.url}/media/`) }] } });
    const bytes = await until(async () => {
      const response = await fetch(shown.body.image.images[0].mediaUrl);
      return response.status === 200 && Buffer.from(await response.arrayBuffer());
    });
    expect(bytes.equals(PNG)).toBe(true);
  });
});

describe('WhatsApp by Twilio', () => {
  it('brings name, number, place, and opens the window', async () => {
    const channel = await connected('twilio.whatsapp', { phone_number: '+4915123450001' });
    const from = `whatsapp:${phone()}`;
    const to = 'whatsapp:+4915123450001';
    const written = await world.twilio.customer.writes({ from, to, body: 'Hi', profileName: 'Grace' });
    const shown = await messageOf(channel, written.message.sid);
    expect(shown.sender.contact).toMatchObject({ identifierValue: phone(), annotations: { name: 'Grace' } });
    const place = await world.twilio.customer.writes({ from, to, location: { latitude: 52.5, longitude: 13.4, label: 'Berlin' } });
    expect((await messageOf(channel, place.message.sid)).body).toMatchObject({
      type: 'location',
      location: { coordinates: { latitude: 52.5, longitude: 13.4 } },
    });
    const window = await client.workspace('GET', `/channels/${channel}/contacts/${shown.sender.contact.id}`);
    expect(window.json).toEqual({ serviceWindowExpireAt: expect.stringMatching(/\.\d{3}Z$/), isPermanentSession: false });
    expect((await client.airy('conversations.list')).json.data[0].metadata.contact.display_name).toBe('Grace');
  });
});

describe.each(['/hooks/google', '/google'])('%s', (path) => {
  const agent = 'brands/1111/agents/gbm-id';
  const event = (more: object) => ({
    agent,
    conversationId: `conversation-${people}`,
    requestId: `r${people}`,
    sendTime: new Date().toISOString(),
    ...more,
  });
  const send = (body: string, signature?: string) =>
    world.raw('POST', path, {
      headers: { 'content-type': 'application/json', ...(signature === undefined ? {} : { 'x-goog-signature': signature }) },
      body,
    });
  const signature = (body: string, key = PARTNER_KEY) => createHmac('sha512', key).update(body).digest('base64');

  it('takes what is signed and nothing else', async () => {
    const channel = await connected('google', { gbm_id: 'gbm-id' });
    const value = event({
      message: { messageId: `m-${people}-${path}`, text: 'Hello', createTime: '2026-01-02T03:04:05.678Z' },
      context: { userInfo: { displayName: 'Ada Lovelace' } },
    });
    const body = JSON.stringify(value);
    expect((await send(body)).status).toBe(401);
    expect((await send(body, signature(body, 'other'))).status).toBe(403);
    expect((await client.airy('conversations.list')).json.data).toEqual([]);
    for (let n = 0; n < 5; n += 1) expect((await send(body, signature(body))).status).toBe(200);
    const found = await messages();
    expect(found).toEqual([
      expect.objectContaining({ content: value, source: 'google', sent_at: '2026-01-02T03:04:05.678Z', from_contact: true }),
    ]);
    expect((await messageOf(channel, `m-${people}-${path}`)).id).toBe(found[0].id);
    expect((await client.airy('conversations.list')).json.data[0].metadata.contact.display_name).toBe('Ada Lovelace');
    for (const other of [
      event({ userStatus: { isTyping: true } }),
      event({ surprise: {} }),
      event({ receipts: { receipts: [{ message: 'x', receiptType: 'READ' }] } }),
    ]) {
      const text = JSON.stringify(other);
      expect((await send(text, signature(text))).status).toBe(200);
    }
    expect(await messages()).toHaveLength(1);
  });
});
