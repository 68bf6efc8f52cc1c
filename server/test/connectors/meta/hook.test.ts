import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { escapedJson } from '../../../../sandbox/meta/webhooks.ts';
import type { HookRequest, RawEvent } from '../../../src/connectors/connector.ts';
import { metaHook } from '../../../src/connectors/meta/hook.ts';
import { meta } from '../../../src/connectors/meta/index.ts';
import { contextFor, exampleWebhooks, hasEvidence } from './support.ts';

const SECRET = 'app-secret';
const { config } = contextFor({ META_APP_SECRET: SECRET, META_VERIFY_TOKEN: 'let me in' });
const secrets = { config, channels: [] };

function request(body: string | Buffer, headers: Record<string, string> = {}): HookRequest {
  return { method: 'POST', url: 'https://x/hooks/meta', path: '/hooks/meta', query: {}, headers, body: Buffer.from(body) };
}
function sign(body: string | Buffer, algorithm = 'sha256', secret = SECRET): string {
  return `${algorithm}=${createHmac(algorithm, secret).update(body).digest('hex')}`;
}

describe('the handshake', () => {
  const ask = (query: Record<string, string>) => metaHook.handshake!({ ...request(''), method: 'GET', query }, config);
  it('echoes the challenge', () => {
    expect(ask({ 'hub.mode': 'subscribe', 'hub.challenge': '1158201444', 'hub.verify_token': 'let me in' })).toEqual({
      status: 200,
      contentType: 'text/plain',
      body: '1158201444',
    });
  });
  it.each([
    { 'hub.mode': 'subscribe', 'hub.challenge': '1', 'hub.verify_token': 'let me on' },
    { 'hub.mode': 'subscribe', 'hub.challenge': '1' },
    { 'hub.challenge': '1', 'hub.verify_token': 'let me in' },
    { 'hub.mode': 'subscribe', 'hub.verify_token': 'let me in' },
    {},
  ] as Record<string, string>[])('refuses %j', (query) => {
    expect(ask(query)?.status).toBe(403);
  });
  it('leaves deliveries alone', () => {
    expect(metaHook.handshake!(request('{}'), config)).toBeUndefined();
  });
  it('answers nobody while no verify token is set', () => {
    const bare = contextFor({}).config;
    expect(
      metaHook.handshake!(
        { ...request(''), method: 'GET', query: { 'hub.mode': 'subscribe', 'hub.challenge': '1', 'hub.verify_token': '' } },
        bare,
      )?.status,
    ).toBe(403);
  });
});

describe('the signature', () => {
  const body = escapedJson({ object: 'page', entry: [], text: 'é 😀 a/b' });
  it('holds over the escaped bytes', () => {
    expect(body).toContain('\\u00e9 \\ud83d\\ude00 a\\/b');
    expect(metaHook.verify(request(body, { 'x-hub-signature-256': sign(body) }), secrets)).toBe('ok');
  });
  it('is the older one only where that comes alone', () => {
    expect(metaHook.verify(request(body, { 'x-hub-signature': sign(body, 'sha1') }), secrets)).toBe('ok');
    expect(metaHook.verify(request(body, { 'x-hub-signature': sign(body, 'sha1'), 'x-hub-signature-256': 'sha256=00' }), secrets)).toBe(
      'wrong',
    );
  });
  it.each([
    [{}, 'missing'],
    [{ 'x-hub-signature-256': sign(body, 'sha256', 'other') }, 'wrong'],
    [{ 'x-hub-signature-256': sign(`${body} `) }, 'wrong'],
    [{ 'x-hub-signature-256': sign(body).slice(0, -1) }, 'wrong'],
    [{ 'x-hub-signature-256': sign(body).slice(7) }, 'wrong'],
    [{ 'x-hub-signature-256': sign(body, 'sha1') }, 'wrong'],
    [{ 'x-hub-signature': sign(body) }, 'wrong'],
  ] as [Record<string, string>, string][])('%j is %s', (headers, verdict) => {
    expect(metaHook.verify(request(body, headers), secrets)).toBe(verdict);
  });
  it('is never right while no secret is set', () => {
    expect(
      metaHook.verify(request(body, { 'x-hub-signature-256': sign(body, 'sha256', '') }), { config: contextFor({}).config, channels: [] }),
    ).toBe('wrong');
  });
});

