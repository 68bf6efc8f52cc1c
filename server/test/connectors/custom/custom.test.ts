import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import fastify from 'fastify';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ChannelView, OutboundMessage } from '../../../src/connectors/connector.ts';
import { custom, customSource, hookUrl, piecesOf } from '../../../src/connectors/custom/index.ts';
import { uuidv7 } from '../../../src/model/ids.ts';
import { channelOf, configOf, contextOf, hookRequest } from '../../support/connector-context-twilio.ts';

const hook = custom.hooks![0]!;
const config = configOf({ PUBLIC_URL: 'https://p.example' });

async function connected(input: object = {}): Promise<ChannelView> {
  return channelOf({ ...(await customSource.connect(input, contextOf({}))), details: {} } as ChannelView);
}

describe('inbound', () => {
  const body = JSON.stringify({
    messages: [
      {
        source_message_id: 'm',
        source_conversation_id: 'c',
        source_sender_id: 's',
        content: { text: 'hi' },
        from_contact: true,
        sent_at: 1700000000000,
      },
    ],
  });

  it('takes three kinds of signatures, each over the raw body', async () => {
    const channel = await connected({ source_channel_id: 'shop/1' });
    const secret = String(channel.credentials.secret);
    const hex = createHmac('sha256', secret).update(body).digest('hex');
    const now = new Date();
    const standard = {
      'webhook-id': 'x',
      'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
      'webhook-signature': new Webhook(secret).sign('x', now, body),
    };
    const old = new Date(now.getTime() - 3_600_000);
    const replayed = {
      'webhook-id': 'x',
      'webhook-timestamp': String(Math.floor(old.getTime() / 1000)),
      'webhook-signature': new Webhook(secret).sign('x', old, body),
    };
    const verdict = (headers: Record<string, string>, text = body) => {
      const request = hookRequest(hookUrl(config, channel.sourceChannelId), text, headers);
      expect(hook.claims!(request)).toEqual([{ source: 'custom', sourceChannelId: 'shop/1' }]);
      expect(hook.owns!(request, channel, config)).toBe(hook.verify(request, { config, channels: [channel] }) === 'ok');
      return hook.verify(request, { config, channels: [channel] });
    };
    expect(verdict(standard)).toBe('ok');
    expect(verdict({ 'x-patchbay-signature': `sha256=${hex}` })).toBe('ok');
    expect(verdict({ 'x-airy-content-signature': hex })).toBe('ok');
    expect(verdict(standard, `${body} `)).toBe('wrong');
    expect(verdict(replayed)).toBe('wrong');
    expect(verdict({ 'x-airy-content-signature': 'no' })).toBe('wrong');
    expect(verdict({})).toBe('missing');
    expect(hook.verify(hookRequest('https://p.example/hooks/custom/other', body, standard), { config, channels: [] })).toBe('wrong');
  });

  it('reads Airy’s batches, and receipts', () => {
    const pieces = piecesOf(
      {
        messages: [
          {
            source_message_id: 'm1',
            source_conversation_id: 'c',
            source_channel_id: 'k',
            source_sender_id: 's',
            content: 'hi',
            from_contact: true,
            sent_at: '2024-01-01T00:00:00.000Z',
          },
          {
            source_message_id: 'm2',
            source_conversation_id: 'c',
            source_channel_id: 'k',
            source_sender_id: 's',
            content: { attachment: { type: 'image', payload: { url: 'https://x.example/1' } } },
            from_contact: false,
            sent_at: 1,
          },
        ],
        metadata: [{ namespace: 'conversation', source_id: 'c', metadata: { contact: { display_name: 'Ada' } } }],
        receipts: [
          { message_id: '01890000-0000-7000-8000-0000000000aa', state: 'read' },
          { source_message_id: 'm3', state: 'failed', error: 'gone' },
        ],
      },
      (piece) => (typeof piece.source_channel_id === 'string' ? `my:${piece.source_channel_id}` : null),
    );
    expect(pieces.map((piece) => piece.sourceChannelId)).toEqual(['my:k', 'my:k', null, null, null]);
    expect(pieces.flatMap((piece) => customSource.parse(piece))).toMatchObject([
      { direction: 'in', content: { type: 'text', text: 'hi' }, payload: 'hi', sentAt: new Date('2024-01-01T00:00:00Z') },
      { direction: 'out', content: { type: 'image', media: { url: 'https://x.example/1' } } },
      { kind: 'contact', contact: { name: 'Ada' } },
      { kind: 'receipt', ourId: '01890000-0000-7000-8000-0000000000aa', state: 'read' },
      { kind: 'receipt', providerId: 'm3', state: 'failed', error: { message: 'gone' } },
    ]);
  });

  it('names the field that is wrong', () => {
    const read = (message: object) =>
      customSource.parse({
        source: 'custom',
        sourceChannelId: null,
        contentType: '',
        body: Buffer.from(JSON.stringify({ messages: [message] })),
      });
    expect(() => read({ source_message_id: 'm' })).toThrow('source_conversation_id is missing');
    expect(() => read({ source_message_id: 'm', source_conversation_id: 'c', content: 'x', sent_at: 'soon' })).toThrow('sent_at');
    expect(
      read({ source_message_id: 'm', source_conversation_id: 'c', content: { type: 'image', media: { id: 'not yours' } } }),
    ).toMatchObject([{ content: { type: 'unsupported' } }]);
  });

  it('no body hangs the parser', () => {
    const names = fc.constantFrom(
      'messages',
      'metadata',
      'receipts',
      'content',
      'type',
      'media',
      'text',
      'state',
      'source_message_id',
      'source_conversation_id',
      'namespace',
      'source_id',
    );
    const tree = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: 'small' },
        fc.string(),
        fc.integer(),
        fc.constant(null),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(names, tie('value')),
      ),
    })).value;
    fc.assert(
      fc.property(tree, (value) => {
        try {
          for (const piece of piecesOf(value, () => 'c')) customSource.parse(piece);
        } catch (error) {
          expect((error as Error).message).toMatch(/must be|is missing|needs/);
        }
      }),
      { numRuns: 1000 },
    );
  });
});

