/** Sending: what arrives at each provider, and what the surfaces say became of it. */
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../support/until.ts';
import { PNG } from './pictures.ts';
import { type Client, startWorld, TWILIO, type World } from './world.ts';

let world: World;
let client: Client;
let people = 0;
beforeAll(async () => {
  world = await startWorld();
});
beforeEach(async () => {
  client = await world.client();
  people += 1;
  world.metaCalls.length = 0;
  world.twilioCalls.length = 0;
});

const digits = () => `4915300${String(people).padStart(6, '0')}`;

interface Source {
  source: string;
  connect: object;
  write(): Promise<unknown>;
  /** A native payload of Airy's, and what the provider gets. */
  payload: unknown;
  arrives(id: string): Promise<unknown>;
}

const page = (account: string) => ({
  write: async () => world.meta.pageCustomer(account, `77${people}${account}`).text('hi'),
  payload: { text: 'Hello {friend}' },
  arrives: async () => {
    const call = await until(() =>
      world.metaCalls.find(({ method, url, body }) => method === 'POST' && url.includes('/messages') && (body as any)?.message),
    );
    expect(call.body).toMatchObject({ recipient: { id: `77${people}${account}` }, message: { text: 'Hello {friend}' } });
  },
});

const twilioForm = () =>
  until(() => {
    const call = world.twilioCalls.find(({ method, url }) => method === 'POST' && url.endsWith('/Messages.json'));
    return call && new URLSearchParams(String(call.body));
  });

const SOURCES: Source[] = [
  { source: 'facebook', connect: { page_id: '1102', page_token: 'user-token' }, ...page('1102') },
  { source: 'instagram', connect: { page_id: '1101', account_id: '1701', page_token: 'user-token' }, ...page('1701') },
  {
    source: 'whatsapp',
    connect: { phone_number_id: '1234567', user_token: 'user-token' },
    write: async () => world.meta.whatsappCustomer('1234567', { phone: digits() }).text('hi'),
    payload: { text: { preview_url: false, body: 'Hello {friend}' } },
    arrives: async () => {
      const call = await until(() => world.metaCalls.find(({ method, url }) => method === 'POST' && url.includes('/1234567/messages')));
      expect(call.body).toMatchObject({
        messaging_product: 'whatsapp',
        to: digits(),
        text: { preview_url: false, body: 'Hello {friend}' },
      });
    },
  },
  {
    source: 'google',
    connect: { gbm_id: 'gbm-id' },
    write: () =>
      world.google.businessMessages({
        agent: 'brands/1/agents/gbm-id',
        conversationId: `c-${people}`,
        message: { messageId: `in-${people}`, text: 'hi', createTime: new Date().toISOString() },
      }),
    payload: { text: 'Hello {friend}', representative: { representativeType: 'HUMAN' } },
    arrives: async (id) => {
      const sent = await until(() => world.google.conversations.get(`c-${people}`)?.[0]);
      expect(sent).toEqual({ messageId: id, text: 'Hello {friend}', representative: { representativeType: 'HUMAN' } });
    },
  },
  {
    source: 'twilio.sms',
    connect: { phone_number: '+4915123450001' },
    write: () => world.twilio.customer.writes({ from: `+${digits()}`, to: '+4915123450001', body: 'hi' }),
    payload: { Body: 'Hello {friend}' },
    arrives: async () => {
      const form = await twilioForm();
      expect(Object.fromEntries(form)).toMatchObject({ From: '+4915123450001', To: `+${digits()}`, Body: 'Hello {friend}' });
      expect(form.get('StatusCallback')).toContain(world.url);
    },
  },
  {
    source: 'twilio.whatsapp',
    connect: { phone_number: '+4915123450001' },
    write: () => world.twilio.customer.writes({ from: `whatsapp:+${digits()}`, to: 'whatsapp:+4915123450001', body: 'hi' }),
    payload: { Body: 'Hello {friend}' },
    arrives: async () => {
      const form = await twilioForm();
      expect(Object.fromEntries(form)).toMatchObject({
        From: 'whatsapp:+4915123450001',
        To: `whatsapp:+${digits()}`,
        Body: 'Hello {friend}',
      });
    },
  },
];

async function begin({ source, connect, write }: Source): Promise<{ channel: string; conversation: any }> {
  const { json } = await client.airy(`channels.${source}.connect`, { name: source, ...connect });
  await write();
  const conversation = await until(async () => (await client.airy('conversations.list')).json.data[0]);
  return { channel: json.id, conversation };
}

async function settled(conversation: string, id: string, state: string): Promise<any> {
  return until(async () => {
    const { data } = (await client.airy('messages.list', { conversation_id: conversation })).json;
    const message = data.find((one: any) => one.id === id);
    return message?.delivery_state === state && message;
  });
}

