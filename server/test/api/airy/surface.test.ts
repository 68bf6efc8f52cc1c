import { beforeAll, describe, expect, it } from 'vitest';
import { type TestApp, type TestWorkspace, testApp } from '../../support/app.ts';
import { until } from '../../support/until.ts';

let app: TestApp;
let own: TestWorkspace;
let channelId: string;

beforeAll(async () => {
  app = await testApp();
  own = await app.workspace();
  channelId = (await own.call('channels.chatplugin.connect', { name: 'site' })).json.id;
});

/** A conversation in which the contact wrote these texts. */
async function conversation(...texts: string[]) {
  const { token } = (await app.post('chatplugin.authenticate', { channel_id: channelId })).json;
  let id = '';
  const messageIds: string[] = [];
  for (const text of texts.length > 0 ? texts : ['Hello']) {
    const { json } = await app.post('chatplugin.send', { message: { text } }, { authorization: `Bearer ${token}` });
    id = json.sender.id;
    messageIds.push(json.id);
  }
  return { id, token: token as string, messageIds };
}

const info = async (id: string) => (await own.call('conversations.info', { conversation_id: id })).json;

describe('conversations.*', () => {
  it('show one as Airy does', async () => {
    const { id, messageIds } = await conversation('One', 'Two');
    const shown = await info(id);
    expect(shown).toEqual({
      id,
      created_at: expect.stringMatching(/\.\d{3}Z$/),
      channel: { id: channelId, source: 'chatplugin', source_channel_id: 'site', metadata: { name: 'site' }, connected: true },
      metadata: { contact: { display_name: `Chatplugin ${id.slice(-5)}` }, unread_count: 2 },
      last_message: expect.objectContaining({ id: messageIds[1], content: { text: 'Two' }, from_contact: true }),
    });
    expect((await own.call('conversations.info', { conversation_id: channelId })).status).toBe(404);
  });

  it('are read, tagged, named and closed', async () => {
    const { id, messageIds } = await conversation('One', 'Two');
    const { id: tagId } = (await own.call('tags.create', { name: 'VIP', color: 'tag-blue' })).json;
    const change = async (name: string, body: object = {}) => (await own.call(name, { conversation_id: id, ...body })).status;
    expect(await change('conversations.mark-read')).toBe(204);
    expect(await change('conversations.tag', { tag_id: tagId.toUpperCase() })).toBe(204);
    expect(await change('conversations.setState', { state: 'CLOSED' })).toBe(204);
    expect(await change('conversations.update-contact', { display_name: 'Grace' })).toBe(204);
    expect(await change('conversations.refetch')).toBe(202);
    // Live chat has no profiles to fetch.
    const contact = { display_name: 'Grace', fetch_state: 'failed' };
    await until(async () => (await info(id)).metadata.contact.fetch_state === 'failed');
    expect((await info(id)).metadata).toEqual({
      contact,
      tags: { [tagId]: '' },
      unread_count: 0,
      state: 'CLOSED',
    });
    const { data } = (await own.call('messages.list', { conversation_id: id })).json;
    expect(data.map((message: any) => message.metadata.user_read)).toEqual(data.map((message: any) => Date.parse(message.sent_at)));
    expect(data.map((message: any) => message.id)).toEqual(messageIds.toReversed());
    expect(await change('conversations.untag', { tag_id: tagId })).toBe(204);
    expect(await change('conversations.remove-state')).toBe(204);
    expect((await info(id)).metadata).toEqual({ contact, unread_count: 0 });
    const nowhere = { conversation_id: channelId };
    expect((await own.call('conversations.mark-read', nowhere)).status).toBe(204);
    expect((await own.call('conversations.tag', { ...nowhere, tag_id: tagId })).status).toBe(404);
    expect((await own.call('conversations.tag', {})).status).toBe(400);
    expect((await own.call('conversations.set-state', { ...nowhere, state: 'OPEN' })).status).toBe(404);
    expect((await own.call('conversations.refetch', nowhere)).status).toBe(404);
  });

  it('are listed page by page, and filtered', async () => {
    const lister = await app.workspace();
    const site = (await lister.call('channels.chatplugin.connect', { name: 'pages' })).json.id;
    for (let n = 0; n < 5; n++) {
      const { token } = (await app.post('chatplugin.authenticate', { channel_id: site })).json;
      await app.post('chatplugin.send', { message: { text: `from ${n}` } }, { authorization: `Bearer ${token}` });
    }
    const first = (await lister.call('conversations.list', { page_size: 2, cursor: null })).json;
    expect(first.data.map((item: any) => item.last_message.content.text)).toEqual(['from 4', 'from 3']);
    expect(first.pagination_data).toEqual({ previous_cursor: '0', next_cursor: '2', total: 5 });
    const last = (await lister.call('conversations.list', { page_size: 2, cursor: 4 })).json;
    expect(last.data.map((item: any) => item.last_message.content.text)).toEqual(['from 0']);
    expect(last.pagination_data).toEqual({ previous_cursor: '4', next_cursor: null, total: 5 });
    const beyond = (await lister.call('conversations.list', { cursor: '100' })).json;
    expect([beyond.data, beyond.pagination_data.total]).toEqual([[], 5]);
    expect((await lister.call('conversations.list')).json.data).toHaveLength(5);
    expect((await lister.call('conversations.list', { cursor: 'abc' })).status).toBe(400);

    await lister.call('conversations.mark-read', { conversation_id: first.data[0].id });
    const unread = (await lister.call('conversations.list', { filters: 'unread_count:[1 TO *]' })).json;
    expect(unread.pagination_data.total).toBe(4);
    const wrong = await lister.call('conversations.list', { filters: 'unread_count:x' });
    expect([wrong.status, wrong.json.message]).toEqual([400, 'Failed to parse Lucene query: "x" is no number']);
  });
});

