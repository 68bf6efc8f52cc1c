/** Document 003 replayed, and channels across the surfaces. */
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../support/until.ts';
import { type Client, startWorld, type World } from './world.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const MS = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

let world: World;
let client: Client;
beforeAll(async () => {
  world = await startWorld();
});
beforeEach(async () => {
  client = await world.client();
});

const KEYS = [
  'capabilities',
  'channelMessageType',
  'connectionParams',
  'connectorId',
  'contactIdentifierFormatOverride',
  'contactIdentifierKeyOverride',
  'createdAt',
  'id',
  'identifier',
  'name',
  'platformId',
  'platformMessageJsonSchemaOverride',
  'platformServiceProtocolOverride',
  'platformServiceUrlOverride',
  'platformServiceVersionOverride',
  'platformTemplateEngineOverride',
  'preferences',
  'settings',
  'status',
  'suites',
  'updatedAt',
  'useCaseId',
  'useCaseType',
];

const node = (more: object = {}) => ({
  displayName: expect.any(String),
  status: expect.any(String),
  name: expect.any(String),
  version: expect.any(Number),
  updatedAt: expect.stringMatching(MS),
  createdAt: expect.stringMatching(MS),
  expiresAt: null,
  ...more,
});
const leaf = () => node({ paused: false });

const sms = async (phone: string) =>
  (await client.airy('channels.twilio.sms.connect', { phone_number: phone, name: `SMS ${phone}` })).json.id;
const chat = async (name: string) => (await client.airy('channels.chatplugin.connect', { name })).json.id;

