/** Documents 001 and 004 as an Airy client replays them: connecting, disconnecting, exploring, listing. */
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Client, startWorld, type World } from './world.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

let world: World;
let client: Client;
beforeAll(async () => {
  world = await startWorld();
});
beforeEach(async () => {
  client = await world.client();
  world.metaCalls.length = 0;
  world.twilioCalls.length = 0;
});

const IMAGE = 'https://example.org/custom-image.jpg';
const SAMPLES: Record<
  string,
  { body: Record<string, unknown>; source: string; sourceChannelId: string; metadata: Record<string, unknown> }
> = {
  'channels.chatplugin.connect': {
    body: { name: 'website-identifier-42', image_url: IMAGE },
    source: 'chatplugin',
    sourceChannelId: 'website-identifier-42',
    metadata: { name: 'website-identifier-42', image_url: IMAGE },
  },
  'channels.facebook.connect': {
    body: { page_id: '1101', page_token: 'user-token', name: 'My custom name for this page', image_url: IMAGE },
    source: 'facebook',
    sourceChannelId: '1101',
    metadata: { name: 'My custom name for this page', image_url: IMAGE, page_id: '1101' },
  },
  'channels.instagram.connect': {
    body: { page_id: '1101', account_id: '1701', page_token: 'user-token', name: 'My custom name for this account', image_url: IMAGE },
    source: 'instagram',
    sourceChannelId: '1701',
    metadata: { name: 'My custom name for this account', image_url: IMAGE, page_id: '1101', account_id: '1701' },
  },
  'channels.whatsapp.connect': {
    body: { phone_number_id: '1234567', user_token: 'user-token', name: 'Customer support hotline', image_url: IMAGE },
    source: 'whatsapp',
    sourceChannelId: '1234567',
    metadata: { name: 'Customer support hotline', image_url: IMAGE },
  },
  'channels.google.connect': {
    body: { gbm_id: 'gbm-id', name: 'My custom name for this location', image_url: IMAGE },
    source: 'google',
    sourceChannelId: 'gbm-id',
    metadata: { name: 'My custom name for this location', image_url: IMAGE },
  },
  'channels.twilio.sms.connect': {
    body: { phone_number: '+491234567', name: 'SMS for receipts', image_url: IMAGE },
    source: 'twilio.sms',
    sourceChannelId: '+491234567',
    metadata: { name: 'SMS for receipts', image_url: IMAGE },
  },
  'channels.twilio.whatsapp.connect': {
    body: { phone_number: '+491234567', name: 'WhatsApp Marketing', image_url: IMAGE },
    source: 'twilio.whatsapp',
    sourceChannelId: 'whatsapp:+491234567',
    metadata: { name: 'WhatsApp Marketing', image_url: IMAGE },
  },
};

