/** Bring your own channel, as Airy's Sources API has it (airy.md 1.10, 3.7, 4.8). */
import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import fastify from 'fastify';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Answer, type TestApp, type TestWorkspace, testApp } from '../../support/app.ts';
import { until } from '../../support/until.ts';

let app: TestApp;
let own: TestWorkspace;
let endpoint: string;
const calls: { headers: Record<string, unknown>; body: string }[] = [];
let answer: { status: number; body: unknown };

const program = fastify();
program.removeAllContentTypeParsers();
program.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));
program.post('/action', async (request, reply) => {
  calls.push({ headers: request.headers, body: request.body as string });
  return reply.code(answer.status).send(answer.body);
});

beforeAll(async () => {
  app = await testApp({ ALLOW_PRIVATE_NETWORK: '1' });
  endpoint = `${await program.listen({ port: 0, host: '127.0.0.1' })}/action`;
});
afterAll(() => program.close());
beforeEach(async () => {
  own = await app.workspace();
  calls.length = 0;
  answer = { status: 200, body: { source_message_id: 'page-1', metadata: {} } };
});

/** A source with one channel, and calls with its token. */
async function guestbook(body: object = {}) {
  const created = await own.call('sources.create', { source_id: 'guestbook', action_endpoint: endpoint, ...body });
  const { token } = created.json;
  const call = (name: string, payload?: unknown): Promise<Answer> => app.post(name, payload, { authorization: token });
  const channel = await call('sources.channels.create', {
    name: 'Front desk',
    source_channel_id: 'desk',
    metadata: { image_url: 'https://x.example/d.png', floor: 2 },
  });
  return { created, token, call, channel };
}

const said = (n: number, more: object = {}) => ({
  source_message_id: `m${n}`,
  source_conversation_id: 'ada',
  source_channel_id: 'desk',
  source_sender_id: 'ada',
  content: { text: `Hello ${n}` },
  from_contact: true,
  sent_at: 1_700_000_000_000 + n,
  ...more,
});

const conversation = () => until(async () => (await own.call('conversations.list')).json.data[0]);

describe('a source', () => {
  it('is created with a token that is shown once, listed, changed and given up', async () => {
    const { created, token, channel, call } = await guestbook({ name: 'Guestbook', image_url: 'https://x.example/g.png' });
    const shown = { source_id: 'guestbook', name: 'Guestbook', image_url: 'https://x.example/g.png', action_endpoint: endpoint };
    expect([created.status, created.json]).toEqual([200, { ...shown, token: expect.stringMatching(/^src_/) }]);
    const again = await own.call('sources.create', { source_id: 'guestbook' });
    expect([again.status, again.json]).toEqual([409, { message: 'Source already exists' }]);
    expect((await own.call('sources.list')).json).toEqual({ data: [shown] });
    expect((await (await app.workspace()).call('sources.list')).json).toEqual({ data: [] });

    const moved = await own.call('sources.update', { source_id: 'guestbook', action_endpoint: `${endpoint}?v=2` });
    expect([moved.status, moved.json]).toEqual([200, { ...shown, action_endpoint: `${endpoint}?v=2` }]);
    const row = await app.engine.channels.get(own.id, channel.json.id);
    expect(row.settings.action_endpoint).toBe(`${endpoint}?v=2`);
    expect((await own.call('sources.update', { source_id: 'nobody', action_endpoint: endpoint })).status).toBe(404);

    expect((await own.call('sources.delete', { source_id: 'guestbook' })).status).toBe(202);
    expect((await own.call('sources.delete', { source_id: 'guestbook' })).status).toBe(404);
    expect((await call('sources.webhook', { messages: [said(1)] })).status).toBe(404);
    expect((await own.call('channels.info', { channel_id: channel.json.id })).json.connected).toBe(false);
    const { rows } = await app.engine.database.query('select token_hash from custom_sources');
    expect(JSON.stringify(rows)).not.toContain(token);
  });

  it('has channels under its own name, which its token alone makes', async () => {
    const { channel, call } = await guestbook();
    const shown = {
      id: expect.any(String),
      source: 'guestbook',
      source_channel_id: 'desk',
      metadata: { name: 'Front desk', image_url: 'https://x.example/d.png', floor: 2 },
      connected: true,
    };
    expect([channel.status, channel.json]).toEqual([201, shown]);
    expect((await call('sources.channels.list')).json).toEqual({ data: [shown] });
    expect((await own.call('channels.list', { source: 'guestbook' })).json).toEqual({ data: [shown] });
    expect((await own.call('channels.list', { source: 'other' })).json).toEqual({ data: [] });
    const again = await call('sources.channels.create', { name: 'Desk', source_channel_id: 'desk' });
    expect(again.json.id).toBe(channel.json.id);

    const { json: site } = await own.call('channels.chatplugin.connect', { name: 'site' });
    expect((await call('sources.channels.disconnect', { channel_id: site.id })).status).toBe(403);
    expect((await call('sources.channels.disconnect', { channel_id: own.id })).status).toBe(404);
    for (let n = 0; n < 2; n += 1) expect((await call('sources.channels.disconnect', { channel_id: channel.json.id })).status).toBe(204);
    expect((await call('sources.webhook', { messages: [said(1)] })).json).toEqual({ message: 'there is no connected channel desk' });
  });

  it('is opened by its own token and by nothing else, and opens nothing else', async () => {
    const { token } = await guestbook();
    for (const name of ['sources.channels.create', 'sources.channels.list', 'sources.channels.disconnect', 'sources.webhook']) {
      expect((await own.call(name, {})).status, name).toBe(403);
      expect((await app.post(name, {})).status, name).toBe(403);
      expect((await app.post(name, {}, { authorization: `Bearer ${token}x` })).status, name).toBe(403);
    }
    for (const name of ['sources.create', 'sources.update', 'sources.list', 'sources.delete', 'channels.list', 'conversations.list']) {
      expect((await app.post(name, { source_id: 'guestbook' }, { authorization: `Bearer ${token}` })).status, name).toBe(403);
    }
  });
});

