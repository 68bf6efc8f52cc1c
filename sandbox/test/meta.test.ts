import { normalizeWebhook, verifySignature } from '@kapso/whatsapp-cloud-api/server';
import { afterEach, describe, expect, it } from 'vitest';
import { exampleRequests, hasEvidence } from '../../server/test/connectors/meta/support.ts';
import { createMetaSandbox, type MetaSandbox, type MetaSandboxOptions } from '../meta/index.ts';
import type { WebhookRequest } from '../meta/webhooks.ts';

const NUMBER = '106540352242922';
const WABA = '102290129340398';
const PAGE = '123456789';
const PHONE = '16505551234';
let sandbox: MetaSandbox;
let heard: WebhookRequest[];

function start(options: MetaSandboxOptions = {}): MetaSandbox {
  heard = [];
  sandbox = createMetaSandbox({
    wabas: [{ id: WABA, numbers: [{ id: NUMBER }], templates: [{ name: 'hello_world' }] }],
    pages: [{ id: PAGE }],
    webhook: async (request) => {
      heard.push(request);
      return 200;
    },
    ...options,
  });
  return sandbox;
}
afterEach(() => sandbox.app.close());

async function call(method: 'GET' | 'POST' | 'DELETE', path: string, payload?: object, token = 'sandbox-token') {
  const answer = await sandbox.app.inject({ method, url: `/v25.0/${path}`, headers: { authorization: `Bearer ${token}` }, payload });
  return { status: answer.statusCode, body: answer.json(), headers: answer.headers };
}
const text = (to = PHONE) => ({ messaging_product: 'whatsapp', to, type: 'text', text: { body: 'x' } });
const values = () => heard.map(({ body }) => JSON.parse(body));

describe('what it takes', () => {
  it.skipIf(!hasEvidence)('is what Meta’s own examples send', async () => {
    start({ limits: { perSecond: () => 1e6, pairBurst: 1e6, pairEveryMs: 1 } });
    sandbox.whatsappCustomer(NUMBER, { phone: PHONE }).text('hi');
    const mediaId = sandbox.state.store(Buffer.from('x'), 'image/png').id;
    const results: Record<string, string> = {};
    for (const [title, example] of Object.entries(exampleRequests('/{Version}/{Phone-Number-ID}/messages', 'post'))) {
      const written = JSON.stringify(example)
        .replace(/"<?http\(s\):\/\/[^"]*"/g, '"https://example.com/file"')
        .replace(/"<(AUDIO|DOCUMENT|IMAGE|VIDEO|MEDIA|STICKER)_OBJECT_ID>"/g, `"${mediaId}"`)
        .replace('"<HEADER_TYPE>"', '"text"');
      const body = JSON.parse(written);
      if (body.to !== undefined) body.to = `+${PHONE}`;
      if (body.message_id !== undefined) sandbox.state.received.add(body.message_id);
      const { status, body: answer } = await call('POST', `${NUMBER}/messages`, body);
      results[title] = status === 200 ? 'taken' : `${answer.error.code} ${answer.error.error_data?.details ?? answer.error.message}`;
    }
    // Templates that this account does not have are refused as Meta refuses them; everything else is taken.
    const refused = Object.entries(results).filter(([, result]) => result !== 'taken' && !result.startsWith('132001'));
    expect(refused).toEqual([]);
    expect(Object.keys(results).length).toBeGreaterThan(40);
  });

  it.skipIf(!hasEvidence)('holds for templates too', async () => {
    start();
    const examples = Object.entries(exampleRequests('/{Version}/{WABA-ID}/message_templates', 'post')).filter(([, { components }]) =>
      Array.isArray(components),
    );
    for (const [title, example] of examples) {
      const name = title.toLowerCase().replace(/[^a-z0-9]+/g, '_');
      expect([title, (await call('POST', `${WABA}/message_templates`, { ...example, name })).body]).toEqual([
        title,
        { id: expect.any(String), status: 'PENDING', category: expect.any(String) },
      ]);
    }
  });
});

