import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Capabilities } from '../../src/model/capabilities.ts';
import { consentWord } from '../../src/model/consent.ts';
import type { Content } from '../../src/model/content.ts';
import { degrade } from '../../src/model/degrade.ts';
import { violations } from '../../src/model/limits.ts';
import { phoneForms, phoneProblem, toE164 } from '../../src/model/phone.ts';

const BARE: Capabilities = { text: { max: 1600 }, startsConversations: true, window: null, nodes: [] };
const RICH: Capabilities = {
  ...BARE,
  media: { image: { maxBytes: 1000, types: ['image/*'], caption: 100 }, audio: { maxBytes: 1000, types: ['audio/ogg'] } },
  choices: { max: 3, title: 20, text: 1024 },
  list: { rows: 10, sections: 10, title: 24, description: 72, button: 20, text: 1024 },
};

describe('phone numbers', () => {
  it.each(['+491234567', '+14155238886', '+5511987654321'])('takes %s', (number) => {
    expect(phoneProblem(number)).toBeUndefined();
  });
  it.each(['+49 123 4567', '0171234567', '491234567', '+49', '+', '', '+1415523888612345678', '+999123456789', '+49abc'])(
    'refuses %j',
    (number) => {
      expect(phoneProblem(number)).toMatch(/^(must|is) /);
    },
  );
  it('never throws and never takes a space', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const problem = phoneProblem(text);
        if (/\s/.test(text)) expect(problem).toBeDefined();
        if (problem === undefined) expect(text).toMatch(/^\+\d{2,15}$/);
      }),
    );
  });
  it('reads usual ways of writing', () => {
    expect(toE164('0049 (123) 45-67')).toBe('+491234567');
    expect(toE164('whatsapp')).toBeUndefined();
  });
  it('knows the other form of a line, and back', () => {
    expect(phoneForms('+5511987654321')).toEqual(['+5511987654321', '+551187654321']);
    expect(phoneForms('+5215512345678')).toContain('+525512345678');
    expect(phoneForms('+541123456789')).toContain('+5491123456789');
    expect(phoneForms('+491234567')).toEqual(['+491234567']);
    fc.assert(
      fc.property(fc.constantFrom('+551187654321', '+525512345678', '+541123456789'), (number) => {
        const [, other] = phoneForms(number);
        expect(phoneForms(other!)).toContain(number);
      }),
    );
  });
});

describe('consent words', () => {
  it.each(['STOP', ' stop. ', 'Stopp', 'ARRÊT', 'Unsubscribe', '退订', 'стоп'])('%j stops', (text) =>
    expect(consentWord(text)).toBe('stop'),
  );
  it.each(['START', 'unstop'])('%j starts', (text) => expect(consentWord(text)).toBe('start'));
  it.each(['HELP', 'Hilfe!'])('%j asks for help', (text) => expect(consentWord(text)).toBe('help'));
  it('is the whole message or nothing', () => {
    expect(consentWord('please stop by at nine')).toBeUndefined();
    expect(consentWord('the end')).toBeUndefined();
  });
  it('keeps the carriers’ words to SMS', () => {
    expect(consentWord('cancel')).toBeUndefined();
    expect(consentWord('CANCEL', { carrier: true })).toBe('stop');
  });
});

describe('degrading', () => {
  const card: Content = {
    type: 'cards',
    cards: [
      {
        title: 'Chair',
        text: 'Oak',
        media: { url: 'https://shop.example/c.jpg' },
        actions: [{ type: 'url', text: 'Buy', url: 'https://shop.example/c' }],
      },
    ],
  };

  it('turns a card into text with links', () => {
    const result = degrade(card, BARE);
    expect(result).toMatchObject({ outcome: 'degraded', content: { type: 'text' } });
    if (result.outcome === 'degraded') {
      expect((result.content as { text: string }).text).toBe('Chair\nOak\nhttps://shop.example/c.jpg\nBuy: https://shop.example/c');
      expect(result.changes[0]).toContain('cannot carry cards');
    }
  });
  it('prefers a picture with a caption where pictures are carried', () => {
    expect(degrade(card, RICH)).toMatchObject({
      outcome: 'degraded',
      content: { type: 'image', caption: 'Chair\nOak\nBuy: https://shop.example/c' },
    });
  });
  it('turns too many choices into a list', () => {
    const choices = [1, 2, 3, 4].map((id) => ({ id: String(id), title: `Choice ${id}` }));
    expect(degrade({ type: 'choices', text: 'Which?', choices }, RICH)).toMatchObject({ outcome: 'degraded', content: { type: 'list' } });
    expect(degrade({ type: 'choices', text: 'Which?', choices }, BARE)).toMatchObject({
      content: { type: 'text', text: 'Which?\n1. Choice 1\n2. Choice 2\n3. Choice 3\n4. Choice 4' },
    });
  });
  it('refuses a file that has no address, and a text that is too long, with the limit', () => {
    expect(degrade({ type: 'image', media: { id: 'm' } }, BARE).outcome).toBe('refused');
    expect(degrade({ type: 'image', media: { id: 'm' } }, BARE, { mediaUrl: () => 'https://x.example/m' })).toMatchObject({
      content: { text: 'https://x.example/m' },
    });
    expect(degrade({ type: 'text', text: 'x'.repeat(1601) }, BARE)).toEqual({
      outcome: 'refused',
      problems: ['text has 1601 characters, this channel takes at most 1600'],
    });
  });
  it('names size and type of a file', () => {
    const problems = violations({ type: 'audio', media: { size: 2000, mimeType: 'audio/mpeg' }, caption: 'x' }, RICH);
    expect(problems).toEqual([
      'audio is 2000 bytes, this channel takes at most 1000',
      'audio is audio/mpeg, this channel takes audio/ogg',
      'this channel carries no caption',
    ]);
  });

  const word = fc.string({ maxLength: 30 });
  const content: fc.Arbitrary<Content> = fc.oneof(
    fc.record({ type: fc.constant('text' as const), text: fc.string({ maxLength: 2000 }) }),
    fc.record({
      type: fc.constantFrom('image' as const, 'audio' as const, 'sticker' as const),
      media: fc.record({ url: fc.webUrl(), size: fc.nat(2000) }),
      caption: fc.option(word, { nil: undefined }),
    }),
    fc.record({
      type: fc.constant('location' as const),
      latitude: fc.double({ min: -90, max: 90, noNaN: true }),
      longitude: fc.double({ min: -180, max: 180, noNaN: true }),
    }),
    fc.record({
      type: fc.constant('choices' as const),
      text: word,
      choices: fc.array(fc.record({ id: word, title: word }), { maxLength: 12 }),
    }),
    fc.record({
      type: fc.constant('list' as const),
      text: word,
      button: word,
      sections: fc.array(fc.record({ rows: fc.array(fc.record({ id: word, title: word }), { maxLength: 5 }) }), { maxLength: 4 }),
    }),
  );
  it('gives only what the channel carries, says what changed, and is stable', () => {
    fc.assert(
      fc.property(content, fc.constantFrom(BARE, RICH), (item, capabilities) => {
        const result = degrade(item, capabilities);
        if (result.outcome === 'refused') {
          expect(result.problems.length).toBeGreaterThan(0);
          return;
        }
        expect(violations(result.content, capabilities)).toEqual([]);
        expect(degrade(result.content, capabilities)).toEqual({ outcome: 'as-is', content: result.content });
        if (result.outcome === 'as-is') expect(result.content).toBe(item);
        else expect(result.changes.length).toBeGreaterThan(0);
      }),
    );
  });
});
