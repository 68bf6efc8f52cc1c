import { beforeAll, describe, expect, it } from 'vitest';
import { type TestApp, type TestWorkspace, testApp } from '../../support/app.ts';

let app: TestApp;
let own: TestWorkspace;
let other: TestWorkspace;

beforeAll(async () => {
  app = await testApp();
  own = await app.workspace();
  other = await app.workspace();
});

describe('the documents’ samples for the live chat', () => {
  it('connects, lists, shows, changes and disconnects a channel', async () => {
    const connected = await own.call('channels.chatplugin.connect', {
      name: 'website-identifier-42',
      image_url: 'http://example.org/plugin_icon.jpeg',
    });
    expect(connected.status).toBe(200);
    const { id } = connected.json;
    const shown = {
      id,
      source: 'chatplugin',
      source_channel_id: 'website-identifier-42',
      metadata: { name: 'website-identifier-42', image_url: 'http://example.org/plugin_icon.jpeg' },
      connected: true,
    };
    expect(connected.json).toEqual(shown);
    expect((await own.call('channels.list')).json).toEqual({ data: [shown] });
    expect((await own.call('channels.list', { source: 'chat_plugin' })).json.data).toHaveLength(1);
    expect((await own.call('channels.list', { source: 'facebook' })).json).toEqual({ data: [] });
    expect((await own.call('channels.info', { channel_id: id.toUpperCase() })).json).toEqual(shown);

    const updated = await own.call('channels.update', {
      channel_id: id,
      name: 'new name for this channel',
      imageUrl: 'http://example.org/avatar_redesign.jpeg',
    });
    expect(updated.json).toEqual({
      ...shown,
      metadata: { name: 'new name for this channel', image_url: 'http://example.org/avatar_redesign.jpeg' },
    });

    for (const path of ['channels.chatplugin.disconnect', 'channels.facebook.disconnect']) {
      const gone = await own.call(path, { channel_id: id });
      expect([gone.status, gone.json]).toEqual([202, {}]);
    }
    expect((await own.call('channels.info', { channel_id: id })).json.connected).toBe(false);
    expect((await own.call('channels.list')).json.data[0].connected).toBe(false);

    const again = await own.call('channels.chatplugin.connect', { name: 'website-identifier-42' });
    expect(again.json.id).toBe(id);
    expect(again.json.connected).toBe(true);
  });

  it('keeps allowed origins and looks when the same site is connected again', async () => {
    const settings = { name: 'origins', allowed_origins: ['https://shop.test'], config: { primaryColor: '#112233' } };
    const { json } = await own.call('channels.chatplugin.connect', settings);
    await own.call('channels.chatplugin.connect', { name: 'origins' });
    const { settings: kept } = await app.engine.channels.get(own.id, json.id);
    expect(kept).toEqual({ allowed_origins: ['https://shop.test'], config: { primaryColor: '#112233' } });
  });
});