describe.each(Object.entries(SAMPLES))('%s', (name, sample) => {
  it('answers the sample, and the same channel for the same account', async () => {
    const first = await client.airy(name, sample.body);
    expect(first.json).toEqual({
      id: expect.stringMatching(UUID),
      source: sample.source,
      source_channel_id: sample.sourceChannelId,
      metadata: sample.metadata,
      connected: true,
    });
    expect(first.status).toBe(200);
    expect(first.text).not.toContain('user-token');
    const again = await client.airy(name, { ...sample.body, ...(name.includes('chatplugin') ? {} : { name: 'another name' }) });
    expect(again.json).toMatchObject({ id: first.json.id, connected: true });
    expect((await client.airy('channels.list')).json.data).toHaveLength(1);
    const info = await client.airy('channels.info', { channel_id: first.json.id });
    expect(info.json).toEqual(again.json);
    const update = { channel_id: first.json.id, name: 'new name for this channel', image_url: 'http://example.org/avatar_redesign.jpeg' };
    const updated = await client.airy('channels.update', update);
    expect(updated.json).toEqual({
      ...first.json,
      metadata: { ...sample.metadata, name: update.name, image_url: update.image_url },
    });
  });

  it('is disconnected twice with 202 and comes back under its id', async () => {
    const { json: channel } = await client.airy(name, sample.body);
    for (const _time of [1, 2]) {
      const answer = await client.airy(name.replace('.connect', '.disconnect'), { channel_id: channel.id });
      expect([answer.status, answer.json]).toEqual([202, {}]);
    }
    expect((await client.airy('channels.info', { channel_id: channel.id })).json).toEqual({ ...channel, connected: false });
    expect((await client.airy('channels.list', { source: sample.source })).json.data).toEqual([{ ...channel, connected: false }]);
    expect((await client.workspace('GET', `/channels/${channel.id}`)).json.status).toBe('inactive');
    expect((await client.airy(name, sample.body)).json).toEqual(channel);
  });

  it('refuses without its fields, naming the one that is missing', async () => {
    for (const field of Object.keys(sample.body)) {
      if (field === 'image_url') continue;
      const optional = field === 'name' && ['facebook', 'instagram'].includes(sample.source);
      const { [field]: _left, ...body } = sample.body;
      const answer = await client.airy(name, body);
      expect([field, answer.status]).toEqual([field, optional ? 200 : 400]);
      if (!optional) expect(answer.json).toEqual({ message: expect.stringContaining(field) });
    }
  });

  it('answers 400 for a channel that nobody knows', async () => {
    for (const id of ['123e4567-e89b-12d3-a456-426614174000', 'uuid', undefined]) {
      const answer = await client.airy(name.replace('.connect', '.disconnect'), { channel_id: id });
      expect([answer.status, answer.json]).toEqual([400, { message: expect.any(String) }]);
    }
  });
});

describe('names', () => {
  it('come from the provider where none is given', async () => {
    const page = await client.airy('channels.facebook.connect', { page_id: '1102', page_token: 'user-token' });
    expect(page.json.metadata.name).toBe('my page 2');
    const account = await client.airy('channels.instagram.connect', { page_id: '1101', account_id: '1701', page_token: 'user-token' });
    expect(account.json.metadata.name).toEqual(expect.any(String));
  });
});

describe('any disconnect', () => {
  it("takes any source's channel, upper-case ids too", async () => {
    const { json: channel } = await client.airy('channels.google.connect', SAMPLES['channels.google.connect']!.body);
    const answer = await client.airy('channels.facebook.disconnect', { channel_id: channel.id.toUpperCase() });
    expect([answer.status, answer.json]).toEqual([202, {}]);
    expect((await client.airy('channels.info', { channel_id: channel.id })).json.connected).toBe(false);
  });

  it("leaves another workspace's channel alone", async () => {
    const { json: channel } = await client.airy('channels.google.connect', SAMPLES['channels.google.connect']!.body);
    const stranger = await world.client();
    expect((await stranger.airy('channels.google.disconnect', { channel_id: channel.id })).status).toBe(400);
    expect((await client.airy('channels.info', { channel_id: channel.id })).json.connected).toBe(true);
  });
});

describe("a page's subscription", () => {
  const subscribed = () => world.meta.state.page('1103')!.subscribedFields;
  const deletions = () => world.metaCalls.filter((call) => call.method === 'DELETE' && call.url.includes('subscribed_apps'));

  it('stays until neither its Facebook nor its Instagram channel is connected', async () => {
    const { json: page } = await client.airy('channels.facebook.connect', { page_id: '1103', page_token: 'user-token' });
    expect(world.metaCalls.some((call) => call.method === 'POST' && call.url.includes('/1103/subscribed_apps'))).toBe(true);
    const { json: account } = await client.airy('channels.instagram.connect', {
      page_id: '1103',
      account_id: '1703',
      page_token: 'user-token',
    });
    await client.airy('channels.facebook.disconnect', { channel_id: page.id });
    expect(deletions()).toHaveLength(0);
    expect(subscribed()).toContain('messages');
    await client.airy('channels.instagram.disconnect', { channel_id: account.id });
    expect(deletions()).toHaveLength(1);
    expect(subscribed()).toBeUndefined();
    await client.airy('channels.instagram.disconnect', { channel_id: account.id });
    expect(deletions()).toHaveLength(1);
  });
});