describe('what it refuses', () => {
  it.each([
    ['no token', {}, 'none', 401, 190],
    ['no product', { ...text(), messaging_product: undefined }, undefined, 400, 100],
    ['no recipient', { ...text(), to: undefined }, undefined, 400, 100],
    ['no number', { ...text(), to: 'Ada' }, undefined, 400, 131009],
    ['no text', { ...text(), text: {} }, undefined, 400, 100],
    ['a long text', { ...text(), text: { body: 'x'.repeat(4097) } }, undefined, 400, 100],
    ['an unknown type', { ...text(), type: 'fax' }, undefined, 400, 131009],
    ['a lost file', { ...text(), type: 'image', image: { id: '1' } }, undefined, 400, 131053],
    ['a captioned sticker', { ...text(), type: 'sticker', sticker: { link: 'https://x', caption: 'x' } }, undefined, 400, 131009],
    ['an unknown template', { ...text(), type: 'template', template: { name: 'x', language: { code: 'en' } } }, undefined, 404, 132001],
    ['a closed window', text('4915112345678'), undefined, 400, 131047],
  ])('%s', async (_title, body, token, status, code) => {
    start();
    sandbox.whatsappCustomer(NUMBER, { phone: PHONE }).text('hi');
    expect(await call('POST', `${NUMBER}/messages`, body, token)).toMatchObject({
      status,
      body: { error: { code, fbtrace_id: expect.any(String) } },
    });
    expect(sandbox.state.sent).toEqual([]);
  });

  it('goes no faster than Meta', async () => {
    let now = 0;
    start({ now: () => now, limits: { perSecond: () => 3, pairBurst: 2, pairEveryMs: 6000 } });
    for (const phone of [PHONE, '33612345678']) sandbox.whatsappCustomer(NUMBER, { phone }).text('hi');
    const send = async (to: string) => (await call('POST', `${NUMBER}/messages`, text(to))).body.error?.code;
    expect([await send(PHONE), await send(PHONE), await send(PHONE), await send('33612345678')]).toEqual([
      undefined,
      undefined,
      131056,
      130429,
    ]);
    now = 6000;
    expect([await send(PHONE), await send(PHONE)]).toEqual([undefined, 131056]);
  });

  it('knows tokens that end, and what a token reaches', async () => {
    start({
      tokens: [
        { value: 'old', expiresAt: 1 },
        { value: 'other', reaches: ['1'] },
      ],
    });
    expect(await call('GET', NUMBER, undefined, 'old')).toMatchObject({ status: 401, body: { error: { code: 190, error_subcode: 463 } } });
    expect(await call('GET', NUMBER, undefined, 'other')).toMatchObject({ status: 400, body: { error: { code: 100, error_subcode: 33 } } });
    expect((await sandbox.app.inject({ url: `/v25.0/${NUMBER}` })).json().error.code).toBe(104);
    expect((await sandbox.app.inject({ url: `/latest/${NUMBER}` })).json().error.code).toBe(2500);
  });
});

describe('what it says', () => {
  it('is taken by somebody else’s reader, signature included', async () => {
    start();
    const customer = sandbox.whatsappCustomer(NUMBER, { phone: PHONE, name: 'Zoë 😀' });
    const ids = [
      customer.text('Grüße a/b'),
      customer.media('image', Buffer.from('picture'), 'image/png', { caption: 'Ü' }),
      customer.react('wamid.x', '👍'),
      customer.location(1, 2, 'Here'),
      customer.pressButton('yes', 'Yes', 'wamid.x'),
      ...customer.writeAll([
        { type: 'text', text: { body: '1' } },
        { type: 'text', text: { body: '2' } },
      ]),
    ];
    await call('POST', `${NUMBER}/messages`, { ...text(), biz_opaque_callback_data: 'ours' });
    await sandbox.webhooks.settled();
    const read = heard.map(({ headers, body }) => {
      expect(body).toMatch(/^[\x20-\x7e]*$/);
      expect(verifySignature({ appSecret: sandbox.state.app.secret, rawBody: body, signatureHeader: headers['x-hub-signature-256'] })).toBe(
        true,
      );
      return normalizeWebhook(JSON.parse(body));
    });
    expect(read.flatMap(({ messages }) => messages.map(({ id }) => id))).toEqual(ids);
    expect(read.flatMap(({ statuses }) => statuses.map(({ status }) => status))).toEqual(['sent', 'delivered', 'read']);
    expect(read[0]).toMatchObject({ phoneNumberId: NUMBER, contacts: [{ waId: PHONE, profile: { name: 'Zoë 😀' } }] });
  });

  it('comes twice, late, out of order, or not at all, on demand', async () => {
    start();
    const customer = sandbox.whatsappCustomer(NUMBER, { phone: PHONE });
    Object.assign(sandbox.faults, { duplicates: 1, holdWebhooks: 3, disorder: true });
    const ids = [customer.text('1'), customer.text('2'), customer.text('3')];
    await sandbox.webhooks.settled();
    const [a, b, c] = ids;
    expect(values().map(({ entry }) => entry[0].changes[0].value.messages[0].id)).toEqual([c, c, b, b, a, a]);

    Object.assign(sandbox.faults, { duplicates: 0, holdWebhooks: 1 });
    let calls = 0;
    sandbox.pointTo(async () => (++calls < 3 ? 503 : 200));
    customer.text('4');
    await sandbox.webhooks.settled();
    expect(calls).toBe(3);
    expect(sandbox.webhooks.log.slice(-3).map(({ status }) => status)).toEqual([503, 503, 200]);
  });

  it('may refuse by webhook what it has taken', async () => {
    start();
    sandbox.faults.windowRefusal = 'webhook';
    expect((await call('POST', `${NUMBER}/messages`, text())).status).toBe(200);
    await sandbox.webhooks.settled();
    expect(values()[0].entry[0].changes[0].value.statuses[0]).toMatchObject({ status: 'failed', errors: [{ code: 131047 }] });
  });

  it('can be steered over HTTP', async () => {
    start();
    const post = async (url: string, payload: object) => (await sandbox.app.inject({ method: 'POST', url, payload })).json();
    expect(await post('/_control/customer', { number: NUMBER, phone: PHONE, text: 'hi' })).toEqual({ id: expect.stringMatching(/^wamid/) });
    expect(await post('/_control/customer', { account: PAGE, id: '5', text: 'hi' })).toEqual({
      id: expect.stringMatching(/^m_/),
      customer: '5',
    });
    await post('/_control/faults', { outages: 1 });
    expect((await call('GET', NUMBER)).status).toBe(503);
    expect((await call('GET', NUMBER)).status).toBe(200);
    await call('POST', `${NUMBER}/messages`, text());
    expect((await sandbox.app.inject({ url: '/_control/sent' })).json().data).toHaveLength(1);
  });
});