describe.each(SOURCES)('messages.send on $source', (source) => {
  it('hands the payload on and becomes delivered', async () => {
    const { channel, conversation } = await begin(source);
    const sent = await client.airy('messages.send', { conversation_id: conversation.id, message: source.payload });
    expect([sent.status, sent.json]).toMatchObject([
      200,
      {
        id: expect.any(String),
        content: source.payload,
        delivery_state: 'pending',
        from_contact: false,
        source: source.source,
        metadata: {},
      },
    ]);
    await source.arrives(sent.json.id);
    const message = await settled(conversation.id, sent.json.id, 'delivered');
    expect(message.content).toEqual(source.payload);
    const shown = await client.workspace('GET', `/channels/${channel}/messages/${sent.json.id}`);
    expect(shown.json).toMatchObject({ id: sent.json.id, direction: 'outgoing', parts: [{ platformReference: expect.any(String) }] });
  });

  it('sends text and pictures of the workspace surface', async () => {
    const { channel, conversation } = await begin(source);
    const { data } = (await client.airy('messages.list', { conversation_id: conversation.id })).json;
    const contact = data[0].sender.id;
    const bodies = [
      { type: 'text', text: { text: 'Hello {friend}' } },
      { type: 'image', image: { images: [{ mediaUrl: `${world.url}/favicon.png`, altText: 'A picture' }] } },
    ];
    for (const body of bodies) {
      const answer = await client.workspace('POST', `/channels/${channel}/messages`, { receiver: { contacts: [{ id: contact }] }, body });
      expect([answer.status, answer.json]).toMatchObject([202, { id: expect.any(String) }]);
      const message = await until(async () => {
        const { json } = await client.workspace('GET', `/channels/${channel}/messages/${answer.json.id}`);
        return ['sent', 'delivered', 'sending_failed', 'delivery_failed'].includes(json.status) && json;
      });
      expect([body.type, message.status, message.failure]).toMatchObject([
        body.type,
        expect.stringMatching(/^(sent|delivered)$/),
        undefined,
      ]);
    }
  });

  it('is refused while the channel is disconnected', async () => {
    const { channel, conversation } = await begin(source);
    await client.airy('channels.facebook.disconnect', { channel_id: channel });
    expect((await client.airy('messages.send', { conversation_id: conversation.id, message: source.payload })).status).toBe(403);
  });
});

describe('a refusal of the provider', () => {
  it('fails the message with its words; resend tries it again', async () => {
    const whatsapp = SOURCES.find(({ source }) => source === 'whatsapp')!;
    const { conversation } = await begin(whatsapp);
    world.meta.faults.refusals = { status: 400, code: 131026, message: '(#131026) Message undeliverable', left: 1 };
    const { json } = await client.airy('messages.send', { conversation_id: conversation.id, message: whatsapp.payload });
    const failed = await settled(conversation.id, json.id, 'failed');
    expect(failed.metadata.error).toEqual(expect.any(String));
    expect(failed.metadata.source.error).toContain('131026');
    expect((await client.airy('messages.resend', { message_id: json.id })).status).toBe(200);
    const delivered = await settled(conversation.id, json.id, 'delivered');
    expect(delivered.metadata.error).toBeUndefined();
    const again = await client.airy('messages.resend', { message_id: json.id });
    expect([again.status, again.json]).toEqual([409, { message: 'Message is not in a failed state' }]);
    expect((await client.airy('messages.resend', { message_id: '123e4567-e89b-12d3-a456-426614174000' })).status).toBe(404);
  });

  it('of Twilio comes by the status callback', async () => {
    const sms = SOURCES.find(({ source }) => source === 'twilio.sms')!;
    const { channel, conversation } = await begin(sms);
    const { json } = await client.airy('messages.send', { conversation_id: conversation.id, message: sms.payload });
    await settled(conversation.id, json.id, 'delivered');
    await until(async () => (await client.workspace('GET', `/channels/${channel}/messages/${json.id}`)).json.status === 'delivered');
    const sid = (await client.workspace('GET', `/channels/${channel}/messages/${json.id}`)).json.parts[0].platformReference;
    for (const late of ['sent', 'queued']) await world.twilio.advance(sid, late);
    expect((await client.workspace('GET', `/channels/${channel}/messages/${json.id}`)).json.status).toBe('delivered');
  });

  it('names a malformed Twilio payload', async () => {
    const sms = SOURCES.find(({ source }) => source === 'twilio.sms')!;
    const { conversation } = await begin(sms);
    const answer = await client.airy('messages.send', { conversation_id: conversation.id, message: { text: 'no Body' } });
    const words = 'Requires either "Body" or "MediaUrl" property';
    if (answer.status === 200) {
      const failed = await settled(conversation.id, answer.json.id, 'failed');
      expect(failed.metadata.error).toContain(words);
    } else expect([answer.status, answer.json]).toEqual([400, { message: expect.stringContaining(words) }]);
  });
});