describe('messages.*', () => {
  it('are paged by cursor', async () => {
    const { id } = await conversation('1', '2', '3', '4', '5');
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const { json } = await own.call('messages.list', { conversation_id: id, page_size: 2, cursor });
      seen.push(...json.data.map((message: any) => message.content.text));
      expect(json.pagination_data.total).toBe(5);
      cursor = json.pagination_data.next_cursor;
    } while (cursor);
    expect(seen).toEqual(['5', '4', '3', '2', '1']);
    expect((await own.call('messages.list', { conversation_id: id, page_size: 2, cursor: id })).status).toBe(400);
    expect((await own.call('messages.list', { conversation_id: channelId })).status).toBe(404);
  });

  it('are refused for a disconnected channel and resent only when failed', async () => {
    const { id: site } = (await own.call('channels.chatplugin.connect', { name: 'closing' })).json;
    const { token } = (await app.post('chatplugin.authenticate', { channel_id: site })).json;
    const { json } = await app.post('chatplugin.send', { message: { text: 'Hi' } }, { authorization: `Bearer ${token}` });
    await own.call('channels.chatplugin.disconnect', { channel_id: site });
    const sent = await own.call('messages.send', { conversation_id: json.sender.id, message: { text: 'Hello' } });
    expect(sent.status).toBe(403);
    expect((await app.post('chatplugin.send', { message: { text: 'Hi' } }, { authorization: `Bearer ${token}` })).status).toBe(404);
    expect((await own.call('messages.send', { message: { text: 'x' } })).status).toBe(400);
    expect((await own.call('messages.send', { channel_id: site, source_recipient_id: 'x', message: { text: 'x' } })).status).toBe(403);
    expect((await own.call('messages.send', { channel_id: json.id, source_recipient_id: 'x', message: { text: 'x' } })).status).toBe(403);
    const resent = await own.call('messages.resend', { message_id: json.id });
    expect([resent.status, resent.json]).toEqual([409, { message: 'Message is not in a failed state' }]);
    expect((await own.call('messages.resend', { message_id: site })).status).toBe(404);
  });

  it('wait for a conversation that appears later', async () => {
    const { token } = (await app.post('chatplugin.authenticate', { channel_id: channelId })).json;
    const conversationId = JSON.parse(Buffer.from(token.split('.')[1], 'base64url').toString()).conversation_id;
    const early = await own.call('messages.send', { conversation_id: conversationId, message: { text: 'early' } });
    expect([early.status, early.json.source, early.json.delivery_state]).toEqual([202, '', 'pending']);
    await app.post('chatplugin.send', { message: { text: 'first' } }, { authorization: `Bearer ${token}` });
    await until(async () => (await own.call('messages.list', { conversation_id: conversationId })).json.data[0].id === early.json.id);
  });

  it('carry suggestions and data of one’s own', async () => {
    const { id, messageIds } = await conversation();
    const suggestions = { s1: { content: { text: 'Yes' } } };
    const suggested = await own.call('messages.suggestReplies', { message_id: messageIds[0], suggestions });
    expect(suggested.json.metadata.suggestions).toEqual(suggestions);
    for (const [subject, subjectId] of [
      ['message', messageIds[0]],
      ['conversation', id],
      ['channel', channelId],
    ]) {
      expect((await own.call('metadata.upsert', { subject, id: subjectId, data: { 'erp.id': 'a', erp: { seen: [1] } } })).status).toBe(204);
      expect((await own.call('metadata.upsert', { subject, id: subjectId, data: { erp: { seen: [2] } } })).status).toBe(204);
    }
    const userData = { erp: { id: 'a', seen: [2] } };
    const shown = await info(id);
    expect(shown.metadata.user_data).toEqual(userData);
    expect(shown.channel.metadata.user_data).toEqual(userData);
    expect(shown.last_message.metadata).toMatchObject({ suggestions, user_data: userData });
    expect(
      (await own.call('conversations.list', { filters: 'metadata.user_data.erp.id:A' })).json.data.map((item: any) => item.id),
    ).toEqual([id]);
    expect((await own.call('metadata.upsert', { subject: 'tag', id, data: {} })).status).toBe(400);
    expect((await own.call('metadata.upsert', { subject: 'message', id: channelId, data: { a: 1 } })).status).toBe(204);
  });
});