describe('unpacking', () => {
  const change = (id: string, text: string) => ({
    field: 'messages',
    value: { metadata: { phone_number_id: id }, messages: [{ id: text, from: '49', type: 'text', text: { body: text } }] },
  });
  const status = {
    field: 'message_template_status_update',
    value: { event: 'APPROVED', message_template_name: 'x', message_template_language: 'en' },
  };

  it('keeps the bytes of a request about one number', () => {
    const body = JSON.stringify({
      object: 'whatsapp_business_account',
      entry: [{ id: 'W', changes: [change('1', 'a'), change('1', 'b')] }],
    });
    const [piece, ...others] = metaHook.unpack(request(body));
    expect(others).toEqual([]);
    expect(piece).toMatchObject({ source: 'whatsapp', sourceChannelId: '1' });
    expect(piece!.body.toString()).toBe(body);
    expect(piece!.value).toEqual(JSON.parse(body));
  });

  it('makes one webhook per number and per account out of many', () => {
    const entry = [
      { id: 'W', changes: [change('1', 'a'), change('2', 'b'), status] },
      { id: 'V', changes: [change('1', 'c'), status] },
    ];
    const pieces = metaHook.unpack(request(JSON.stringify({ object: 'whatsapp_business_account', entry })));
    expect(pieces.map(({ sourceChannelId }) => sourceChannelId)).toEqual(['1', '2', null, null]);
    const again = pieces.map((piece) => metaHook.unpack(request(piece.body)));
    expect(again.map((found) => found.length)).toEqual([1, 1, 1, 1]);
    const texts = (piece: RawEvent) =>
      meta.connectors[0]!.parse({ ...piece, value: undefined }).map((event: any) => event.content?.text ?? event.account);
    expect(pieces.map(texts)).toEqual([['a', 'c'], ['b'], ['W'], ['V']]);
  });

  it('tells pages from Instagram accounts', () => {
    const entry = [
      { id: 'P', messaging: [] },
      { id: 'Q', messaging: [] },
      { id: 'P', messaging: [] },
    ];
    const pages = metaHook.unpack(request(JSON.stringify({ object: 'page', entry })));
    expect(pages.map(({ source, sourceChannelId }) => [source, sourceChannelId])).toEqual([
      ['facebook', 'P'],
      ['facebook', 'Q'],
    ]);
    expect(metaHook.unpack(request(JSON.stringify({ object: 'instagram', entry: [entry[0]] })))[0]).toMatchObject({
      source: 'instagram',
      sourceChannelId: 'P',
    });
  });

  it.each(['', 'null', '[]', '{}', '{"object":"page"}', '{"object":"user","entry":[]}', '{"object":"constructor","entry":[]}', '{'])(
    'refuses %j with a clean error',
    (body) => {
      expect(() => metaHook.unpack(request(body))).toThrow(Error);
    },
  );

  it.skipIf(!hasEvidence)('routes all of Meta’s examples by their number', () => {
    for (const body of Object.values(exampleWebhooks())) {
      expect(metaHook.unpack(request(escapedJson(body)))).toMatchObject([{ source: 'whatsapp', sourceChannelId: '106540352242922' }]);
    }
  });
});

