import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { twilio, twilioSms } from '../../../src/connectors/twilio/index.ts';
import { configOf, hookRequest } from '../../support/connector-context-twilio.ts';

const NAMES = [
  'MessageSid',
  'SmsStatus',
  'MessageStatus',
  'From',
  'To',
  'Body',
  'NumMedia',
  'MediaUrl0',
  'MediaContentType0',
  'Latitude',
  'Longitude',
  'ButtonText',
  'ButtonPayload',
  'ListId',
  'ListTitle',
  'OptOutType',
  'ErrorCode',
  'WaId',
  'ProfileName',
  'InteractiveData',
  'PatchbayDateCreated',
];
const value = fc.oneof(
  fc.string(),
  fc.constantFrom('received', 'delivered', 'whatsapp:+491234567', '+491234567', '3', 'NaN', '-1', '1e9', '{', '[]'),
);
const form = fc.dictionary(fc.constantFrom(...NAMES), value).map((fields) => new URLSearchParams(fields).toString());

describe('no webhook of Twilio’s', () => {
  it('hangs or breaks the parser in an unclear way', () => {
    fc.assert(
      fc.property(fc.oneof(form, fc.string()), (body) => {
        try {
          const events = twilioSms.parse({ source: 'twilio.sms', sourceChannelId: null, contentType: '', body: Buffer.from(body) });
          expect(events.length).toBeGreaterThan(0);
        } catch (error) {
          expect((error as Error).message).toMatch(/^Twilio /);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('breaks the hook', () => {
    const hook = twilio.hooks![0]!;
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 300 }),
        fc.webPath(),
        fc.constantFrom('GET', 'POST'),
        fc.string(),
        (body, path, method, signature) => {
          const request = hookRequest(
            `https://p.example/hooks/twilio${path}?a=b`,
            Buffer.from(body),
            { 'x-twilio-signature': signature },
            method,
          );
          hook.claims!(request);
          expect(hook.unpack(request)).toHaveLength(1);
          expect(['missing', 'wrong']).toContain(hook.verify(request, { config: configOf({ TWILIO_AUTH_TOKEN: 't' }), channels: [] }));
        },
      ),
    );
  });
});