describe('send', () => {
  const endpoint = fastify();
  let url: string;
  let answer: { status: number; body: unknown } = { status: 200, body: {} };
  const calls: { headers: Record<string, string>; body: string }[] = [];
  beforeAll(async () => {
    endpoint.removeAllContentTypeParsers();
    endpoint.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));
    endpoint.post('/action', async (request, reply) => {
      calls.push({ headers: request.headers as Record<string, string>, body: request.body as string });
      return reply.code(answer.status).send(answer.body);
    });
    url = `${await endpoint.listen({ port: 0, host: '127.0.0.1' })}/action`;
  });
  afterAll(() => endpoint.close());
  const message = (content: OutboundMessage['content']): OutboundMessage => ({
    id: uuidv7(),
    to: [{ kind: 'custom', value: 'conv' }],
    content,
  });

  it('posts Airy’s shape, signed both ways', async () => {
    const channel = await connected({ source_id: 'my', source_channel_id: 'k', action_endpoint: url });
    answer = { status: 200, body: { source_message_id: 'theirs' } };
    const item = message({ type: 'native', payload: { any: 'thing' } });
    expect(await customSource.send!(item, channel, contextOf({}))).toEqual({ providerId: 'theirs', payload: { any: 'thing' } });
    const { headers, body } = calls.at(-1)!;
    expect(JSON.parse(body)).toMatchObject({
      type: 'message.send',
      payload: {
        message: { id: item.id, source_recipient_id: 'conv', content: { any: 'thing' } },
        conversation: { channel_id: channel.id, source_channel_id: 'k', source_conversation_id: 'conv' },
      },
    });
    expect(headers['x-airy-content-signature']).toBe(createHmac('sha256', String(channel.credentials.secret)).update(body).digest('hex'));
    expect(() => new Webhook(String(channel.credentials.secret)).verify(body, headers)).not.toThrow();
    await customSource.send!(message({ type: 'image', media: { id: 'm1' } }), channel, contextOf({ PUBLIC_URL: 'https://p.example' }));
    expect(JSON.parse(calls.at(-1)!.body).payload.message.content.media).toEqual({ url: 'https://p.example/media/m1' });
  });

  it.each([
    [400, { error: 'no such person' }, 'rejected', 'no such person'],
    [500, { error: 'cannot' }, 'rejected', 'cannot'],
    [500, '', 'retry', 'status 500'],
    [401, '', 'unauthorized', 'signature'],
    [429, '', 'rate-limited', 'slower'],
    [404, '', 'rejected', 'status 404'],
  ])('%i %j is %s', async (status, body, errorClass, words) => {
    const channel = await connected({ action_endpoint: url });
    answer = { status, body };
    await expect(customSource.send!(message({ type: 'text', text: 'x' }), channel, contextOf({}))).rejects.toMatchObject({
      class: errorClass,
      message: expect.stringContaining(words),
    });
  });

  it('needs an endpoint; a secret of one’s own works', async () => {
    await expect(customSource.send!(message({ type: 'text', text: 'x' }), await connected(), contextOf({}))).rejects.toMatchObject({
      class: 'rejected',
    });
    const channel = await connected({ action_endpoint: url, secret: 'a source token of mine' });
    answer = { status: 200, body: {} };
    const item = message({ type: 'text', text: 'x' });
    expect(await customSource.send!(item, channel, contextOf({}))).toMatchObject({ providerId: item.id });
  });
});
