import { describe, expect, it } from 'vitest';
import { uuidv7 } from '../../../src/model/ids.ts';
import { until } from '../../support/until.ts';
import { testApp, visitorWrites } from '../support.ts';

const t = await testApp();
const connect = async (name: string) => (await t.call('POST', '/channels', { body: { source: 'chatplugin', input: { name } } })).json;
const channel = await connect('site');
await visitorWrites(t.engine, 'site', { visitor: 'ann', text: 'Hello', name: 'Ann', id: 'in-1' });
const conversation = (await t.call('GET', '/conversations')).json.results[0];
const messagesOf = async (id: string, query = '') => (await t.call('GET', `/conversations/${id}/messages?limit=100${query}`)).json.results;
const say = (text: string) => ({ body: { type: 'text', text: { text } } });

describe('a message', () => {
  it('is born delivered when it comes in, and says who wrote it', async () => {
    const [message] = await messagesOf(conversation.id);
    expect(message).toMatchObject({
      channelId: channel.id,
      direction: 'incoming',
      status: 'delivered',
      state: 'delivered',
      parts: [{ platformReference: 'in-1' }],
      sender: {
        contact: { id: conversation.contact.id, identifierKey: 'visitor', identifierValue: 'ann', annotations: { name: 'Ann' } },
        displayName: 'Ann',
      },
      receiver: { connectors: [{ id: channel.connectorId, identifierValue: 'site' }] },
      body: { type: 'text', text: { text: 'Hello' } },
      content: { type: 'text', text: 'Hello' },
      reaction: null,
    });
    expect((await t.call('GET', `/channels/${channel.id}/messages/${message.id}`)).json).toEqual(message);
  });

  it('is accepted with 202, sent, and read as an interaction, never as a status', async () => {
    const replyTo = { id: conversation.lastMessage.id };
    const sent = await t.call('POST', `/channels/${channel.id}/messages`, {
      body: { receiver: { contacts: [{ id: conversation.contact.id }] }, ...say('Hi Ann'), reference: 'order-7', tags: ['VIP'], replyTo },
    });
    expect(sent).toMatchObject({
      status: 202,
      json: {
        id: expect.any(String),
        conversationId: conversation.id,
        direction: 'outgoing',
        status: 'accepted',
        reference: 'order-7',
        tags: ['vip'],
        replyTo: { ...replyTo, type: 'message' },
        receiver: { contacts: [{ id: conversation.contact.id, identifierValue: 'ann' }] },
      },
    });
    const path = `/channels/${channel.id}/messages/${sent.json.id}`;
    await until(async () => (await t.call('GET', path)).json.status === 'sent');
    const receipt = { type: 'receipt', messages: [sent.json.id], state: 'read', at: new Date().toISOString() };
    const body = Buffer.from(JSON.stringify(receipt));
    await t.engine.ingest.submit([{ source: 'chatplugin', sourceChannelId: 'site', contentType: 'application/json', body }]);
    expect((await t.call('GET', path)).json).toMatchObject({ status: 'delivered', state: 'read' });
    expect((await t.call('GET', `${path}/interactions`)).json.results).toEqual([
      expect.objectContaining({ type: 'read', messageId: sent.json.id, platformId: 'chatplugin', messageReference: 'order-7' }),
    ]);
  });

  it('shows incoming files as images and files, under a signed address', async () => {
    const { id } = await t.engine.media.upload(t.workspaceId, Buffer.from('%PDF-1.4 test'), { filename: 'a.pdf' });
    const url = t.engine.media.signedUrl(t.workspaceId, id);
    await send({ type: 'image', payload: { url: 'https://example.com/a.png' } });
    const [image] = await messagesOf(conversation.id);
    expect(image.body.image.images[0].mediaUrl).toMatch(/^http:\/\/localhost:3000\/media\/.+\?s=/);
    await send({ type: 'file', payload: { url } });
    const [file] = await messagesOf(conversation.id);
    expect(file.body.file.files).toHaveLength(1);
    const own = await t.call('POST', `/conversations/${conversation.id}/messages`, {
      body: { body: { type: 'file', file: { files: [{ mediaUrl: url, contentType: 'application/pdf' }] } } },
    });
    expect(own.json.content).toMatchObject({ type: 'file', media: { id, url, mimeType: 'application/pdf', filename: 'a.pdf' } });

    async function send(attachment: unknown) {
      const event = {
        type: 'message',
        id: uuidv7(),
        visitor: 'ann',
        conversation: conversation.id,
        message: { attachment },
        at: new Date(),
      };
      const body = Buffer.from(JSON.stringify(event));
      await t.engine.ingest.submit([{ source: 'chatplugin', sourceChannelId: 'site', contentType: 'application/json', body }]);
    }
  });

  it('is refused with the field that is wrong', async () => {
    const post = (body: unknown) => t.call('POST', `/channels/${channel.id}/messages`, { body });
    const contacts = [{ id: conversation.contact.id }];
    const fields = async (body: unknown) => {
      const answer = await post(body);
      expect(answer).toMatchObject({ status: 422 });
      return Object.keys(answer.json.details);
    };
    expect(await fields({ ...say('x') })).toEqual(['receiver']);
    expect(await fields({ receiver: { contacts: [] }, ...say('x') })).toEqual(['receiver.contacts']);
    expect(await fields({ receiver: { contacts } })).toEqual(['body']);
    expect(await fields({ receiver: { contacts }, ...say('x'), colour: 1 })).toEqual(['colour']);
    expect(await fields({ receiver: { contacts }, body: { type: 'text', text: { text: 'x', font: 1 } } })).toEqual(['body.text.font']);
    expect(await fields({ receiver: { contacts: [{ id: uuidv7() }] }, ...say('x') })).toEqual(['receiver.contacts.0.id']);
    expect(await fields({ receiver: { contacts: [{ identifierKey: 'phonenumber', identifierValue: 'x' }] }, ...say('x') })).toEqual([
      'receiver.contacts.0.identifierValue',
    ]);
    expect(
      await fields({ receiver: { contacts }, ...say('x'), scheduledFor: new Date(Date.now() + 36 * 86_400_000).toISOString() }),
    ).toEqual(['scheduledFor']);
    expect(await fields({ receiver: { contacts }, ...say('x'), tags: Array(11).fill('t') })).toEqual(['tags']);
    expect(
      (await post({ receiver: { contacts }, body: { type: 'location', location: { coordinates: { latitude: 1, longitude: 2 } } } })).json,
    ).toMatchObject({
      code: 'notSupported',
    });
    const stranger = await post({ receiver: { contacts: [{ identifierKey: 'visitor', identifierValue: 'nobody' }] }, ...say('x') });
    expect(stranger.json.code).toBe('notSupported');
  });

  it('waits when it is scheduled, unless that is soon', async () => {
    const at = new Date(Date.now() + 3_600_000).toISOString();
    const later = await t.call('POST', `/conversations/${conversation.id}/messages`, { body: { ...say('later'), scheduledFor: at } });
    expect(later.json).toMatchObject({ status: 'scheduled', state: 'scheduled', scheduledFor: at });
    const soon = await t.call('POST', `/conversations/${conversation.id}/messages`, {
      body: { ...say('soon'), scheduledFor: new Date(Date.now() + 60_000).toISOString() },
    });
    expect(soon.json.status).toBe('accepted');
    const listed = await t.call('GET', `/channels/${channel.id}/messages?status=scheduled`);
    expect(listed.json.results.map((message: { id: string }) => message.id)).toEqual([later.json.id]);
  });

  it('is not sent on a channel that is switched off', async () => {
    const off = await connect('off');
    await visitorWrites(t.engine, 'off', { visitor: 'bo', text: 'Hello' });
    const { json } = await t.call('GET', `/conversations?channelId=${off.id}`);
    await t.call('PATCH', `/channels/${off.id}`, { body: { status: 'inactive' } });
    expect(await t.call('POST', `/conversations/${json.results[0].id}/messages`, { body: say('x') })).toMatchObject({
      status: 409,
      json: { code: 'channelInactive' },
    });
  });

  it('is sent again only when it failed', async () => {
    const { json } = await t.call('POST', `/conversations/${conversation.id}/messages`, { body: say('fine') });
    expect((await t.call('POST', `/messages/${json.id}/resend`)).status).toBe(409);
    await until(async () => (await t.call('GET', `/channels/${channel.id}/messages/${json.id}`)).json.state === 'sent');
    const error = { class: 'rejected', message: 'no', providerCode: '131026' };
    await t.engine.database.query(`update messages set state = 'failed', error = $2 where id = $1`, [json.id, JSON.stringify(error)]);
    expect((await t.call('GET', `/channels/${channel.id}/messages/${json.id}`)).json).toMatchObject({
      status: 'delivery_failed',
      reason: 'no',
      failure: { code: 11002, description: 'no', source: { code: '131026', name: 'chatplugin' } },
    });
    expect((await t.call('GET', `/channels/${channel.id}/messages?status=delivery_failed`)).json.results).toHaveLength(1);
    expect((await t.call('GET', `/channels/${channel.id}/messages?status=sending_failed`)).json.results).toHaveLength(0);
    expect(await t.call('POST', `/messages/${json.id}/resend`)).toMatchObject({ status: 202, json: { state: 'pending' } });
  });
});