describe('GET /workspaces/{workspaceId}/channels', () => {
  it('answers the document with exactly its fields', async () => {
    const id = await sms('+4915123450001');
    const { status, json } = await client.workspace('GET', '/channels');
    expect(status).toBe(200);
    expect(Object.keys(json)).toEqual(['results']);
    const [channel] = json.results;
    expect(Object.keys(channel).sort()).toEqual(KEYS);
    expect(channel).toMatchObject({
      id,
      platformId: expect.stringMatching(/^[A-Za-z0-9-]+$/),
      name: 'SMS +4915123450001',
      connectorId: expect.stringMatching(UUID),
      identifier: '+4915123450001',
      status: 'active',
      createdAt: expect.stringMatching(MS),
      updatedAt: expect.stringMatching(MS),
      preferences: { disableProfileFetching: false, explicitMarketingOptOut: false, ignoreSuppressionChecks: false, isPrivate: false },
    });
    for (const row of [...channel.settings, ...channel.connectionParams]) {
      expect(Object.keys(row).sort()).toEqual(['description', 'displayName', 'key', 'value', 'visibility']);
    }
    expect((await client.workspace('GET', `/channels/${id}`)).json).toEqual(channel);
  });

  it("shows what a number can, in the document's tree", async () => {
    const [able, plain] = [await sms('+4915123450001'), await sms('+4915123450002')];
    const capabilities = async (id: string) => (await client.workspace('GET', `/channels/${id}`)).json.capabilities;
    expect(await capabilities(able)).toEqual({
      messaging: {
        messaging: node({
          outgoing: node({ mms: leaf(), media: { textFallback: leaf() } }),
          incoming: node({ mms: leaf() }),
        }),
      },
      voice: { voice: node({ recording: leaf() }) },
    });
    const without = await capabilities(plain);
    expect(without.voice).toBeUndefined();
    expect(without.messaging.messaging.outgoing.mms).toBeUndefined();
    expect(without.messaging.messaging.incoming.mms).toBeUndefined();
    expect(without.messaging.messaging.outgoing).toMatchObject({ name: expect.any(String) });
  });

  it('neither loses nor repeats while rows are added', async () => {
    for (const reverse of [false, true]) {
      const before = new Set<string>();
      for (let n = 0; n < 12; n += 1) before.add(await chat(`${reverse} ${n}`));
      const seen: string[] = [];
      let token: string | undefined;
      let added = 0;
      do {
        const query = new URLSearchParams({ limit: '5', reverse: String(reverse), ...(token ? { pageToken: token } : {}) });
        const { json } = await client.workspace('GET', `/channels?${query}`);
        seen.push(...json.results.map((channel: any) => channel.id));
        token = json.nextPageToken;
        if (added < 4) await chat(`${reverse} added ${added++}`);
      } while (token);
      expect(new Set(seen).size).toBe(seen.length);
      expect([...before].filter((id) => !seen.includes(id))).toEqual([]);
    }
  });

  it('filters, with parameters repeated', async () => {
    const [one, two] = [await chat('one'), await chat('two')];
    const number = await sms('+4915123450001');
    await client.airy('channels.chatplugin.disconnect', { channel_id: two });
    const list = async (query: string) => (await client.workspace('GET', `/channels?${query}`)).json.results.map(({ id }: any) => id);
    const { platformId } = (await client.workspace('GET', `/channels/${number}`)).json;
    const web = (await client.workspace('GET', `/channels/${one}`)).json.platformId;
    expect(await list(`platform=${platformId}`)).toEqual([number]);
    expect(await list(`platform=${platformId}&platform=${web}`)).toEqual([one, two, number]);
    expect(await list('status=active')).toEqual([one, number]);
    expect(await list('status=inactive')).toEqual([two]);
    expect(await list('status=active&status=inactive')).toEqual([one, two, number]);
    expect(await list(`channelIds=${two}&channelIds=${number}`)).toEqual([two, number]);
    expect(await list('useCaseType=marketing')).toEqual([]);
    expect(await list('conferencial=false&onlyMyChannels=false')).toEqual([one, two, number]);
    expect(await list('conferencial=true')).toEqual([]);
    expect(await list('reverse=true')).toEqual([number, two, one]);
  });

  it.each(['limit=0', 'limit=1001', 'limit=x', 'pageToken=bad', 'status=sleeping', 'channelIds=1', 'reverse=perhaps', 'platform=!'])(
    'refuses %s with 422 and the field',
    async (query) => {
      const answer = await client.workspace('GET', `/channels?${query}`);
      const field = query.split('=')[0]!;
      expect([answer.status, answer.json]).toEqual([
        422,
        { code: expect.any(String), message: expect.any(String), details: expect.objectContaining({}) },
      ]);
      expect(Object.keys(answer.json.details).some((key) => key.startsWith(field))).toBe(true);
    },
  );

  it('takes up to 1000, any spelling of the key, and no stranger', async () => {
    expect((await client.workspace('GET', '/channels?limit=1000')).status).toBe(200);
    const path = `/workspaces/${client.workspaceId}/channels`;
    for (const authorization of [`Bearer ${client.key}`, `AccessKey ${client.key}`]) {
      expect((await world.raw('GET', path, { headers: { authorization } })).status).toBe(200);
    }
    const nobody = await world.raw('GET', path);
    expect([nobody.status, nobody.json]).toEqual([401, { code: expect.any(String), message: expect.any(String) }]);
    const stranger = await world.client();
    expect((await stranger.call('GET', path)).status).toBe(404);
    const id = await chat('mine');
    expect((await stranger.workspace('GET', `/channels/${id}`)).status).toBe(404);
    const unknown = await client.workspace('GET', '/channels/123e4567-e89b-12d3-a456-426614174000');
    expect([unknown.status, unknown.json]).toEqual([404, { code: expect.any(String), message: expect.any(String) }]);
  });
});