describe('what is wrong', () => {
  it('answers 403 without a key, with a wrong one, and without the scope', async () => {
    expect((await app.post('channels.list', undefined)).status).toBe(403);
    expect((await app.post('channels.list', undefined, { authorization: 'nonsense' })).status).toBe(403);
    const reader = await app.workspace(['channels:read']);
    expect((await reader.call('channels.list')).status).toBe(200);
    const refused = await reader.call('channels.chatplugin.connect', { name: 'x' });
    expect([refused.status, refused.json]).toEqual([403, { message: 'the API key lacks the scope channels:write' }]);
    const agent = await app.workspace(['conversations:write']);
    const note = await agent.call('metadata.upsert', { subject: 'channel', id: agent.id, data: {} });
    expect([note.status, note.json]).toEqual([403, refused.json]);
  });

  it('takes the key bare, after Bearer and as X-API-Key', async () => {
    for (const headers of [{ authorization: own.key }, { authorization: `Bearer ${own.key}` }, { 'x-api-key': own.key }] as Record<
      string,
      string
    >[]) {
      expect((await app.post('channels.list', undefined, headers)).status).toBe(200);
    }
  });

  it('knows no such address, whatever is sent there', async () => {
    for (const body of [undefined, '', '{}']) expect((await own.call('channels.pigeon.connect', body)).status).toBe(404);
  });

  it('takes an empty body with a content type and without', async () => {
    const authorization = `Bearer ${own.key}`;
    expect((await app.post('channels.list', '', { authorization, 'content-type': 'application/json' })).status).toBe(200);
    expect((await app.post('channels.list', undefined, { authorization })).status).toBe(200);
    expect((await app.post('channels.list', 'null', { authorization })).status).toBe(200);
  });

  it('says what is missing or malformed', async () => {
    expect((await own.call('channels.info', {})).json).toEqual({ message: 'channel_id is required' });
    expect((await own.call('channels.chatplugin.connect', {})).json).toEqual({ message: 'name is required' });
    expect((await own.call('channels.info', { channel_id: 'x' })).status).toBe(400);
    expect((await own.call('channels.info', '{')).json).toEqual({ message: 'the body is not valid JSON' });
    const unknown = await own.call('channels.twilio.sms.disconnect', { channel_id: 'nothing' });
    expect([unknown.status, typeof unknown.json.message]).toEqual([400, 'string']);
  });

  it('does not show another workspace’s channel', async () => {
    const { id } = (await other.call('channels.chatplugin.connect', { name: 'theirs' })).json;
    expect((await own.call('channels.info', { channel_id: id })).status).toBe(404);
    expect((await own.call('channels.update', { channel_id: id, name: 'mine' })).status).toBe(404);
    expect((await own.call('channels.chatplugin.disconnect', { channel_id: id })).status).toBe(400);
    expect((await other.call('channels.info', { channel_id: id })).json.connected).toBe(true);
  });
});

describe('Idempotency-Key', () => {
  it('gives the first answer again, and refuses another request with the same key', async () => {
    const headers = { 'idempotency-key': 'one' };
    const first = await own.call('channels.chatplugin.connect', { name: 'idempotent' }, headers);
    expect(first.headers['idempotent-replayed']).toBeUndefined();
    await own.call('channels.update', { channel_id: first.json.id, name: 'renamed' });
    const replayed = await own.call('channels.chatplugin.connect', { name: 'idempotent' }, headers);
    expect(replayed.headers['idempotent-replayed']).toBe('true');
    expect([replayed.status, replayed.text]).toEqual([200, first.text]);
    expect(replayed.headers['content-type']).toBe(first.headers['content-type']);
    expect((await own.call('channels.info', { channel_id: first.json.id })).json.metadata.name).toBe('renamed');

    const conflict = await own.call('channels.chatplugin.connect', { name: 'another' }, headers);
    expect([conflict.status, typeof conflict.json.message]).toEqual([422, 'string']);
    // The draft's way of writing it.
    const quoted = await own.call('channels.chatplugin.connect', { name: 'idempotent' }, { 'idempotency-key': '"one"' });
    expect([quoted.text, quoted.headers['idempotent-replayed']]).toEqual([first.text, 'true']);
    expect((await other.call('channels.chatplugin.connect', { name: 'idempotent' }, headers)).json.id).not.toBe(first.json.id);
    expect((await own.call('channels.list', {}, { 'idempotency-key': '' })).status).toBe(400);
  });

  it('lets one of many at the same time through', async () => {
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => own.call('channels.chatplugin.connect', { name: 'at once' }, { 'idempotency-key': 'many' })),
    );
    const statuses = answers.map((answer) => answer.status);
    expect(statuses).toContain(200);
    expect(statuses.every((status) => status === 200 || status === 409)).toBe(true);
    expect(answers.filter((answer) => answer.status === 200 && !answer.headers['idempotent-replayed'])).toHaveLength(1);
  });

  it('keeps no answer in the clear', async () => {
    await own.call('channels.chatplugin.connect', { name: 'a secret name' }, { 'idempotency-key': 'sealed' });
    const { rows } = await app.engine.database.query(`select response::text as text from idempotency_keys where key = 'sealed'`);
    expect(rows[0].text).not.toContain('secret');
  });
});