describe('what its contacts write', () => {
  it('arrives once, with names, and is counted', async () => {
    const { call, channel } = await guestbook();
    const batch = {
      messages: [said(1), said(2)],
      metadata: [
        {
          namespace: 'conversation',
          source_id: 'ada',
          metadata: { contact: { display_name: 'Ada', avatar_url: 'https://x.example/a.png' } },
        },
      ],
    };
    for (let n = 0; n < 3; n += 1) {
      const taken = await call('sources.webhook', batch);
      expect([taken.status, taken.text]).toEqual([200, '']);
    }
    const shown = await conversation();
    expect(shown).toMatchObject({
      channel: { id: channel.json.id, source: 'guestbook', source_channel_id: 'desk' },
      metadata: { contact: { display_name: 'Ada', avatar_url: 'https://x.example/a.png' }, unread_count: 2 },
      last_message: { content: { text: 'Hello 2' }, from_contact: true, sent_at: '2023-11-14T22:13:20.002Z' },
    });
    const later = [{ namespace: 'conversation', source_id: 'ada', metadata: { contact: { display_name: 'Ada L.' } } }];
    expect((await call('sources.webhook', { metadata: later })).status).toBe(200);
    expect((await conversation()).metadata.contact.display_name).toBe('Ada L.');
  });

  it.each<[string, object, string]>([
    ['an unknown channel', { messages: [said(1), said(2, { source_channel_id: 'attic' })] }, 'there is no connected channel attic'],
    ['a namespace', { metadata: [{ namespace: 'channel', source_id: 'desk', metadata: {} }] }, 'Unknown metadata namespace channel'],
    ['a missing id', { messages: [{ ...said(1), source_message_id: undefined }] }, 'source_message_id is required'],
    ['a time', { messages: [said(1, { sent_at: 'yesterday' })] }, 'sent_at must be milliseconds or an ISO date'],
    ['a state', { receipts: [{ message_id: 'x', state: 'lost' }] }, 'state must be'],
    ['an id of ours', { receipts: [{ message_id: 'x', state: 'read' }] }, 'message_id must be'],
  ])('is refused as a whole when %s is wrong', async (_what, batch, words) => {
    const { call } = await guestbook();
    const refused = await call('sources.webhook', batch);
    expect([refused.status, refused.json.message]).toEqual([400, expect.stringContaining(words)]);
    expect((await own.call('conversations.list')).json.data).toEqual([]);
  });

  it('reaches the source’s own workspace alone, also where two have the same names', async () => {
    await guestbook();
    const first = own;
    own = await app.workspace();
    const { call } = await guestbook();
    await call('sources.webhook', { messages: [said(1)] });
    expect((await conversation()).last_message.content).toEqual({ text: 'Hello 1' });
    expect((await first.call('conversations.list')).json.data).toEqual([]);
  });
});