describe('a channel of one surface', () => {
  const WHATSAPP = { name: 'Support', phone_number: '+33612345678', business_account_id: '987654321', api_key: 'user-token' };
  const uuidOf = (id: string) => id.replace(/^wac_(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  const airy = async () => (await client.airy('channels.list')).json.data;
  const aurion = async () => (await client.call('GET', '/api/v2/whatsapp/channels')).json.data;
  const workspace = async (query = '') => (await client.workspace('GET', `/channels${query}`)).json.results;

  it.each(['aurion', 'airy', 'workspace'])('made through %s is seen through all', async (surface) => {
    const made = {
      aurion: async () => uuidOf((await client.call('POST', '/api/v2/whatsapp/channels', WHATSAPP)).json.id),
      airy: async () =>
        (await client.airy('channels.whatsapp.connect', { phone_number_id: '123456789', user_token: 'user-token', name: 'Support' })).json
          .id,
      workspace: async () =>
        (
          await client.workspace('POST', '/channels', {
            source: 'whatsapp',
            name: 'Support',
            input: { phone_number_id: '123456789', user_token: 'user-token' },
          })
        ).json.id,
    };
    const id = await made[surface as keyof typeof made]();
    expect(await airy()).toMatchObject([
      { id, source: 'whatsapp', source_channel_id: '123456789', metadata: { name: 'Support' }, connected: true },
    ]);
    expect(await aurion()).toMatchObject([
      { id: `wac_${id.replaceAll('-', '')}`, phone_number_id: '123456789', display_number: '+33612345678', is_active: true },
    ]);
    expect(await workspace()).toMatchObject([{ id, name: 'Support', status: 'active', identifier: '+33612345678' }]);
    await client.airy('channels.whatsapp.disconnect', { channel_id: id });
    expect(await aurion()).toMatchObject([{ is_active: false }]);
    expect(await workspace()).toMatchObject([{ id, status: 'inactive' }]);
    expect((await client.call('GET', `/api/v2/whatsapp/channels/wac_${id.replaceAll('-', '')}`)).json.is_active).toBe(false);
  });

  it.each(['aurion', 'workspace'])('deleted through %s is gone for all, and can be made again', async (surface) => {
    const { json } = await client.call('POST', '/api/v2/whatsapp/channels', WHATSAPP);
    const id = uuidOf(json.id);
    const answer =
      surface === 'aurion'
        ? await client.call('DELETE', `/api/v2/whatsapp/channels/${json.id}`)
        : await client.workspace('DELETE', `/channels/${id}`);
    expect([answer.status, answer.text]).toEqual([204, '']);
    expect([await airy(), await aurion(), await workspace()]).toEqual([[], [], []]);
    expect(await workspace('?status=deleted')).toMatchObject([{ id, status: 'deleted' }]);
    expect((await client.workspace('GET', `/channels/${id}`)).json.status).toBe('deleted');
    expect((await client.airy('channels.info', { channel_id: id })).status).toBe(404);
    expect((await client.airy('channels.update', { channel_id: id, name: 'x' })).status).toBe(404);
    expect((await client.airy('channels.whatsapp.disconnect', { channel_id: id })).status).toBe(400);
    expect((await client.call('GET', `/api/v2/whatsapp/channels/${json.id}`)).status).toBe(404);
    expect((await client.workspace('DELETE', `/channels/${id}`)).status).toBe(404);
    const again = await client.airy('channels.whatsapp.connect', { phone_number_id: '123456789', user_token: 'user-token', name: 'Again' });
    expect([again.status, again.json]).toMatchObject([200, { id, connected: true }]);
    expect(await aurion()).toMatchObject([{ is_active: true, display_name: 'Again' }]);
  });

  it('connected twice conflicts, except on Airy', async () => {
    await client.airy('channels.whatsapp.connect', { phone_number_id: '123456789', user_token: 'user-token', name: 'x' });
    expect((await client.call('POST', '/api/v2/whatsapp/channels', WHATSAPP)).status).toBe(409);
    const body = { source: 'whatsapp', input: { phone_number_id: '123456789', user_token: 'user-token' } };
    const second = await client.workspace('POST', '/channels', body);
    expect([second.status, second.json]).toMatchObject([409, { code: expect.any(String), message: expect.any(String) }]);
  });

  it('gets no messages any more once it is disconnected, and does again later', async () => {
    const connect = { phone_number_id: '123456789', user_token: 'user-token', name: 'x' };
    const { json } = await client.airy('channels.whatsapp.connect', connect);
    await client.airy('channels.whatsapp.disconnect', { channel_id: json.id });
    const customer = world.meta.whatsappCustomer('123456789', { phone: '33699000001' });
    customer.text('nobody hears');
    await world.meta.webhooks.settled();
    await client.airy('channels.whatsapp.connect', connect);
    customer.text('now you do');
    const found = await until(async () => (await client.airy('conversations.list')).json.data[0]);
    expect(found.last_message.content.text.body).toBe('now you do');
    expect((await client.airy('messages.list', { conversation_id: found.id })).json.data).toHaveLength(1);
  });
});

describe('one number in two workspaces', () => {
  it('keeps its webhook until both have let go of it', async () => {
    const other = await world.client();
    const number = () => world.twilio.account.numbers.find((one) => one.phone_number === '+491234567')!;
    const connect = { phone_number: '+491234567', name: 'x' };
    const [first, second] = [
      await client.airy('channels.twilio.sms.connect', connect),
      await other.airy('channels.twilio.sms.connect', connect),
    ];
    await client.airy('channels.twilio.sms.disconnect', { channel_id: first.json.id });
    expect(number().sms_url).toContain(world.url);
    await other.airy('channels.twilio.sms.disconnect', { channel_id: second.json.id });
    expect(number().sms_url).toBe('');
  });
});