describe('Idempotency-Key', () => {
  const path = `/conversations/${conversation.id}/messages`;

  it('the same request again gives the first answer and sends nothing', async () => {
    const options = { body: say('once'), headers: { 'idempotency-key': 'k-1' } };
    const [first, again] = [await t.call('POST', path, options), await t.call('POST', path, options)];
    expect(first.status).toBe(202);
    expect(again).toMatchObject({ status: 202, json: { id: first.json.id }, headers: { 'idempotent-replayed': 'true' } });
    const texts = (await messagesOf(conversation.id)).map((message: { content: { text?: string } }) => message.content.text);
    expect(texts.filter((text: string) => text === 'once')).toHaveLength(1);
    expect(await t.call('POST', path, { ...options, body: say('other') })).toMatchObject({
      status: 422,
      json: { code: 'idempotencyMismatch' },
    });
  });

  it('works for answers without a body', async () => {
    const options = { headers: { 'idempotency-key': 'k-2' } };
    const read = () => t.call('POST', `/conversations/${conversation.id}/read`, options);
    expect((await read()).status).toBe(204);
    expect(await read()).toMatchObject({ status: 204, headers: { 'idempotent-replayed': 'true' } });
  });
});

describe('conversations', () => {
  it('are found by channel, status, unread, tag and words', async () => {
    const own = await connect('filters');
    await visitorWrites(t.engine, 'filters', { visitor: 'cleo', text: 'One', name: 'Cleo 100%' });
    await visitorWrites(t.engine, 'filters', { visitor: 'dan', text: 'Two', name: 'Dan' });
    const list = async (query: string) => (await t.call('GET', `/conversations?channelId=${own.id}&${query}`)).json.results;
    const names = async (query: string) =>
      (await list(query)).map((row: { contact: { computedDisplayName: string } }) => row.contact.computedDisplayName);
    expect(await names('')).toEqual(['Dan', 'Cleo 100%']);
    expect(await names('search=0%25')).toEqual(['Cleo 100%']);
    expect(await names('search=DAN')).toEqual(['Dan']);
    const [dan] = await list('search=dan');
    expect(dan.unreadCount).toBe(1);
    expect((await t.call('POST', `/conversations/${dan.id}/read`)).status).toBe(204);
    expect(await names('unread=true')).toEqual(['Cleo 100%']);
    await t.call('PATCH', `/conversations/${dan.id}`, { body: { status: 'closed', tags: { add: ['a', 'b'] }, name: 'About Dan' } });
    expect(await names('status=closed')).toEqual(['Dan']);
    expect(await names('status=active')).toEqual(['Cleo 100%']);
    expect(await names('tag=b')).toEqual(['Dan']);
    const changed = await t.call('PATCH', `/conversations/${dan.id}`, { body: { tags: { remove: ['a'] } } });
    expect(changed.json).toMatchObject({ tags: ['b'], name: 'About Dan', status: 'closed' });
    await visitorWrites(t.engine, 'filters', { visitor: 'dan', text: 'Again' });
    expect((await t.call('GET', `/conversations/${dan.id}`)).json).toMatchObject({
      status: 'active',
      lastMessage: { content: { text: 'Again' } },
    });
  });

  for (const reverse of [false, true]) {
    it(`page through messages of the same moment while more come (reverse=${reverse})`, async () => {
      const name = `pages-${reverse}`;
      const own = await connect(name);
      const at = new Date(Date.now() - 60_000);
      for (let n = 0; n < 25; n++) await visitorWrites(t.engine, name, { visitor: 'eve', text: `${n}`, at });
      const [row] = (await t.call('GET', `/conversations?channelId=${own.id}`)).json.results;
      const before = new Set<string>((await messagesOf(row.id)).map((message: { id: string }) => message.id));
      expect(before.size).toBe(25);
      const seen: string[] = [];
      for (let token = '', n = 0; n < 30; n++) {
        const { json } = await t.call('GET', `/conversations/${row.id}/messages?limit=4&reverse=${reverse}${token}`);
        seen.push(...json.results.map((message: { id: string }) => message.id));
        if (!json.nextPageToken) break;
        token = `&pageToken=${json.nextPageToken}`;
        if (n < 5) await visitorWrites(t.engine, name, { visitor: 'eve', text: 'more' });
      }
      expect(new Set(seen).size).toBe(seen.length);
      for (const id of before) expect(seen).toContain(id);
    });
  }

  it('tell that somebody is writing', async () => {
    const { newest } = (await t.call('GET', '/events?limit=1')).json;
    expect((await t.call('POST', `/conversations/${conversation.id}/typing`, { body: { on: true } })).status).toBe(204);
    expect((await t.call('GET', `/events?after=${newest}`)).json.results).toContainEqual(
      expect.objectContaining({
        type: 'typing',
        conversationId: conversation.id,
        data: expect.objectContaining({ by: 'agent', on: true }),
      }),
    );
  });
});

