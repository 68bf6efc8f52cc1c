import { describe, expect, it } from 'vitest';
import { capabilityTree } from '../../../src/api/workspaces/capability-tree.ts';
import { testApp } from '../support.ts';

const t = await testApp();
const connect = async (name: string, body: object = {}, key?: string) =>
  t.call('POST', '/channels', { body: { source: 'chatplugin', input: { name }, ...body }, ...(key ? { key } : {}) });

/** Every key of a value, as dotted paths in order. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.length > 0 ? [shapeOf(value[0])] : [];
  if (typeof value !== 'object' || value === null) return '·';
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, shapeOf(item)]));
}

const node = { displayName: '·', status: '·', name: '·', version: '·', updatedAt: '·', createdAt: '·', expiresAt: '·' };
const leaf = { ...node, paused: '·' };
const row = { key: '·', value: '·', displayName: '·', description: '·', visibility: '·' };

describe('the channel of document 003', () => {
  it('has exactly its fields', async () => {
    const created = await connect('shape', { input: { name: 'shape', allowed_origins: ['https://shop.test'] } });
    expect(created.status).toBe(201);
    const { json } = await t.call('GET', `/channels/${created.json.id}`);
    expect(json).toEqual(created.json);
    expect(shapeOf(json)).toEqual({
      id: '·',
      platformId: '·',
      name: '·',
      connectorId: '·',
      identifier: '·',
      status: '·',
      contactIdentifierKeyOverride: '·',
      contactIdentifierFormatOverride: '·',
      platformServiceUrlOverride: '·',
      platformServiceVersionOverride: '·',
      platformServiceProtocolOverride: '·',
      platformMessageJsonSchemaOverride: '·',
      platformTemplateEngineOverride: '·',
      capabilities: { messaging: { messaging: { ...node, outgoing: node, incoming: node } } },
      settings: [row],
      connectionParams: [],
      preferences: { disableProfileFetching: '·', explicitMarketingOptOut: '·', ignoreSuppressionChecks: '·', isPrivate: '·' },
      useCaseId: '·',
      useCaseType: '·',
      channelMessageType: '·',
      suites: [],
      createdAt: '·',
      updatedAt: '·',
    });
    expect(json.createdAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(json).toMatchObject({ platformId: 'chatplugin', identifier: 'shape', status: 'active' });
  });

  it('has the whole capability tree where the source has every node', () => {
    const at = new Date();
    const nodes = [
      'voice.recording',
      'voice',
      'messaging.incoming.mms',
      'messaging.outgoing.media.textFallback',
      'messaging.outgoing.mms',
      'messaging',
      'messaging.outgoing',
      'messaging.incoming',
    ];
    const tree = capabilityTree(nodes, { createdAt: at, updatedAt: at });
    expect(shapeOf(tree)).toEqual({
      messaging: {
        messaging: { ...node, outgoing: { ...node, mms: leaf, media: { textFallback: leaf } }, incoming: { ...node, mms: leaf } },
      },
      voice: { voice: { ...node, recording: leaf } },
    });
  });

  it('keeps what the document lets users set, and checks the parts for themselves', async () => {
    const { json } = await connect('options', { useCaseType: 'marketing', suites: ['marketing'] });
    const path = `/channels/${json.id}`;
    const changed = await t.call('PATCH', path, {
      body: {
        contactIdentifierFormatOverride: { type: 'none', pattern: 'text' },
        platformServiceVersionOverride: '1.0',
        platformServiceProtocolOverride: 'http',
        platformTemplateEngineOverride: 'liquid',
      },
    });
    expect(changed.json).toMatchObject({
      useCaseType: 'marketing',
      suites: ['marketing'],
      platformServiceProtocolOverride: 'http',
      contactIdentifierFormatOverride: { type: 'none', pattern: 'text' },
    });
    const both = await t.call('PATCH', path, { body: { platformServiceUrlOverride: 'https://a.test/' } });
    expect(both).toMatchObject({
      status: 422,
      json: { code: 'validationError', details: { platformServiceProtocolOverride: [expect.any(String)] } },
    });
    const listed = await t.call('GET', '/channels?useCaseType=marketing');
    expect(listed.json.results.map((channel: { id: string }) => channel.id)).toEqual([json.id]);
    const details = await t.call('GET', `${path}/details`);
    expect(details.json.settings).toEqual({});
  });
});

describe('connecting and changing', () => {
  it('names fields as the caller wrote them', async () => {
    expect((await t.call('POST', '/channels', { body: { source: 'chatplugin', input: {} } })).json).toMatchObject({
      code: 'validationError',
      message: 'input.name is required',
      details: { 'input.name': ['is required'] },
    });
    expect((await t.call('POST', '/channels', { body: { source: 'nowhere' } })).json.details).toHaveProperty('source');
    expect((await t.call('POST', '/channels', { body: { source: 'chatplugin', colour: 1 } })).json.details).toEqual({
      colour: ['is not known here'],
    });
    expect((await t.call('POST', '/channels', { body: undefined })).status).toBe(422);
  });

  it('refuses the same account twice, and brings a deleted one back as the same channel', async () => {
    const first = await connect('twice');
    expect(await connect('twice')).toMatchObject({ status: 409, json: { code: 'conflict' } });
    expect((await t.call('DELETE', `/channels/${first.json.id}`)).status).toBe(204);
    expect((await t.call('GET', `/channels/${first.json.id}`)).json.status).toBe('deleted');
    const listed = await t.call('GET', '/channels?limit=1000');
    expect(listed.json.results.some((channel: { id: string }) => channel.id === first.json.id)).toBe(false);
    const deleted = await t.call('GET', '/channels?status=deleted');
    expect(deleted.json.results.map((channel: { id: string }) => channel.id)).toContain(first.json.id);
    const again = await connect('twice');
    expect(again).toMatchObject({ status: 201, json: { id: first.json.id, status: 'active' } });
  });

  it('forgets a deleted channel after 30 days', async () => {
    const { json } = await connect('old');
    await t.call('DELETE', `/channels/${json.id}`);
    await t.engine.database.query(`update channels set deleted_at = now() - interval '31 days' where id = $1`, [json.id]);
    expect((await t.call('GET', `/channels/${json.id}`)).status).toBe(404);
  });

  it('switches off and on', async () => {
    const { json } = await connect('switch');
    const path = `/channels/${json.id}`;
    expect((await t.call('PATCH', path, { body: { status: 'inactive' } })).json.status).toBe('inactive');
    expect((await t.call('PATCH', path, { body: { status: 'active', name: 'Again' } })).json).toMatchObject({
      status: 'active',
      name: 'Again',
    });
  });

  it('changes settings that are editable and no others', async () => {
    const { json } = await connect('settings');
    const path = `/channels/${json.id}`;
    const changed = await t.call('PATCH', path, { body: { settings: { allowed_origins: ['https://a.test'] } } });
    expect(changed.json.settings).toContainEqual(expect.objectContaining({ key: 'allowed_origins', value: '["https://a.test"]' }));
    expect((await t.call('PATCH', path, { body: { settings: { allowed_origins: [7] } } })).json.details).toHaveProperty(
      'settings.allowed_origins.0',
    );
    expect((await t.call('PATCH', path, { body: { settings: { nothing: 1 } } })).json.details).toHaveProperty('settings.nothing');
  });
});

describe('the list', () => {
  it('answers bad limits and tokens with their fields', async () => {
    for (const limit of ['0', '1001', 'x', '-1', '1.5', '1e2']) {
      expect(await t.call('GET', `/channels?limit=${limit}`)).toMatchObject({
        status: 422,
        json: { details: { limit: [expect.any(String)] } },
      });
    }
    expect((await t.call('GET', '/channels?limit=1000')).status).toBe(200);
    expect((await t.call('GET', '/conversations?limit=101')).status).toBe(422);
    const forged = Buffer.from('[1,2]').toString('base64url');
    for (const list of ['channels', 'conversations', 'contacts', 'channels/messages', 'raw-events', 'api-keys']) {
      for (const token of ['x', '%7B%7D', forged, Buffer.from('[9e99,"x"]').toString('base64url')]) {
        expect(await t.call('GET', `/${list}?pageToken=${token}`)).toMatchObject({
          status: 422,
          json: { details: { pageToken: [expect.any(String)] } },
        });
      }
    }
  });

  it('takes parameters that repeat, and platform ids as well as sources', async () => {
    expect((await t.call('GET', '/channels?platform[]=sms&platform[]=email')).json.results).toEqual([]);
    const one = await connect('repeat-1');
    const two = await connect('repeat-2');
    const ids = `channelIds=${one.json.id}&channelIds=${two.json.id}`;
    expect((await t.call('GET', `/channels?${ids}&status=active&status=failed`)).json.results).toHaveLength(2);
    expect((await t.call('GET', `/channels?${ids}&platform=chatplugin`)).json.results).toHaveLength(2);
    expect((await t.call('GET', `/channels?${ids}&platform=sms&platform=twilio.sms`)).json.results).toHaveLength(0);
    expect((await t.call('GET', `/channels?${ids}&conferencial=true`)).json.results).toHaveLength(0);
    expect((await t.call('GET', `/channels?${ids}&onlyMyChannels=true`)).json.results).toHaveLength(2);
    expect((await t.call('GET', '/channels?conferencial=maybe')).status).toBe(422);
  });

  for (const reverse of [false, true]) {
    it(`loses and repeats nothing while channels are added (reverse=${reverse})`, async () => {
      const marker = `paging-${reverse}`;
      const known = new Set<string>();
      for (let n = 0; n < 12; n++) known.add((await connect(`${marker}-${n}`)).json.id);
      const seen: string[] = [];
      let token = '';
      for (let n = 12; ; n++) {
        const { json } = await t.call('GET', `/channels?search=${marker}&limit=3&reverse=${reverse}${token}`);
        seen.push(...json.results.map((channel: { id: string }) => channel.id));
        if (!json.nextPageToken || n > 20) break;
        token = `&pageToken=${json.nextPageToken}`;
        await connect(`${marker}-${n}`);
      }
      expect(new Set(seen).size).toBe(seen.length);
      for (const id of known) expect(seen).toContain(id);
    });
  }
});

describe('test keys', () => {
  it('make sandbox channels and see no others', async () => {
    const key = await t.makeKey(['*'], { sandbox: true });
    const live = await connect('live-one');
    const made = await connect('test-one', {}, key);
    expect((await t.call('GET', `/channels/${made.json.id}/details`, { key })).json.sandbox).toBe(true);
    expect((await t.call('GET', '/channels', { key })).json.results.map((channel: { id: string }) => channel.id)).toEqual([made.json.id]);
    expect((await t.call('GET', `/channels/${live.json.id}`, { key })).status).toBe(404);
    expect((await t.call('DELETE', `/channels/${live.json.id}`, { key })).status).toBe(404);
    expect((await t.call('GET', `/channels/${made.json.id}`)).status).toBe(200);
  });
});

describe('what has to be entered elsewhere', () => {
  const connect = (secret?: string) =>
    t.call('POST', '/channels', {
      body: { source: 'custom', name: 'Own', input: { source_channel_id: secret ?? 'made', ...(secret ? { secret } : {}) } },
    });
  const secretOf = (rows: { label: string; value: string }[]) => rows.find(({ label }) => label === 'Secret');

  it('is told with the secret that was made here, to who may change the channel', async () => {
    const { id } = (await connect()).json;
    expect(secretOf((await t.call('GET', `/channels/${id}/details`)).json.setup)).toMatchObject({ value: '', secret: true });
    expect(secretOf((await t.call('GET', `/channels/${id}/setup`)).json.results)).toMatchObject({
      value: expect.stringMatching(/^whsec_/),
    });
    expect((await t.call('GET', `/channels/${id}/setup`, { key: await t.makeKey(['channels:read']) })).status).toBe(403);
  });

  it('never tells one that was given', async () => {
    const { id } = (await connect('a-secret-of-somebody')).json;
    expect(secretOf((await t.call('GET', `/channels/${id}/setup`)).json.results)).toMatchObject({ value: '' });
  });
});
