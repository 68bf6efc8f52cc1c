import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Value } from 'typebox/value';
import { afterAll, describe, expect, it } from 'vitest';
import { IN_PROCESS_URL, inProcessHttp } from '../../../../sandbox/meta/in-process.ts';
import { createMetaSandbox } from '../../../../sandbox/meta/index.ts';
import { capabilitiesOf } from '../../../src/connectors/connector.ts';
import { meta } from '../../../src/connectors/meta/index.ts';
import { uuidv7 } from '../../../src/model/ids.ts';
import { channelOf, contextFor } from './support.ts';

const bySource = Object.fromEntries(meta.connectors.map((connector) => [connector.source, connector]));

describe('the three sources', () => {
  it.each(meta.connectors.map((connector) => [connector.source, connector] as const))('%s is whole', (_source, connector) => {
    expect(existsSync(join('docs', connector.guide))).toBe(true);
    const secrets = Object.entries(connector.credentials.properties).filter(([, schema]) => !(schema as { secret?: boolean }).secret);
    expect(secrets).toEqual([]);
    const capabilities = capabilitiesOf(connector, {} as never);
    expect(capabilities.window?.hours).toBe(24);
    expect(Object.keys(connector)).toEqual(
      expect.arrayContaining([
        'connect',
        'disconnect',
        'account',
        'explore',
        'health',
        'parse',
        'send',
        'react',
        'markRead',
        'typing',
        'media',
        'setup',
      ]),
    );
    const steps = connector.setup!({} as never, contextFor({ META_VERIFY_TOKEN: 'word' }).config);
    expect(steps.map(({ value }) => value)).toEqual(expect.arrayContaining(['https://patchbay.example/hooks/meta', 'word']));
  });

  it.each([
    ['facebook', { page_id: 'fb-page-id-1', page_token: 'authentication token', name: 'My custom name' }],
    ['instagram', { page_id: 'fb-page-id-1', account_id: 'ig-account-id', page_token: 'authentication token', name: 'x' }],
    ['whatsapp', { phone_number_id: '1234567', user_token: 'user access token', name: 'Customer support hotline' }],
    ['whatsapp', { name: 'Support WhatsApp', phone_number: '+33612345678', business_account_id: 'wa_business_id', api_key: 'wa_api_key' }],
  ])('%s takes the documents’ own samples', (source, input) => {
    expect(Value.Check(bySource[source]!.input, input)).toBe(true);
  });

  it('read what callers of the Airy surface send', () => {
    expect(bySource.whatsapp!.readNative!({ text: { preview_url: false, body: 'Hi' } })).toEqual({ type: 'text', text: 'Hi' });
    expect(bySource.whatsapp!.readNative!({ image: { link: 'https://x.example/a', caption: 'A' } })).toMatchObject({
      type: 'image',
      media: { url: 'https://x.example/a' },
    });
    expect(bySource.facebook!.readNative!({ text: 'Hi' })).toEqual({ type: 'text', text: 'Hi' });
    expect(bySource.instagram!.readNative!({ attachment: { type: 'image', payload: { url: 'https://x.example/a' } } })).toMatchObject({
      type: 'image',
    });
    for (const connector of meta.connectors)
      for (const payload of [undefined, null, 1, 'x', [], {}]) expect(connector.readNative!(payload)).toBeUndefined();
  });
});

describe('a stand-in in the same process', () => {
  const sandbox = createMetaSandbox({ wabas: [{ id: '1', numbers: [{ id: '2' }] }], pages: [{ id: '3' }] });
  afterAll(() => sandbox.app.close());
  const context = { ...contextFor({ META_GRAPH_URL: IN_PROCESS_URL }), http: inProcessHttp(sandbox) };

  it('serves connect, send, uploads and downloads without a network', async () => {
    const { whatsapp } = bySource;
    const channel = channelOf(
      await whatsapp!.connect({ phone_number_id: '2', business_account_id: '1', user_token: 'sandbox-token' }, context),
    );
    sandbox.whatsappCustomer('2', { phone: '16505551234' }).text('hi');
    context.files.set('f', { data: Buffer.from('bytes'), mimeType: 'image/png', filename: 'ä.png' });
    const to = [{ kind: 'phonenumber', value: '+16505551234' }];
    await whatsapp!.send!({ id: uuidv7(), to, content: { type: 'image', media: { id: 'f' } } }, channel, context);
    const id = (sandbox.state.sent[0]!.body.image as { id: string }).id;
    expect(await whatsapp!.media!({ providerRef: id }, channel, context)).toMatchObject({
      data: Buffer.from('bytes'),
      mimeType: 'image/png',
    });
    sandbox.faults.lostAnswers = 1;
    const text = { id: uuidv7(), to, content: { type: 'text' as const, text: 'x' } };
    await expect(whatsapp!.send!(text, channel, context)).rejects.toMatchObject({ class: 'unknown-outcome' });
    await expect(whatsapp!.media!({ url: 'https://elsewhere.example/x' }, channel, context)).rejects.toMatchObject({ class: 'rejected' });
  });
});
