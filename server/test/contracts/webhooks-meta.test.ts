/** Meta's webhooks, replayed from outside: what is taken, what is refused, and what every surface shows of it. */
import { createHmac } from 'node:crypto';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { escapedJson } from '../../../sandbox/meta/webhooks.ts';
import { exampleWebhooks, hasEvidence } from '../connectors/meta/support.ts';
import { until } from '../support/until.ts';
import { PNG } from './pictures.ts';
import { type Client, META, startWorld, type World } from './world.ts';

const PATHS = ['/hooks/meta', '/facebook', '/instagram', '/whatsapp'];

let world: World;
let client: Client;
let whatsapp: string;
beforeAll(async () => {
  world = await startWorld();
});
beforeEach(async () => {
  client = await world.client();
  whatsapp = (await client.airy('channels.whatsapp.connect', { phone_number_id: '1234567', user_token: 'user-token', name: 'Hotline' }))
    .json.id;
  people += 1;
});

let people = 0;
const phone = () => `4915100${String(people).padStart(6, '0')}`;
const customer = (more = {}) => world.meta.whatsappCustomer('1234567', { phone: phone(), name: 'Grace Hopper', ...more });

/** The only conversation of the workspace, once its newest message has arrived. */
async function conversation(messages = 1): Promise<any> {
  return until(async () => {
    const { json } = await client.airy('conversations.list');
    const [only] = json.data;
    if (!only) return undefined;
    const listed = await client.airy('messages.list', { conversation_id: only.id });
    return listed.json.data.length >= messages && { ...only, messages: listed.json.data };
  });
}

async function messageOf(channel: string, reference: string): Promise<any> {
  return until(async () => {
    const { json } = await client.workspace('GET', `/channels/${channel}/messages?limit=50`);
    return json.results.find((message: any) => message.parts[0]?.platformReference === reference);
  });
}

function signed(body: string, secret = META.appSecret): Record<string, string> {
  const sum = (algorithm: string) => createHmac(algorithm, secret).update(body).digest('hex');
  return { 'content-type': 'application/json', 'x-hub-signature': `sha1=${sum('sha1')}`, 'x-hub-signature-256': `sha256=${sum('sha256')}` };
}

const webhook = (messages: unknown[], more: object = {}) =>
  JSON.stringify({
    object: 'whatsapp_business_account',
    entry: [
      {
        id: '987654321',
        changes: [
          {
            field: 'messages',
            value: {
              messaging_product: 'whatsapp',
              metadata: { display_phone_number: '15550783881', phone_number_id: '1234567' },
              contacts: [{ profile: { name: 'Grace Hopper' }, wa_id: phone() }],
              messages,
              ...more,
            },
          },
        ],
      },
    ],
  });
const text = (id: string, body: string, seconds = Math.floor(Date.now() / 1000)) => ({
  from: phone(),
  id,
  timestamp: String(seconds),
  type: 'text',
  text: { body },
});

describe.each(PATHS)('%s', (path) => {
  it('shakes hands with the verify token only', async () => {
    const ask = (token: string) => world.raw('GET', `${path}?hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=${token}`);
    const right = await ask(META.verifyToken);
    expect([right.status, right.text]).toEqual([200, '1158201444']);
    const wrong = await ask('wrong');
    expect([wrong.status, wrong.text.includes('1158201444')]).toEqual([403, false]);
  });

  it('takes what is signed, by either header, and nothing else', async () => {
    const send = (headers: Record<string, string>, body: string) => world.raw('POST', path, { headers, body });
    const bad = webhook([text(`wamid.bad${path}`, 'not signed')]);
    const type = { 'content-type': 'application/json' };
    expect((await send(type, bad)).status).toBe(401);
    expect((await send(signed(bad, 'wrong'), bad)).status).toBe(403);
    expect((await send({ ...signed(bad), 'x-hub-signature-256': 'sha256=00' }, bad)).status).toBe(403);
    expect((await send(signed(bad), `${bad} `)).status).toBe(403);
    const first = webhook([text(`wamid.one${path}`, 'both')]);
    expect((await send(signed(first), first)).status).toBe(200);
    const second = webhook([text(`wamid.two${path}`, 'old header')]);
    const { 'x-hub-signature-256': _newer, ...older } = signed(second);
    expect((await send(older, second)).status).toBe(200);
    const found = await conversation(2);
    expect(found.messages.map((message: any) => message.content.text.body)).toEqual(['old header', 'both']);
    const raw = await client.workspace('GET', '/raw-events?state=failed&state=unrouted&state=waiting');
    expect(raw.json.results).toEqual([]);
  });
});