describe('contacts', () => {
  it('are made with addresses, changed and forgotten', async () => {
    const body = { displayName: 'Finn', identifiers: [{ key: 'phonenumber', value: '+49 171 1234567' }], attributes: { city: 'Ulm' } };
    const made = await t.call('POST', '/contacts', { body });
    expect(made).toMatchObject({
      status: 201,
      json: {
        computedDisplayName: 'Finn',
        featuredIdentifiers: [{ key: 'phonenumber', value: '+491711234567' }],
        attributes: { city: 'Ulm', displayName: 'Finn', avatarUrl: null },
      },
    });
    const path = `/contacts/${made.json.id}`;
    expect(await t.call('POST', '/contacts', { body })).toMatchObject({ status: 409, json: { details: { contactId: [made.json.id] } } });
    const changed = await t.call('PATCH', path, { body: { attributes: { city: null, title: 'Dr.' }, displayName: null } });
    expect(changed.json).toMatchObject({ computedDisplayName: '+491711234567', attributes: { title: 'Dr.' } });
    expect(changed.json.attributes).not.toHaveProperty('city');
    expect((await t.call('GET', '/contacts?search=1711234567')).json.results).toHaveLength(1);
    expect((await t.call('DELETE', path)).status).toBe(204);
    expect((await t.call('GET', path)).status).toBe(404);
  });
});