describe('whatever comes', () => {
  const keys = [
    'object',
    'entry',
    'changes',
    'value',
    'field',
    'messages',
    'statuses',
    'contacts',
    'metadata',
    'phone_number_id',
    'messaging',
    'message',
    'mid',
    'text',
    'attachments',
    'payload',
    'type',
    'sender',
    'recipient',
    'id',
    'from',
    'interactive',
    'delivery',
    'read',
    'reaction',
    'errors',
    'timestamp',
    'system',
    'context',
    'history',
    'threads',
    'state_sync',
    'contact',
    'user_preferences',
    'template',
    'components',
    'parameters',
    'cards',
    '__proto__',
    'constructor',
  ];
  const words = [
    'page',
    'instagram',
    'whatsapp_business_account',
    'messages',
    'text',
    'image',
    'interactive',
    'edit',
    'revoke',
    'reaction',
    'system',
    'message_template_status_update',
    'account_update',
    'smb_message_echoes',
    'failed',
    '1749416383',
    '9e99',
  ];
  const { tree } = fc.letrec((tie) => ({
    leaf: fc.oneof(fc.constantFrom(...words), fc.string(), fc.double(), fc.integer(), fc.boolean(), fc.constant(null)),
    tree: fc.oneof(
      { depthSize: 'medium' },
      tie('leaf'),
      fc.array(tie('tree'), { maxLength: 4 }),
      fc.dictionary(fc.constantFrom(...keys), tie('tree'), { maxKeys: 6 }),
    ),
  }));
  const shaped = fc.record({
    object: fc.constantFrom('page', 'instagram', 'whatsapp_business_account'),
    entry: fc.array(
      fc.record({
        id: fc.oneof(fc.string(), tree),
        messaging: fc.oneof(
          fc.array(
            fc.dictionary(
              fc.constantFrom(
                'sender',
                'recipient',
                'timestamp',
                'message',
                'postback',
                'reaction',
                'delivery',
                'read',
                'referral',
                'optin',
                'message_edit',
              ),
              tree,
            ),
            { maxLength: 3 },
          ),
          tree,
        ),
        changes: fc.oneof(
          fc.array(
            fc.record({
              field: fc.constantFrom(
                'messages',
                'smb_message_echoes',
                'account_update',
                'message_template_status_update',
                'phone_number_quality_update',
                'history',
                'smb_app_state_sync',
                'user_preferences',
                'other',
              ),
              value: fc.oneof(
                tree,
                fc.record({
                  metadata: tree,
                  contacts: tree,
                  messages: fc.array(fc.dictionary(fc.constantFrom(...keys), tree), { maxLength: 3 }),
                  statuses: tree,
                  message_echoes: tree,
                  history: fc.array(
                    fc.record({ threads: fc.array(fc.record({ id: tree, messages: fc.array(tree, { maxLength: 2 }) }), { maxLength: 2 }) }),
                    { maxLength: 2 },
                  ),
                  state_sync: fc.array(tree, { maxLength: 2 }),
                  user_preferences: fc.array(tree, { maxLength: 2 }),
                }),
              ),
            }),
            { maxLength: 3 },
          ),
          tree,
        ),
      }),
      { maxLength: 3 },
    ),
  });

  it('is read, or refused with a clean error', () => {
    fc.assert(
      fc.property(fc.oneof(shaped, tree), (value) => {
        let pieces: RawEvent[];
        try {
          pieces = metaHook.unpack(request(JSON.stringify(value) ?? ''));
        } catch (error) {
          expect((error as Error).constructor === Error || error instanceof SyntaxError).toBe(true);
          return;
        }
        for (const piece of pieces) {
          const connector = meta.connectors.find(({ source }) => source === piece.source)!;
          const events = connector.parse(piece);
          expect(events.length).toBeGreaterThan(0);
          expect(connector.parse({ ...piece, value: undefined })).toEqual(events);
          for (const event of events) if ('sentAt' in event && event.sentAt) expect(Number.isNaN(event.sentAt.getTime())).toBe(false);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('that callers write in Meta’s own shape is read without a word', () => {
    const template = fc.record({
      type: fc.constant('template'),
      template: fc.record({ name: tree, language: tree, components: fc.array(tree) }),
    });
    fc.assert(
      fc.property(fc.oneof(template, tree), (value) => {
        for (const connector of meta.connectors) connector.readNative!(value);
      }),
      { numRuns: 1000 },
    );
  });

  it('is verified without a word', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.string(), (bytes, header) => {
        const verdict = metaHook.verify(request(Buffer.from(bytes), { 'x-hub-signature-256': header }), secrets);
        expect(['wrong', 'missing']).toContain(verdict);
      }),
    );
  });
});