describe('statuses', () => {
  it('only move forward', async () => {
    const whatsapp = SOURCES.find(({ source }) => source === 'whatsapp')!;
    const { channel, conversation } = await begin(whatsapp);
    world.meta.faults.statuses = ['read', 'delivered', 'sent'];
    const { json } = await client.airy('messages.send', { conversation_id: conversation.id, message: whatsapp.payload });
    const message = await until(async () => {
      const { data } = (await client.airy('messages.list', { conversation_id: conversation.id })).json;
      return data.find((one: any) => one.id === json.id && one.metadata.source?.delivery_state === 'seen');
    }).finally(() => {
      world.meta.faults.statuses = ['sent', 'delivered', 'read'];
    });
    await world.meta.webhooks.settled();
    const { data } = (await client.airy('messages.list', { conversation_id: conversation.id })).json;
    expect(data.find((one: any) => one.id === json.id)).toMatchObject(message);
    expect((await client.workspace('GET', `/channels/${channel}/messages/${json.id}`)).json).toMatchObject({
      status: 'delivered',
      state: 'read',
    });
  });
});

describe('starting a conversation', () => {
  it('works by number on Twilio', async () => {
    const { json: channel } = await client.airy('channels.twilio.sms.connect', { phone_number: '+4915123450001', name: 'x' });
    const sent = await client.airy('messages.send', {
      source_recipient_id: `+${digits()}`,
      channel_id: channel.id,
      message: { Body: 'first' },
    });
    expect([sent.status, sent.json.delivery_state]).toEqual([200, 'pending']);
    expect(Object.fromEntries(await twilioForm())).toMatchObject({ To: `+${digits()}`, Body: 'first' });
    await world.twilio.settled();
    await world.twilio.customer.writes({ from: `+${digits()}`, to: '+4915123450001', body: 'answer' });
    const conversations = await until(async () => {
      const { data } = (await client.airy('conversations.list')).json;
      return data[0]?.last_message.from_contact && data;
    });
    expect(conversations).toHaveLength(1);
    const unknown = { source_recipient_id: '+49', channel_id: '123e4567-e89b-12d3-a456-426614174000', message: { Body: 'x' } };
    expect((await client.airy('messages.send', unknown)).status).toBe(403);
    expect((await client.airy('messages.send', { message: { Body: 'x' } })).status).toBe(400);
    expect((await client.airy('messages.send', { conversation_id: channel.id, message: { Body: 'x' } })).status).toBe(202);
  });

  it('needs a template on WhatsApp', async () => {
    const { json: channel } = await client.airy('channels.whatsapp.connect', {
      phone_number_id: '1234567',
      user_token: 'user-token',
      name: 'x',
    });
    const receiver = { contacts: [{ identifierKey: 'phonenumber', identifierValue: `+${digits()}` }] };
    const path = `/channels/${channel.id}/messages`;
    const text = await client.workspace('POST', path, { receiver, body: { type: 'text', text: { text: 'hi' } } });
    expect([text.status, text.json]).toMatchObject([422, { code: expect.any(String), message: expect.stringMatching(/template/i) }]);
    const { templates } = world.meta.state.waba('987654321')!;
    const { newTemplate } = await import('../../../sandbox/meta/state.ts');
    templates.push(newTemplate({ name: `hello_${people}`, language: 'en', components: [{ type: 'BODY', text: 'Hi {{1}}' }] }));
    const wac = (await client.call('GET', '/api/v2/whatsapp/channels')).json.data[0].id;
    expect((await client.call('POST', `/api/v2/whatsapp/channels/${wac}/templates/sync`)).json.ok).toBe(true);
    const answer = await client.workspace('POST', path, {
      receiver,
      template: { name: `hello_${people}`, locale: 'en', parameters: [{ type: 'string', key: '1', value: 'Ada' }] },
    });
    expect([answer.status, answer.json]).toMatchObject([202, { id: expect.any(String) }]);
    const call = await until(() => world.metaCalls.find(({ method, url }) => method === 'POST' && url.includes('/1234567/messages')));
    expect(call.body).toMatchObject({
      to: digits(),
      type: 'template',
      template: {
        name: `hello_${people}`,
        language: { code: 'en' },
        components: [{ type: 'body', parameters: [{ type: 'text', text: 'Ada' }] }],
      },
    });
    await until(async () => ['sent', 'delivered'].includes((await client.workspace('GET', `${path}/${answer.json.id}`)).json.status));
  });
});

describe('an uploaded file', () => {
  it('reaches Twilio by an address that it can fetch', async () => {
    const sms = SOURCES.find(({ source }) => source === 'twilio.sms')!;
    const { conversation } = await begin(sms);
    const upload = new FormData();
    upload.append('file', new Blob([PNG], { type: 'image/png' }), 'dot.png');
    const response = await fetch(`${world.url}/media.upload`, { method: 'POST', headers: { 'x-api-key': client.key }, body: upload });
    const { media_url: url } = (await response.json()) as { media_url: string };
    expect([response.status, url.startsWith(world.url)]).toEqual([200, true]);
    await client.airy('messages.send', { conversation_id: conversation.id, message: { MediaUrl: url } });
    const form = await twilioForm();
    const fetched = await fetch(form.get('MediaUrl')!);
    expect([fetched.status, Buffer.from(await fetched.arrayBuffer()).equals(PNG)]).toEqual([200, true]);
    expect(form.get('Body')).toBeNull();
    expect(world.twilioCalls.some(({ url: called }) => called.includes(TWILIO.accountSid))).toBe(true);
  });
});
