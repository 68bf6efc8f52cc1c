import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Capabilities, Message, StoredMedia } from '../src/api/types.ts';
import { detailFacts } from '../src/channels/details.ts';
import { initialsOf, personName } from '../src/components/person.ts';
import { ago, shortTime, timeLeft } from '../src/components/time.ts';
import { compose } from '../src/inbox/compose.ts';
import { linkParts } from '../src/inbox/content/links.ts';
import { bytes } from '../src/inbox/content/size.ts';
import { groupMessages } from '../src/inbox/grouping.ts';
import { otherReaders } from '../src/inbox/mail-readers.ts';
import { summaryOf } from '../src/inbox/summary.ts';
import { obstacleOf } from '../src/inbox/use-attachments.ts';

const hrefs = (text: string) => linkParts(text).flatMap(({ href }) => (href ? [href] : []));

describe('links in a text', () => {
  it('end before the punctuation behind them', () => {
    expect(hrefs('See https://example.com/a?b=1, or (www.example.org). Write to me@example.com!')).toEqual([
      'https://example.com/a?b=1',
      'https://www.example.org',
      'mailto:me@example.com',
    ]);
    expect(hrefs('https://en.wikipedia.org/wiki/Fern_(plant)')).toEqual(['https://en.wikipedia.org/wiki/Fern_(plant)']);
  });

  it('are never anything but web and mail addresses, and the text stays whole', () => {
    const pieces = fc.array(
      fc.oneof(fc.string(), fc.webUrl(), fc.constantFrom('javascript:alert(1)', 'data:text/html,x', 'a@b.c', '(', ')')),
    );
    fc.assert(
      fc.property(pieces, (parts) => {
        const text = parts.join(' ');
        expect(
          linkParts(text)
            .map(({ part }) => part)
            .join(''),
        ).toBe(text);
        for (const href of hrefs(text)) expect(href).toMatch(/^(https?:\/\/|mailto:)/i);
      }),
    );
  });
});

const stored = (mimeType: string): StoredMedia => ({ id: 'm', mediaUrl: 'https://p.example/m', mimeType, size: 10, filename: 'f' });
const media = (caption: number): Partial<Capabilities> => ({ media: { image: { maxBytes: 100, types: ['*'], caption } } });

describe('what was written becomes messages that the channel can carry', () => {
  it.each([
    ['text alone', 'hi', [], {}, ['text']],
    ['a picture with a caption', 'hi', [stored('image/png')], media(100), ['image']],
    ['a picture where no caption goes', 'hi', [stored('image/png')], media(0), ['image', 'text']],
    ['several files, then the text', 'hi', [stored('image/png'), stored('application/pdf')], media(100), ['image', 'file', 'text']],
    ['a mail takes all at once', 'hi', [stored('image/png'), stored('application/pdf')], { email: true }, ['text']],
    ['nothing', '', [], {}, []],
  ] as const)('%s', (_name, text, files, capabilities, expected) => {
    expect(compose(text, [...files], capabilities).map(({ body }) => body.type)).toEqual(expected);
  });

  it('refuses files that the channel cannot carry before they are uploaded', () => {
    expect(obstacleOf({ type: 'image/png', size: 50 }, media(0))).toBeUndefined();
    expect(obstacleOf({ type: 'image/png', size: 101 }, media(0))).toContain('Too large');
    expect(obstacleOf({ type: 'video/mp4', size: 1 }, media(0))).toContain('cannot carry');
  });
});

describe('messages in a thread', () => {
  const at = (minute: number, direction: string): Message =>
    ({
      id: `${minute}`,
      direction,
      createdAt: new Date(2026, 0, 1, 12, minute).toISOString(),
      content: { type: 'text', text: '' },
    }) as Message;

  it('are together while one writer goes on', () => {
    const [day] = groupMessages([at(0, 'incoming'), at(1, 'incoming'), at(2, 'outgoing'), at(3, 'incoming'), at(20, 'incoming')]);
    expect(day!.groups.map(({ messages }) => messages.length)).toEqual([2, 1, 1, 1]);
  });

  it('say in one line what they are', () => {
    expect(summaryOf({ type: 'text', text: 'two\nlines' })).toBe('two lines');
    expect(summaryOf({ type: 'image', media: {} })).toBe('Photo');
    expect(summaryOf({ type: 'file', media: { filename: 'a.pdf' } })).toBe('File: a.pdf');
  });
});

describe('an answer to all', () => {
  const mail = (direction: string, from: string, to: string[], cc: string[] = []) =>
    ({
      direction,
      content: {
        type: 'email',
        subject: '',
        text: '',
        from: { address: from },
        to: to.map((address) => ({ address })),
        cc: cc.map((address) => ({ address })),
      },
    }) as Message;

  it('goes to those who read the newest mail that came in, each once', () => {
    const own = 'Help@shop.example';
    const newest = mail(
      'incoming',
      'ann@c.example',
      ['help@shop.example', 'Ben@c.example'],
      ['ben@c.example', 'carl@c.example', 'ann@c.example'],
    );
    const older = mail('incoming', 'ann@c.example', ['help@shop.example'], ['gone@c.example']);
    const ours = mail('outgoing', 'help@shop.example', ['dora@c.example']);
    expect(otherReaders([ours, newest, older], own, ['ann@c.example'])).toEqual(['Ben@c.example', 'carl@c.example']);
    expect(otherReaders([ours], own, [])).toEqual([]);
  });
});

describe('what a provider says of an account', () => {
  it('is read as people read it', () => {
    expect(detailFacts({ waba_id: '52', isOnBizApp: false, tier: 'TIER_1K', name_status: 'NOT_YET', nested: {}, empty: '' })).toEqual([
      { label: 'WABA ID', value: '52' },
      { label: 'Is on biz app', value: 'No' },
      { label: 'Tier', value: 'TIER_1K' },
      { label: 'Name status', value: 'Not yet' },
    ]);
  });
});

describe('times, sizes and names', () => {
  it('are said as people say them', () => {
    const now = new Date('2026-03-10T12:00:00').getTime();
    expect(ago(null)).toBe('never');
    expect(ago(new Date(now - 1000).toISOString(), now)).toBe('just now');
    expect(timeLeft(90 * 60_000)).toBe('1 h 30 min');
    expect(timeLeft(1)).toBe('1 min');
    expect(shortTime(new Date(now - 400 * 24 * 3600_000).toISOString(), new Date(now))).toMatch(/2025/);
    expect(bytes(0)).toBe('0 B');
    expect(bytes(1_234_567)).toBe('1.2 MB');
    expect(personName('01a1fc4e-3410-73f3-b965-34e02ed8674d')).toBe('Visitor 674d');
    expect(personName('Ada')).toBe('Ada');
    expect(['Ada Lovelace', '🦊 Fox', '+491701234567', '李小龙', '“Otto”', 'émile de Zola'].map(initialsOf)).toEqual([
      'AL',
      'F',
      '',
      '李',
      'O',
      'ÉZ',
    ]);
  });
});