describe('a WhatsApp message', () => {
  it('is the same on every surface', async () => {
    const body = text('wamid.same', 'Hello 👋');
    const sent = webhook([body]);
    await world.raw('POST', '/hooks/meta', { headers: signed(sent), body: sent });
    const found = await conversation();
    expect(found).toMatchObject({
      channel: { id: whatsapp, source: 'whatsapp', source_channel_id: '1234567', connected: true },
      metadata: { contact: { display_name: 'Grace Hopper' }, unread_count: 1 },
    });
    expect(found.created_at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    const [message] = found.messages;
    expect(message).toEqual({
      id: expect.any(String),
      content: body,
      sent_at: new Date(Number(body.timestamp) * 1000).toISOString(),
      delivery_state: 'delivered',
      from_contact: true,
      source: 'whatsapp',
      metadata: { source: { id: 'wamid.same' } },
      sender: { id: expect.any(String), name: null, avatar_url: null },
    });
    expect(found.last_message.id).toBe(message.id);
    expect(await messageOf(whatsapp, 'wamid.same')).toMatchObject({
      id: message.id,
      channelId: whatsapp,
      direction: 'incoming',
      status: 'delivered',
      parts: [{ platformReference: 'wamid.same' }],
      body: { type: 'text', text: { text: 'Hello 👋' } },
      sender: { contact: { id: message.sender.id, identifierKey: 'phonenumber', identifierValue: `+${phone()}` } },
    });
  });

  it('with a picture: fetched, and served to holders of a key', async () => {
    const id = customer().media('image', PNG, 'image/png', { caption: 'Look' });
    const message = await messageOf(whatsapp, id);
    expect(message.body).toMatchObject({
      type: 'image',
      image: { images: [{ mediaUrl: expect.stringContaining(`${world.url}/media/`) }] },
    });
    const url = message.body.image.images[0].mediaUrl;
    const file = await until(async () => {
      const response = await fetch(url, { headers: { 'x-api-key': client.key } });
      const bytes = Buffer.from(await response.arrayBuffer());
      return response.status === 200 && { type: response.headers.get('content-type'), bytes };
    });
    expect(file.type).toBe('image/png');
    expect(file.bytes.equals(PNG)).toBe(true);
    const bare = url.split('?')[0];
    expect((await fetch(bare)).status).toBe(403);
    expect((await fetch(bare, { headers: { 'x-api-key': client.key } })).status).toBe(200);
    expect((await fetch(bare, { headers: { 'x-api-key': (await world.client()).key } })).status).toBe(404);
  });

  it('with a document, a voice note, a place', async () => {
    const writer = customer();
    const file = await messageOf(
      whatsapp,
      writer.media('document', Buffer.from('%PDF-1.4\n%%EOF'), 'application/pdf', { filename: 'a.pdf' }),
    );
    expect(file.body).toMatchObject({
      type: 'file',
      file: { files: [{ mediaUrl: expect.any(String), filename: 'a.pdf', contentType: 'application/pdf' }] },
    });
    const voice = await messageOf(whatsapp, writer.media('audio', Buffer.from('OggS'), 'audio/ogg', { voice: true }));
    expect(voice.body).toMatchObject({ type: 'file', file: { files: [{ mediaUrl: expect.any(String) }] } });
    const place = await messageOf(whatsapp, writer.location(52.5, 13.4, 'Berlin'));
    expect(place.body).toMatchObject({ type: 'location', location: { coordinates: { latitude: 52.5, longitude: 13.4 } } });
  });

  it.each([
    ['contacts', { contacts: [{ name: { formatted_name: 'Ada' }, phones: [{ phone: '+49151' }] }] }],
    ['button', { button: { text: 'Yes', payload: 'yes' } }],
    ['order', { order: { catalog_id: '1', product_items: [] } }],
    ['unsupported', { errors: [{ code: 131051, title: 'Message type unknown' }] }],
    ['something_new', { something_new: { a: 1 } }],
  ])('of the type %s is kept with its payload', async (type, part) => {
    const id = customer().write({ type, ...part });
    const message = await messageOf(whatsapp, id);
    const { messages } = await conversation();
    expect(messages).toEqual([expect.objectContaining({ id: message.id, content: expect.objectContaining({ id, type, ...part }) })]);
  });

  it('that comes five times is one message', async () => {
    world.meta.faults.duplicates = 4;
    const id = customer().text('once');
    world.meta.faults.duplicates = 0;
    await world.meta.webhooks.settled();
    const last = await messageOf(whatsapp, customer().text('last'));
    const found = await conversation(2);
    expect(found.messages.map((message: any) => message.metadata.source.id)).toEqual([last.parts[0].platformReference, id]);
    expect(found.metadata.unread_count).toBe(2);
  });

  it('in a webhook with two others', async () => {
    const ids = customer().writeAll(['one', 'two', 'three'].map((body) => ({ type: 'text', text: { body } })));
    const found = await conversation(3);
    expect(found.messages.map((message: any) => message.content.id).sort()).toEqual([...ids].sort());
    expect(found.metadata.unread_count).toBe(3);
  });

  it('of somebody known by a business-scoped id alone', async () => {
    const userId = `US.${people}1234567890`;
    const id = customer({ phone: undefined, userId, username: `ada${people}`, name: 'Ada' }).text('no number');
    const message = await messageOf(whatsapp, id);
    expect(message.sender.contact).toMatchObject({ identifierKey: 'whatsappbsuid', identifierValue: userId });
    expect((await conversation()).metadata.contact.display_name).toBe('Ada');
    const contact = await client.workspace('GET', `/contacts/${message.sender.contact.id}`);
    expect(contact.status).toBe(200);
    const again = customer({ userId, name: 'Ada' }).text('with the number now');
    expect((await messageOf(whatsapp, again)).sender.contact.id).toBe(message.sender.contact.id);
    await client.airy('messages.send', { conversation_id: message.conversationId, message: { text: { body: 'answer' } } });
    await until(() => world.meta.state.sent.some((sent) => (sent.body.text as any)?.body === 'answer'));
  });

  it('is reacted to', async () => {
    const writer = customer();
    const id = writer.text('nice?');
    await messageOf(whatsapp, id);
    writer.react(id, '❤️');
    const found = await until(async () => {
      const one = await conversation();
      return one.messages[0].metadata.reaction && one;
    });
    expect(found.messages).toHaveLength(1);
    expect(found.messages[0].metadata.reaction.emoji).toBe('❤️');
    writer.react(id, '');
    await until(async () => !(await conversation()).messages[0].metadata.reaction?.emoji);
  });
});

describe('the service window', () => {
  it("counts from the provider's own time, not from the webhook's arrival", async () => {
    const written = Math.floor(Date.now() / 1000) - 3600;
    const body = webhook([text('wamid.window', 'an hour ago', written)]);
    await world.raw('POST', '/hooks/meta', { headers: signed(body), body });
    const message = await messageOf(whatsapp, 'wamid.window');
    const path = `/channels/${whatsapp}/contacts/${message.sender.contact.id}`;
    expect((await client.workspace('GET', path)).json).toEqual({
      serviceWindowExpireAt: new Date((written + 24 * 3600) * 1000).toISOString(),
      isPermanentSession: false,
    });
    const late = webhook([text('wamid.older', 'two days ago', written - 48 * 3600)]);
    await world.raw('POST', '/hooks/meta', { headers: signed(late), body: late });
    await messageOf(whatsapp, 'wamid.older');
    expect((await client.workspace('GET', path)).json.serviceWindowExpireAt).toBe(new Date((written + 24 * 3600) * 1000).toISOString());
  });

  it('is closed when the message is too old, and unknown contacts are 404', async () => {
    const body = webhook([text('wamid.old', 'two days ago', Math.floor(Date.now() / 1000) - 48 * 3600)]);
    await world.raw('POST', '/hooks/meta', { headers: signed(body), body });
    const message = await messageOf(whatsapp, 'wamid.old');
    const answer = await client.workspace('GET', `/channels/${whatsapp}/contacts/${message.sender.contact.id}`);
    expect(answer.json).toEqual({ serviceWindowExpireAt: null, isPermanentSession: false });
    const unknown = await client.workspace('GET', `/channels/${whatsapp}/contacts/123e4567-e89b-12d3-a456-426614174000`);
    expect([unknown.status, unknown.json]).toEqual([404, { code: expect.any(String), message: expect.any(String) }]);
  });
});

describe.each([
  { source: 'facebook', account: '1101', connect: { page_id: '1101', page_token: 'user-token', name: 'Page' } },
  { source: 'instagram', account: '1701', connect: { page_id: '1101', account_id: '1701', page_token: 'user-token', name: 'Insta' } },
])('a message on $source', ({ source, account, connect }) => {
  let channel: string;
  beforeEach(async () => {
    channel = (await client.airy(`channels.${source}.connect`, connect)).json.id;
  });

  it("is shown with the provider's payload and the writer's name from Graph", async () => {
    const writer = world.meta.pageCustomer(account);
    const mid = writer.text('Hello page');
    const found = await until(async () => {
      const one = await conversation();
      return one.metadata.contact.display_name === 'Sandra Box' && one;
    });
    expect(found.metadata.contact).toMatchObject({
      display_name: 'Sandra Box',
      avatar_url: expect.stringContaining('/avatar.png'),
      fetch_state: 'ok',
    });
    expect(found.messages).toEqual([
      expect.objectContaining({
        content: {
          sender: { id: writer.id },
          recipient: { id: account },
          timestamp: expect.any(Number),
          message: { mid, text: 'Hello page' },
        },
        from_contact: true,
        delivery_state: 'delivered',
        source,
        metadata: { source: { id: mid } },
      }),
    ]);
    const message = await messageOf(channel, mid);
    expect(message.id).toBe(found.messages[0].id);
    expect(message.sender.contact).toMatchObject({ id: found.messages[0].sender.id, annotations: { name: 'Sandra Box' } });
    const window = await client.workspace('GET', `/channels/${channel}/contacts/${message.sender.contact.id}`);
    const at = found.messages[0].content.timestamp;
    expect(window.json).toEqual({
      serviceWindowExpireAt: new Date(at + 24 * 3_600_000).toISOString(),
      isPermanentSession: false,
      metadata: { humanAgentWindowExpireAt: new Date(at + 7 * 24 * 3_600_000).toISOString() },
    });
  });

  it('with a picture, a postback, a reaction; five times over', async () => {
    const writer = world.meta.pageCustomer(account);
    const media = world.meta.state.store(PNG, 'image/png');
    const base = world.metaCalls.length > 0 ? new URL(world.test.engine.config.providers.get('META_GRAPH_URL')!).origin : '';
    world.meta.faults.duplicates = 4;
    const picture = writer.attachment('image', { url: `${base}/_media/${media.id}?access_token=user-token` });
    const back = writer.postback('Start', 'GET_STARTED');
    writer.react(picture, '❤️');
    world.meta.faults.duplicates = 0;
    await world.meta.webhooks.settled();
    const image = await messageOf(channel, picture);
    expect(image.body).toMatchObject({ type: 'image', image: { images: [{ mediaUrl: expect.stringContaining(world.url) }] } });
    await until(async () => (await fetch(image.body.image.images[0].mediaUrl)).status === 200);
    await messageOf(channel, back);
    const found = await until(async () => {
      const one = await conversation(2);
      return one.messages.some((message: any) => message.metadata.reaction?.emoji === '❤️') && one;
    });
    expect(found.messages).toHaveLength(2);
  });
});

describe('one request', () => {
  it('about accounts of several workspaces reaches each of them, and nobody else', async () => {
    const other = await world.client();
    const stranger = await world.client();
    const theirs = (
      await other.airy('channels.whatsapp.connect', { phone_number_id: '123456789', user_token: 'user-token', name: 'Other' })
    ).json.id;
    await stranger.airy('channels.facebook.connect', { page_id: '1102', page_token: 'user-token' });
    const change = (number: string, id: string) => ({
      field: 'messages',
      value: {
        messaging_product: 'whatsapp',
        metadata: { display_phone_number: '1', phone_number_id: number },
        contacts: [{ profile: { name: 'Grace Hopper' }, wa_id: phone() }],
        messages: [text(id, `to ${number}`)],
      },
    });
    const body = JSON.stringify({
      object: 'whatsapp_business_account',
      entry: [
        { id: '987654321', changes: [change('1234567', `wamid.a${people}`), change('123456789', `wamid.b${people}`)] },
        { id: '987654321', changes: [change('1234567', `wamid.c${people}`), change('404404404', `wamid.d${people}`)] },
      ],
    });
    expect((await world.raw('POST', '/hooks/meta', { headers: signed(body), body })).status).toBe(200);
    const idsIn = async (one: Client, channel: string) =>
      (await one.workspace('GET', `/channels/${channel}/messages?limit=50`)).json.results.map(
        (message: any) => message.parts[0].platformReference,
      );
    const mine = await until(async () => {
      const ids = await idsIn(client, whatsapp);
      return ids.length >= 2 && ids;
    });
    expect(mine.sort()).toEqual([`wamid.a${people}`, `wamid.c${people}`]);
    await until(async () => (await idsIn(other, theirs)).length > 0);
    expect(await idsIn(other, theirs)).toEqual([`wamid.b${people}`]);
    expect((await stranger.airy('conversations.list')).json.data).toEqual([]);
  });
});

describe('Meta’s own examples', () => {
  it.skipIf(!hasEvidence)('are all taken, none fails, and every message in them is shown', async () => {
    const examples = Object.entries(exampleWebhooks());
    expect(examples.length).toBeGreaterThan(10);
    const expected = new Set<string>();
    for (const [title, example] of examples) {
      const value = JSON.parse(JSON.stringify(example));
      for (const { value: said } of value.entry.flatMap(({ changes }: any) => changes)) {
        if (said.metadata) said.metadata.phone_number_id = '1234567';
        for (const message of said.messages ?? []) {
          // Some of the examples share an id.
          message.id = `${message.id}.${title}`;
          if (!['reaction', 'edit', 'revoke'].includes(message.type)) expected.add(message.id);
        }
      }
      const body = escapedJson(value);
      expect([title, (await world.raw('POST', '/hooks/meta', { headers: signed(body), body })).status]).toEqual([title, 200]);
    }
    expect(expected.size).toBeGreaterThan(10);
    await until(async () => {
      const { rows } = await world.test.engine.database.query('select provider_id as id from messages where workspace_id = $1', [
        client.workspaceId,
      ]);
      const there = new Set(rows.map(({ id }) => id));
      return [...expected].every((id) => there.has(id));
    });
    const failed = await client.workspace('GET', '/raw-events?state=failed&state=waiting');
    expect(failed.json.results).toEqual([]);
  });
});

describe('unknown kinds', () => {
  it.each([
    ['object', { object: 'something_else', entry: [{ id: '1' }] }],
    ['field', { object: 'whatsapp_business_account', entry: [{ id: '987654321', changes: [{ field: 'new_field', value: { a: 1 } }] }] }],
    ['item', { object: 'page', entry: [{ id: '1101', messaging: [{ sender: { id: '1' }, surprise: {} }] }] }],
    ['channel', { object: 'page', entry: [{ id: '9999', messaging: [{ sender: { id: '1' }, message: { mid: 'm', text: 'x' } }] }] }],
  ])('of %s are answered 200', async (_kind, value) => {
    const body = JSON.stringify(value);
    expect((await world.raw('POST', '/hooks/meta', { headers: signed(body), body })).status).toBe(200);
  });

  it('are stored: a channel that is gone keeps its events', async () => {
    const count = async () => Number((await world.test.engine.database.query('select count(*) from raw_events')).rows[0]!.count);
    const before = await count();
    const body = JSON.stringify({ object: 'something_else', entry: [{ id: String(people) }] });
    await world.raw('POST', '/hooks/meta', { headers: signed(body), body });
    await until(async () => (await count()) > before);
    for (const broken of ['{"object":', 'null', '[]']) {
      expect((await world.raw('POST', '/hooks/meta', { headers: signed(broken), body: broken })).status).toBe(200);
    }
  });
});