describe('a Twilio number', () => {
  it('is pointed to our address, and let go of again', async () => {
    const { json: channel } = await client.airy('channels.twilio.sms.connect', { phone_number: '+4915123450002', name: 'x' });
    const number = () => world.twilio.account.numbers.find((one) => one.phone_number === '+4915123450002')!;
    expect(number().sms_url).toContain(`${world.url}/hooks/twilio`);
    await client.airy('channels.twilio.sms.disconnect', { channel_id: channel.id });
    expect(number().sms_url).toBe('');
  });

  it.each(['+49 123 4567', '491234567', '0151 234567', '+49abc', '', '+1'])('is refused as %j', async (phone) => {
    for (const source of ['twilio.sms', 'twilio.whatsapp']) {
      const answer = await client.airy(`channels.${source}.connect`, { phone_number: phone, name: 'x' });
      expect([answer.status, answer.json]).toEqual([400, { message: expect.any(String) }]);
    }
    expect((await client.airy('channels.list')).json).toEqual({ data: [] });
  });

  it('that the account does not have is refused in words', async () => {
    const answer = await client.airy('channels.twilio.sms.connect', { phone_number: '+4915199999999', name: 'x' });
    expect([answer.status, answer.json]).toEqual([400, { message: expect.stringContaining('+4915199999999') }]);
  });
});

describe('a provider that refuses', () => {
  const WRONG = {
    'channels.facebook.connect': { page_id: '1101', page_token: 'wrong', name: 'x' },
    'channels.instagram.connect': { page_id: '1101', account_id: '1701', page_token: 'wrong', name: 'x' },
    'channels.whatsapp.connect': { phone_number_id: '1234567', user_token: 'wrong', name: 'x' },
    'channels.facebook.explore': { auth_token: 'wrong' },
  };

  it.each(Object.entries(WRONG))('makes %s 400 with its words, nothing stored', async (name, body) => {
    const answer = await client.airy(name, body);
    expect([answer.status, Object.keys(answer.json)]).toEqual([400, ['message']]);
    expect(answer.json.message).toContain('Invalid OAuth access token');
    expect((await client.airy('channels.list')).json).toEqual({ data: [] });
  });

  it('keeps a channel that was connected before as it was', async () => {
    const { json: channel } = await client.airy('channels.facebook.connect', SAMPLES['channels.facebook.connect']!.body);
    expect((await client.airy('channels.facebook.connect', { page_id: '1101', page_token: 'wrong', name: 'y' })).status).toBe(400);
    expect((await client.airy('channels.list')).json).toEqual({ data: [channel] });
  });

  it('names a page, an account or a number that there is none of', async () => {
    const page = await client.airy('channels.facebook.connect', { page_id: '404', page_token: 'user-token' });
    expect([page.status, page.json]).toEqual([400, { message: expect.stringContaining("'404'") }]);
    const account = await client.airy('channels.instagram.connect', { page_id: '1101', account_id: '404', page_token: 'user-token' });
    expect([account.status, account.json]).toEqual([400, { message: expect.stringContaining('404') }]);
    const number = await client.airy('channels.whatsapp.connect', { phone_number_id: '404', user_token: 'user-token', name: 'x' });
    expect([number.status, number.json]).toEqual([400, { message: expect.stringContaining("'404'") }]);
  });

  it('is unreachable: 503, nothing stored', async () => {
    world.meta.faults.outages = Number.POSITIVE_INFINITY;
    world.twilio.faults.add({ kind: 'answer', status: 503, times: 100 });
    try {
      for (const name of ['facebook', 'instagram', 'whatsapp', 'twilio.sms', 'twilio.whatsapp']) {
        const answer = await client.airy(`channels.${name}.connect`, SAMPLES[`channels.${name}.connect`]!.body);
        expect([name, answer.status, answer.json]).toEqual([name, 503, { message: expect.any(String) }]);
      }
      expect((await client.airy('channels.facebook.explore', { auth_token: 'user-token' })).status).toBe(503);
    } finally {
      world.meta.faults.outages = 0;
      world.twilio.faults.clear();
    }
    expect((await client.airy('channels.list')).json).toEqual({ data: [] });
  });

  it('cannot keep a channel connected while it is away', async () => {
    const { json: channel } = await client.airy('channels.facebook.connect', SAMPLES['channels.facebook.connect']!.body);
    world.meta.faults.outages = Number.POSITIVE_INFINITY;
    const answer = await client.airy('channels.facebook.disconnect', { channel_id: channel.id }).finally(() => {
      world.meta.faults.outages = 0;
    });
    expect([answer.status, answer.json]).toEqual([202, {}]);
    expect((await client.airy('channels.info', { channel_id: channel.id })).json.connected).toBe(false);
  });
});

