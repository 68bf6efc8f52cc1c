import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { onlyEmoji, pieces, safeUrl, viewOf } from '../src/content.ts';
import { advanced, merge } from '../src/history.ts';
import { fill, pickLanguage } from '../src/languages/index.ts';

beforeAll(() => {
  Object.assign(globalThis, { location: new URL('https://shop.example/page') });
});

const plain = (words: string, rich = false) =>
  pieces(words, rich)
    .map((piece) => (typeof piece === 'string' ? piece : 'text' in piece ? piece.text : 'strong' in piece ? piece.strong : piece.em))
    .join('');

describe('texts', () => {
  it('links addresses, without the full stop behind them', () => {
    expect(pieces('See https://a.example/x?y=1, or write to me@a.example.')).toEqual([
      'See ',
      { href: 'https://a.example/x?y=1', text: 'https://a.example/x?y=1' },
      ',',
      ' or write to ',
      { href: 'mailto:me@a.example', text: 'me@a.example' },
      '.',
    ]);
  });

  it('never links to anything but the web, mail and phones (property)', () => {
    const words = fc.oneof(
      fc.string(),
      fc.constantFrom(
        'javascript:alert(1)',
        '[x](javascript:alert(1))',
        '[x](data:text/html,1)',
        'https://',
        'http://[',
        '[a](b)',
        '**b**',
      ),
    );
    fc.assert(
      fc.property(fc.array(words, { maxLength: 5 }), fc.boolean(), (parts, rich) => {
        for (const piece of pieces(parts.join(' '), rich))
          if (typeof piece === 'object' && 'href' in piece) expect(piece.href).toMatch(/^(https?|mailto|tel):/);
      }),
    );
  });

  it('loses no character of a plain text (property)', () => {
    const words = fc.oneof(fc.string({ unit: 'grapheme' }), fc.constantFrom('https://a.example/?)).', 'me@a.example', 'http://', '@'));
    fc.assert(
      fc.property(fc.array(words), (parts) => {
        expect(plain(parts.join(''))).toBe(parts.join(''));
      }),
    );
  });

  it('knows emoji from digits', () => {
    expect(onlyEmoji('👍🏽')).toBe(true);
    expect(onlyEmoji('❤️ 🎉')).toBe(true);
    expect(onlyEmoji('12')).toBe(false);
    expect(onlyEmoji('ok 👍')).toBe(false);
  });

  it('speaks the first language that it has, else English', () => {
    expect(pickLanguage(['pt-BR', 'fr-CA']).language).toBe('fr-CA');
    expect(pickLanguage(['xx']).texts.send).toBe('Send');
    expect(fill('{name} is larger than {size}', { name: '{size}', size: '1 MB' })).toBe('{size} is larger than 1 MB');
  });
});

describe('content', () => {
  it('loads only http, https and local pictures', () => {
    expect(safeUrl('javascript:alert(1)')).toBeUndefined();
    expect(safeUrl('data:text/html,x')).toBeUndefined();
    expect(safeUrl('/media/1')).toBe('https://shop.example/media/1');
    expect(viewOf({ attachment: { type: 'image', payload: { url: 'javascript:alert(1)' } } })).toEqual({ text: undefined, rich: false });
  });

  it('reads an attachment with its name', () => {
    expect(viewOf({ attachment: { type: 'file', payload: { url: 'https://a.example/m/terms%20of%20use.pdf' } } }).file).toEqual({
      kind: 'file',
      url: 'https://a.example/m/terms%20of%20use.pdf',
      name: 'terms of use.pdf',
    });
  });

  it('draws something for any content, and never throws (fuzz)', () => {
    const key = fc.constantFrom(
      'text',
      'attachment',
      'payload',
      'url',
      'type',
      'richCard',
      'standaloneCard',
      'cardContent',
      'carouselCard',
    );
    const more = fc.constantFrom(
      'cardContents',
      'suggestions',
      'reply',
      'action',
      'quick_replies',
      'title',
      'media',
      'contentInfo',
      'fileUrl',
    );
    const { content } = fc.letrec((tie) => ({
      content: fc.oneof(
        { depthSize: 'small' },
        fc.constantFrom(null, true, 3, '', 'https://a.example/%', 'x'),
        fc.array(tie('content'), { maxLength: 3 }),
        fc.dictionary(fc.oneof(key, more), tie('content'), { maxKeys: 4 }),
      ),
    }));
    fc.assert(
      fc.property(content, (value) => {
        viewOf(value);
      }),
      { numRuns: 3000 },
    );
  });
});

describe('history', () => {
  const message = (id: string, seconds: number, state = 'sent') => ({
    id,
    content: { text: id },
    sent_at: new Date(seconds * 1000).toISOString(),
    delivery_state: state,
    from_contact: false,
  });

  it('holds each message once, in order, however it arrives (property)', () => {
    const pool = ['a', 'b', 'c', 'd'].map((id, index) => message(id, index));
    fc.assert(
      fc.property(fc.array(fc.subarray(pool), { maxLength: 6 }), (batches) => {
        const merged = batches.reduce((known, batch) => merge(known, batch), merge([], []));
        expect(merged.map(({ id }) => id)).toEqual([...new Set(batches.flat().map(({ id }) => id))].sort());
      }),
    );
  });

  it('never lets a state fall back', () => {
    const read = message('a', 1, 'read');
    expect(advanced(read, 'delivered').delivery_state).toBe('read');
    expect(merge([read], [message('a', 1, 'delivered')])[0]?.delivery_state).toBe('read');
    expect(advanced(message('a', 1, 'PENDING'), 'sent').delivery_state).toBe('sent');
  });
});