describe('tags, templates, users', () => {
  it('are kept', async () => {
    const home = await app.workspace();
    expect((await home.call('tags.create', { name: 'x', color: 'pink' })).status).toBe(400);
    const tag = await home.call('tags.create', { name: 'x', color: 'tag-red' });
    expect([tag.status, tag.json]).toEqual([201, { id: tag.json.id, name: 'x', color: 'tag-red' }]);
    expect((await home.call('tags.update', { id: tag.json.id, name: 'y' })).status).toBe(204);
    expect((await home.call('tags.list')).json).toEqual({ data: [{ id: tag.json.id, name: 'y', color: 'tag-red' }] });
    expect((await home.call('tags.delete', { id: tag.json.id })).status).toBe(204);
    expect((await home.call('tags.delete', { id: tag.json.id })).status).toBe(404);

    const made = await home.call('templates.create', { name: 'Welcome', source: 'chatplugin', content: { text: 'Hi' } });
    expect([made.status, made.json]).toEqual([201, { id: made.json.id, name: 'Welcome', source: 'chatplugin', content: { text: 'Hi' } }]);
    expect((await home.call('templates.info', { id: made.json.id })).json).toEqual(made.json);
    expect((await home.call('templates.list', { source: 'chatplugin', name: 'elc' })).json).toEqual({ data: [made.json] });
    expect((await home.call('templates.list', { source: 'chatplugin', name: 'ELC' })).json).toEqual({ data: [] });
    expect((await home.call('templates.update', { id: made.json.id, content: 'plain' })).json.content).toBe('plain');
    expect((await home.call('templates.delete', { id: made.json.id })).status).toBe(204);
    expect((await home.call('templates.info', { id: made.json.id })).status).toBe(404);

    const users = (await home.call('users.list')).json;
    expect(users.data[0]).toMatchObject({ name: 'Test', avatar_url: null, first_seen_at: expect.stringMatching(/Z$/) });
    expect(users.pagination_data.total).toBe(1);
  });
});

describe('contacts.*', () => {
  it('are made, changed, listed, found and deleted', async () => {
    const home = await app.workspace();
    const made = await home.call('contacts.create', { display_name: 'Ada', timezone: 1, address: { city: 'London' }, via: { phone: '1' } });
    expect(made.status).toBe(201);
    expect(made.json).toEqual({
      id: made.json.id,
      display_name: 'Ada',
      avatar_url: null,
      title: null,
      gender: null,
      timezone: 1,
      locale: null,
      organization_name: null,
      via: { phone: '1' },
      address: {
        organization_name: null,
        address_line1: null,
        address_line2: null,
        postal_code: null,
        city: 'London',
        state: null,
        country: null,
      },
      conversations: {},
      metadata: {},
      created_at: expect.any(Number),
      updated_at: expect.any(Number),
    });
    const id = made.json.id;
    expect((await home.call('contacts.create', {})).status).toBe(201);
    expect((await home.call('contacts.import', [{ display_name: 'B' }, { display_name: 'C' }])).json.data).toHaveLength(2);
    const update = { id, title: 'Countess', timezone: '', address: { country: 'UK' }, via: { mail: 'a@b' } };
    expect((await home.call('contacts.update', update)).status).toBe(202);
    const changed = (await home.call('contacts.info', { id })).json;
    expect(changed).toMatchObject({
      title: 'Countess',
      timezone: null,
      via: { phone: '1', mail: 'a@b' },
      address: { city: 'London', country: 'UK' },
    });
    const names: (string | null)[] = [];
    let cursor: string | null = null;
    do {
      const { json } = await home.call('contacts.list', { page_size: 3, cursor });
      names.push(...json.data.map((contact: any) => contact.display_name));
      cursor = json.pagination_data.next_cursor;
    } while (cursor);
    expect(names).toEqual(['Ada', 'B', 'C', null]);
    expect((await home.call('contacts.delete', { id })).status).toBe(202);
    expect((await home.call('contacts.info', { id })).json).toEqual({ message: 'Contact not found' });
    expect((await home.call('contacts.info', {})).json).toEqual({ message: 'Either contact or conversation id must be provided' });
  });

  it('are merged, conversations and all', async () => {
    const [one, two] = [await conversation('from one'), await conversation('from two')];
    const contactOf = async (id: string) => (await own.call('contacts.info', { conversation_id: id })).json;
    const [source, destination] = [await contactOf(one.id), await contactOf(two.id)];
    await own.call('contacts.update', { id: source.id, display_name: 'Only one with a name', title: 'Dr' });
    const merged = await own.call('contacts.merge', { source_id: source.id, destination_id: destination.id });
    expect(merged.json).toMatchObject({ id: destination.id, display_name: 'Only one with a name', title: 'Dr' });
    expect(merged.json.conversations).toEqual({ [one.id]: 'chatplugin', [two.id]: 'chatplugin' });
    expect(merged.json.merge_history.map((item: any) => item.id)).toEqual([source.id]);
    expect((await own.call('contacts.info', { id: source.id })).status).toBe(404);
    const recent = (await own.call('contacts.recent-messages', { contact_id: destination.id })).json;
    expect(recent[one.id].data[0].content).toEqual({ text: 'from one' });
    expect(recent[two.id].pagination_data.total).toBe(1);
    expect((await own.call('contacts.recent-messages', { contact_id: destination.id, include_sources: ['facebook'] })).json).toEqual({});
    expect((await own.call('contacts.merge', { source_id: source.id, destination_id: destination.id })).status).toBe(404);
  });
});