describe('channels.facebook.explore', () => {
  it.each([
    ['channels.facebook.explore', { auth_token: 'user-token' }],
    ['facebook.channels.explore', { token: 'user-token' }],
  ])('%s tells which pages are connected', async (name, body) => {
    await client.airy('channels.facebook.connect', SAMPLES['channels.facebook.connect']!.body);
    const answer = await client.airy(name, body);
    expect([answer.status, answer.json]).toEqual([
      200,
      {
        data: [
          { name: 'my page 1', page_id: '1101', connected: true, image_url: 'https://scontent.example/1101.jpg' },
          { name: 'my page 2', page_id: '1102', connected: false, image_url: 'https://scontent.example/1102.jpg' },
          { name: 'my page 3', page_id: '1103', connected: false, image_url: 'https://scontent.example/1103.jpg' },
        ],
      },
    ]);
  });

  it('shows a disconnected page as not connected', async () => {
    const { json: channel } = await client.airy('channels.facebook.connect', SAMPLES['channels.facebook.connect']!.body);
    await client.airy('channels.facebook.disconnect', { channel_id: channel.id });
    const answer = await client.airy('channels.facebook.explore', { auth_token: 'user-token' });
    expect(answer.json.data[0].connected).toBe(false);
  });
});

describe('settings that are missing', () => {
  it('are named by a Twilio connect', async () => {
    const bare = await startWorld({ TWILIO_ACCOUNT_SID: '', TWILIO_AUTH_TOKEN: '' });
    const other = await bare.client();
    for (const source of ['twilio.sms', 'twilio.whatsapp']) {
      const answer = await other.airy(`channels.${source}.connect`, { phone_number: '+491234567', name: 'x' });
      expect([answer.status, answer.json]).toEqual([400, { message: expect.stringMatching(/TWILIO_ACCOUNT_SID|TWILIO_AUTH_TOKEN/) }]);
    }
    expect((await other.airy('channels.list')).json).toEqual({ data: [] });
  });
});

describe('who may call', () => {
  it('is answered 403 without a key, and takes it bare or as a bearer', async () => {
    for (const authorization of [undefined, 'Bearer wrong', 'wrong']) {
      const answer = await world.raw('POST', '/channels.list', { headers: authorization ? { authorization } : {} });
      expect(answer.status).toBe(403);
    }
    for (const authorization of [client.key, `Bearer ${client.key}`, `AccessKey ${client.key}`]) {
      const answer = await world.raw('POST', '/channels.list', { headers: { authorization, 'content-type': 'application/json' } });
      expect([answer.status, answer.json]).toEqual([200, { data: [] }]);
    }
  });

  it('lists by source, the old spelling too', async () => {
    const { json: channel } = await client.airy('channels.chatplugin.connect', { name: 'a' });
    await client.airy('channels.google.connect', { gbm_id: 'g', name: 'b' });
    for (const source of ['chatplugin', 'chat_plugin'])
      expect((await client.airy('channels.list', { source })).json).toEqual({ data: [channel] });
    expect((await client.airy('channels.list', {})).json.data).toHaveLength(2);
    expect((await client.airy('channels.chat_plugin.connect', { name: 'a' })).json).toEqual(channel);
    expect((await client.airy('channels.chat_plugin.disconnect', { channel_id: channel.id })).status).toBe(202);
  });
});