describe('what is sent to them', () => {
  it('is posted to the action endpoint, signed with the token, as Airy does', async () => {
    const { call, token, channel } = await guestbook();
    await call('sources.webhook', { messages: [said(1)] });
    const { id, created_at } = await conversation();
    const sent = await own.call('messages.send', { conversation_id: id, message: { text: 'Thank you' } });
    expect([sent.status, sent.json.delivery_state]).toEqual([200, 'pending']);
    await until(() => calls.length === 1);
    const { headers, body } = calls[0]!;
    expect(headers['x-airy-content-signature']).toBe(createHmac('sha256', token).update(body).digest('hex'));
    expect(JSON.parse(body)).toEqual({
      type: 'message.send',
      payload: {
        message: { id: sent.json.id, source_recipient_id: 'ada', content: { text: 'Thank you' }, sent_at: expect.stringMatching(/Z$/) },
        conversation: {
          id,
          channel_id: channel.json.id,
          source_channel_id: 'desk',
          source_conversation_id: 'ada',
          created_at,
        },
      },
    });
    const settled = await until(async () => {
      const [message] = (await own.call('messages.list', { conversation_id: id })).json.data;
      return message.delivery_state === 'delivered' && message;
    });
    expect(settled.metadata.source).toMatchObject({ id: 'page-1' });
    const receipt = { receipts: [{ source_message_id: 'page-1', state: 'read' }] };
    expect((await call('sources.webhook', receipt)).status).toBe(200);
    await until(
      async () => (await own.call('messages.list', { conversation_id: id })).json.data[0].metadata.source.delivery_state === 'seen',
    );
  });

  it('fails with the source’s own words', async () => {
    const { call } = await guestbook();
    await call('sources.webhook', { messages: [said(1)] });
    answer = { status: 400, body: { error: 'The book is full' } };
    const { id } = await conversation();
    await own.call('messages.send', { conversation_id: id, message: { text: 'x' } });
    const failed = await until(async () => {
      const [message] = (await own.call('messages.list', { conversation_id: id })).json.data;
      return message.delivery_state === 'failed' && message;
    });
    expect(failed.metadata.error).toBe('The book is full');
  });

  it('may be the first word', async () => {
    const { channel } = await guestbook();
    const sent = await own.call('messages.send', {
      channel_id: channel.json.id,
      source_recipient_id: 'grace',
      message: { text: 'Welcome' },
    });
    expect(sent.status).toBe(200);
    await until(() => calls.some(({ body }) => JSON.parse(body).payload.message.source_recipient_id === 'grace'));
  });
});

describe('no batch', () => {
  it('makes a 5xx, whatever is in it', async () => {
    const { call } = await guestbook();
    await call('sources.webhook', { messages: [said(1)] });
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 10 }),
      fc.constantFrom('desk', 'ada', 'm1', '\u0000', '\ud800', '__proto__', 'conversation'),
    );
    const any = fc.oneof(text, fc.integer(), fc.boolean(), fc.constant(null), fc.object({ maxDepth: 2, maxKeys: 3 }));
    const message = fc.record(
      {
        source_message_id: any,
        source_conversation_id: any,
        source_channel_id: any,
        source_sender_id: any,
        content: any,
        from_contact: any,
        sent_at: any,
      },
      { requiredKeys: [] },
    );
    const nearly = fc
      .record({ source_message_id: text, source_conversation_id: text, content: any })
      .map((own) => ({ ...own, source_channel_id: 'desk' }));
    const metadata = fc.record(
      { namespace: fc.oneof(fc.constant('conversation'), any), source_id: any, metadata: any },
      { requiredKeys: [] },
    );
    const receipt = fc.record(
      { message_id: any, source_message_id: any, state: fc.oneof(fc.constant('read'), any), at: any },
      { requiredKeys: [] },
    );
    const batch = fc.record(
      {
        messages: fc.oneof(fc.array(fc.oneof(message, nearly), { maxLength: 2 }), any),
        metadata: fc.oneof(fc.array(metadata, { maxLength: 2 }), any),
        receipts: fc.oneof(fc.array(receipt, { maxLength: 2 }), any),
      },
      { requiredKeys: [] },
    );
    await fc.assert(
      fc.asyncProperty(batch, async (body) => {
        const answer = await call('sources.webhook', body);
        expect(answer.status, answer.text).toBeLessThan(500);
      }),
      { numRuns: 300 },
    );
    // Refused before anything is stored: what is kept unread would be tried again after every restart.
    const { rows } = await app.engine.database.query("select error from raw_events where workspace_id = $1 and state = 'failed'", [own.id]);
    expect(rows).toEqual([]);
    for (const name of ['a\u0000b', '\ud800']) {
      for (const route of ['sources.create', 'sources.update']) {
        expect((await own.call(route, { source_id: 'guestbook', name, action_endpoint: `${endpoint}?${name}` })).status).toBeLessThan(500);
      }
      expect((await call('sources.channels.create', { name, source_channel_id: name, metadata: { [name]: name } })).status).toBeLessThan(
        500,
      );
    }
  });
});