describe('the service window', () => {
  it('has no end where a source has no windows, and knows the contact', async () => {
    const path = `/channels/${channel.id}/contacts/${conversation.contact.id}`;
    expect((await t.call('GET', path)).json).toEqual({ serviceWindowExpireAt: null, isPermanentSession: true });
    expect((await t.call('GET', `${path}?contactIdentifierValue=ann`)).status).toBe(200);
    expect((await t.call('GET', `${path}?contactIdentifierValue=bob`)).status).toBe(404);
    expect((await t.call('GET', `/channels/${channel.id}/contacts/${uuidv7()}`)).json).toEqual({
      code: 'notFound',
      message: 'contact not found',
    });
  });
});

describe('files', () => {
  const multipart = (fields: Record<string, string>, file: string) => {
    const boundary = 'x-boundary';
    const parts = Object.entries(fields).map(
      ([name, value]) => `--${boundary}\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`,
    );
    const payload = `${parts.join('')}--${boundary}\r\ncontent-disposition: form-data; name="file"; filename="a.txt"\r\ncontent-type: text/plain\r\n\r\n${file}\r\n--${boundary}--\r\n`;
    return { body: payload, headers: { 'content-type': `multipart/form-data; boundary=${boundary}` } };
  };
  const fetchFile = (url: string) => t.app.inject({ url: url.replace('http://localhost:3000', '') });

  it('are uploaded and served', async () => {
    const made = await t.call('POST', '/media', multipart({}, 'Hello'));
    expect(made).toMatchObject({ status: 201, json: { mimeType: 'text/plain', size: 5, filename: 'a.txt' } });
    expect((await fetchFile(made.json.mediaUrl)).body).toBe('Hello');
    expect((await t.call('POST', '/media', { body: {} })).json.details).toEqual({ file: ['send it as multipart/form-data'] });
    expect((await t.call('POST', '/media', multipart({}, ''))).status).toBe(422);
  });

  it('are uploaded to an address that was asked for, once, with its signature', async () => {
    const { json } = await t.call('POST', '/channel-media/presigned-upload', { body: { contentType: 'text/plain' } });
    const url = json.uploadUrl.replace('http://localhost:3000', '');
    const upload = (fields: Record<string, string>) => {
      const { body, headers } = multipart(fields, 'Hello');
      return t.app.inject({ method: json.uploadMethod, url, payload: body, headers });
    };
    expect((await upload({ ...json.uploadFormData, signature: 'x' })).statusCode).toBe(403);
    expect((await upload({ ...json.uploadFormData, expires: '9999999999999' })).statusCode).toBe(403);
    expect((await upload(json.uploadFormData)).statusCode).toBe(204);
    expect((await upload(json.uploadFormData)).statusCode).toBe(409);
    expect((await fetchFile(json.mediaUrl)).body).toBe('Hello');
  });
});

describe('raw events', () => {
  it('show what could not be read, and are replayed', async () => {
    await t.engine.ingest.submit([{ source: 'chatplugin', sourceChannelId: 'site', contentType: 'x', body: Buffer.from('{broken') }]);
    await visitorWrites(t.engine, 'unknown-site', { visitor: 'gus', text: 'Lost?' });
    const { json } = await t.call('GET', '/raw-events?state=failed&state=unrouted');
    expect(json.results.map((row: { state: string }) => row.state)).toEqual(['unrouted', 'failed']);
    const [lost, broken] = json.results;
    expect((await t.call('GET', `/raw-events/${broken.id}`)).json.body).toBe('{broken');
    expect((await t.call('POST', `/raw-events/${broken.id}/replay`)).json).toEqual({ state: 'failed' });
    const later = await connect('unknown-site');
    expect((await t.call('POST', `/raw-events/${lost.id}/replay`)).json).toEqual({ state: 'applied' });
    expect((await t.call('GET', `/conversations?channelId=${later.id}`)).json.results).toHaveLength(1);
  });
});