describe('what front-ends ask at their start', () => {
  it('comes from the registry', async () => {
    const config = (await own.call('client.config')).json;
    expect(config.services['sources-chatplugin']).toEqual({ enabled: true, healthy: true, component: 'sources-chatplugin' });
    expect(config.tag_config.colors['tag-red'].position).toBe(2);
    expect(config.user_profile.name).toBe('Test');
    const { components } = (await own.call('components.list')).json;
    expect(components['sources-chatplugin']).toMatchObject({
      installationStatus: 'installed',
      isChannel: 'true',
      price: 'Free',
      source: 'chatplugin',
    });
    expect(Object.keys((await own.call('components.get')).json.components)).toContain('sources-chatplugin');
    expect((await own.call('components.install', { name: 'sources-facebook' })).status).toBe(202);
    expect((await own.call('components.install', { name: 'sources-pigeon' })).status).toBe(400);
    for (const [name, body, words] of [
      ['components.uninstall', { name: 'sources-facebook' }, 'part of Patchbay'],
      ['components.update', { components: [] }, 'environment variables'],
      ['channels.viber.connect', undefined, 'no source viber'],
    ] as const) {
      const answer = await own.call(name, body);
      expect([answer.status, answer.json.message]).toEqual([400, expect.stringContaining(words)]);
    }
  });
});

describe('media.upload', () => {
  const upload = (headers: Record<string, string>, filename: string | undefined = 'a.png', data: string = 'bytes') => {
    const name = filename === undefined ? '' : `; filename="${filename}"`;
    const payload = `--x\r\ncontent-disposition: form-data; name="file"${name}\r\ncontent-type: image/png\r\n\r\n${data}\r\n--x--\r\n`;
    return app.app.inject({
      method: 'POST',
      url: '/media.upload',
      headers: { 'content-type': 'multipart/form-data; boundary=x', ...headers },
      payload,
    });
  };

  it('takes files of agents and visitors', async () => {
    const { id, token } = await conversation();
    for (const authorization of [own.key, `Bearer ${token}`]) {
      const response = await upload({ authorization });
      expect(response.statusCode).toBe(200);
      const url = new URL(response.json().media_url);
      expect(url.origin).toBe('https://patchbay.test');
      expect((await app.app.inject(url.pathname + url.search)).body).toBe('bytes');
    }
    const url = (await upload({ authorization: `Bearer ${token}` })).json().media_url;
    const attachment = { attachment: { type: 'image', payload: { url } } };
    await app.post('chatplugin.send', { message: attachment }, { authorization: `Bearer ${token}` });
    const shown = await info(id);
    expect(shown.last_message.content).toEqual(attachment);
    const { rows } = await app.engine.database.query(`select content->'media'->>'id' as id from messages where id = $1`, [
      shown.last_message.id,
    ]);
    expect(url).toContain(rows[0].id);
  });

  it('refuses strangers and nonsense', async () => {
    expect((await upload({})).statusCode).toBe(403);
    expect((await upload({ authorization: own.key }, 'a.png', '')).json().message).toMatch(/^Media Upload failed with error: /);
    expect((await own.call('media.upload', {})).status).toBe(400);
    const broken = await app.app.inject({
      method: 'POST',
      url: '/media.uploadFile',
      headers: { authorization: own.key, 'content-type': 'multipart/form-data; boundary=x' },
      payload: 'no multipart at all',
    });
    expect(broken.statusCode).toBe(400);
  });
});
