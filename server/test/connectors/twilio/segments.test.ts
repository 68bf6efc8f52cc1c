import fc from 'fast-check';
import { SegmentedMessage } from 'sms-segments-calculator';
import { describe, expect, it } from 'vitest';
import { twilioSms } from '../../../src/connectors/twilio/index.ts';
import { countSegments } from '../../../src/connectors/twilio/segments.ts';
import type { Content } from '../../../src/model/content.ts';
import { channelOf } from '../../support/connector-context-twilio.ts';

describe('SMS segments', () => {
  it.each([
    ['a'.repeat(160), 1],
    ['a'.repeat(161), 2],
    ['я'.repeat(70), 1],
    ['я'.repeat(71), 2],
    ['€'.repeat(80), 1],
    ['€'.repeat(81), 2],
    ['🙂'.repeat(36), 2],
    ['', 1],
  ])('case %#', (text, segments) => {
    expect(countSegments(text).segments).toBe(segments);
  });
  it('is told before sending', () => {
    const channel = channelOf({ sourceChannelId: '+15551230001' });
    const estimate = (content: Content) => twilioSms.estimate!(content, channel);
    expect(estimate({ type: 'text', text: 'hi' })).toEqual({ parts: 1, encoding: 'GSM-7', units: 2, remaining: 158, notes: [] });
    expect(estimate({ type: 'native', payload: { Body: 'a'.repeat(161) } })).toMatchObject({ parts: 2, remaining: 145 });
    expect(estimate({ type: 'text', text: `${'a'.repeat(70)}“` })).toMatchObject({
      parts: 2,
      encoding: 'UCS-2',
      notes: [expect.stringContaining('“')],
    });
    expect(estimate({ type: 'image', media: { url: 'https://x.example/1' } })).toBeUndefined();
  });
  it('names the characters that cost', () => {
    expect(countSegments('He said “yes”')).toMatchObject({ encoding: 'UCS-2', unicode: ['“', '”'] });
  });

  const gsm = fc.constantFrom(...'abc XYZ0189@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ!"#¤%&\'()*+,-./:;<=>?¡ÄÖÑÜ§¿äöñüà^{}\\[~]|€\f');
  const other = fc.constantFrom('“', 'я', '🙂', '中', '👍🏽', 'é', '👨‍👩‍👧', '🇩🇪', '\r\n');
  const check = (text: string) => {
    const theirs = new SegmentedMessage(text);
    const ours = countSegments(text);
    expect(ours.encoding).toBe(theirs.encodingName);
    expect(ours.segments).toBe(theirs.segments.length);
    expect(ours.units * (ours.encoding === 'GSM-7' ? 7 : 16)).toBe(theirs.messageSize);
  };
  it('counts as Twilio’s calculator: plain text', () => {
    fc.assert(fc.property(fc.string({ unit: gsm, maxLength: 900, size: 'max' }), check), { numRuns: 150 });
  });
  it('counts as Twilio’s calculator: mixed text', () => {
    fc.assert(fc.property(fc.string({ unit: fc.oneof(gsm, other), maxLength: 400, size: 'max' }), check), { numRuns: 150 });
  });
});
