import fc from 'fast-check';
import sdk from 'twilio';
import { describe, expect, it } from 'vitest';
import { sign } from '../../../../sandbox/twilio/webhooks.ts';
import { isSigned, signatureOf } from '../../../src/connectors/twilio/signature.ts';

const FORM = 'application/x-www-form-urlencoded';
const TOKEN = '12345';
const URL_ = 'https://mycompany.com/myapp.php?foo=1&bar=2';
const PARAMETERS = { CallSid: 'CA1234567890ABCDE', Caller: '+14158675309', Digits: '1234', From: '+14158675309', To: '+18005551212' };
const body = (parameters: Record<string, string>) => Buffer.from(new URLSearchParams(parameters).toString());

describe('Twilio’s own vectors', () => {
  it('form', () => {
    expect(signatureOf(TOKEN, URL_, new URLSearchParams(PARAMETERS))).toBe('RSOYDt4T1cUTdK1PDd93/VVr8B8=');
    expect(isSigned(TOKEN, 'RSOYDt4T1cUTdK1PDd93/VVr8B8=', URL_, FORM, body(PARAMETERS))).toBe(true);
  });
  it('JSON body by its hash in the address', () => {
    const json = Buffer.from('{"property": "value", "boolean": true}');
    const url = `${URL_}&bodySHA256=${sdk_hash(json)}`;
    expect(isSigned(TOKEN, 'a9nBmqA0ju/hNViExpshrM61xv4=', url, 'application/json', json)).toBe(true);
    expect(isSigned(TOKEN, 'a9nBmqA0ju/hNViExpshrM61xv4=', url, 'application/json', Buffer.from('{}'))).toBe(false);
    const empty = `${URL_}&bodySHA256=${sdk_hash(Buffer.from('{}'))}`;
    expect(isSigned(TOKEN, 'Ldidvp12m26NI7eqEvxnEpkd9Hc=', empty, 'application/json', Buffer.from('{}'))).toBe(true);
  });
  it('with a port that Twilio signed', () => {
    expect(
      isSigned(
        TOKEN,
        'Zmvh+3yNM1Phv2jhDCwEM3q5ebU=',
        URL_.replace('https://mycompany.com', 'http://mycompany.com:1234'),
        FORM,
        body(PARAMETERS),
      ),
    ).toBe(true);
  });
});

function sdk_hash(data: Buffer): string {
  return sdk.getExpectedBodyHash(data.toString());
}

describe('against the SDK', () => {
  const parameters = fc.dictionary(fc.string({ minLength: 1, maxLength: 8 }), fc.string({ unit: 'grapheme', maxLength: 30 }), {
    maxKeys: 8,
  });
  const url = fc.constantFrom(
    URL_,
    'https://a.example/hooks/twilio',
    'http://localhost:3000/twilio',
    'https://a.example:8443/x?y=it%27s',
    "https://a.example/x?q=it's",
  );

  it('signs the same, in the connector and in the stand-in', () => {
    fc.assert(
      fc.property(parameters, url, (form, address) => {
        const expected = sdk.getExpectedTwilioSignature(TOKEN, address, form);
        expect(signatureOf(TOKEN, address, new URLSearchParams(form))).toBe(expected);
        expect(sign(TOKEN, address, form)).toBe(expected);
      }),
    );
  });

  it('accepts exactly what the SDK accepts, whichever form of the address was signed', () => {
    fc.assert(
      fc.property(parameters, url, fc.constantFrom('as is', 'port', 'no port', 'wrong token', 'other parameters'), (form, address, how) => {
        const parsed = new URL(address);
        const standard = parsed.protocol === 'https:' ? '443' : '80';
        const withPort = parsed.port ? address : address.replace(parsed.host, `${parsed.host}:${standard}`);
        const signed = how === 'port' ? withPort : how === 'no port' ? address.replace(`:${parsed.port}/`, '/') : address;
        const values = how === 'other parameters' ? { ...form, Added: '1' } : form;
        const signature = sdk.getExpectedTwilioSignature(how === 'wrong token' ? 'other' : TOKEN, signed, values);
        const theirs = sdk.validateRequest(TOKEN, signature, address, form);
        expect(isSigned(TOKEN, signature, address, FORM, body(form))).toBe(theirs);
        if (how === 'as is') expect(theirs).toBe(true);
      }),
    );
  });

  it('repeated parameters count once each, sorted', () => {
    const expected = sdk.getExpectedTwilioSignature(TOKEN, URL_, { MediaUrl: ['b', 'a', 'b'] });
    expect(isSigned(TOKEN, expected, URL_, FORM, Buffer.from('MediaUrl=b&MediaUrl=a&MediaUrl=b'))).toBe(true);
  });

  it('no input throws', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.string(), fc.uint8Array(), (signature, address, type, bytes) => {
        expect(isSigned(TOKEN, signature, address, type, Buffer.from(bytes))).toBe(false);
      }),
    );
  });
});
