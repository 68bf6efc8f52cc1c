import type { InfiniteData } from '@tanstack/react-query';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { belongs, withConversation, withMessage } from '../src/api/cache.ts';
import type { Conversation, Message, Page } from '../src/api/types.ts';

const pagesOf = <T>(items: T[], size: number, more = false): InfiniteData<Page<T>, string> => {
  const pages: Page<T>[] = [];
  for (let at = 0; at < items.length || at === 0; at += size) {
    const last = at + size >= items.length;
    pages.push({ results: items.slice(at, at + size), ...(last && !more ? {} : { nextPageToken: `after ${at}` }) });
  }
  return { pages, pageParams: pages.map(String) };
};
const flat = <T>(data: InfiniteData<Page<T>, string>): T[] => data.pages.flatMap((page) => page.results);

const message = (second: number, text = ''): Message =>
  ({
    id: `m${String(second).padStart(4, '0')}`,
    createdAt: new Date(second * 1000).toISOString(),
    content: { type: 'text', text },
  }) as Message;

describe('messages of the stream in a thread', () => {
  it('come into their places once, whatever the order and however often they are told', () => {
    const seconds = fc.uniqueArray(fc.nat(500), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(seconds, fc.array(fc.nat(39)), fc.integer({ min: 1, max: 7 }), (all, told, size) => {
        const known = all.slice(0, Math.ceil(all.length / 2)).sort((a, b) => b - a);
        let data = pagesOf(
          known.map((second) => message(second)),
          size,
        );
        const order = [...told.map((at) => all[at % all.length]!), ...all];
        for (const second of order) data = withMessage(data, message(second, 'told'));
        const shown = flat(data);
        expect(shown.map(({ id }) => id)).toEqual([...all].sort((a, b) => b - a).map((second) => message(second).id));
        expect(shown.every(({ content }) => content.type === 'text' && content.text === 'told')).toBe(true);
      }),
    );
  });

  it('leave what is older than everything read to the page that it comes with', () => {
    const data = pagesOf([message(30), message(20)], 2, true);
    expect(flat(withMessage(data, message(10)))).toHaveLength(2);
    expect(flat(withMessage(data, message(25))).map(({ id }) => id)).toEqual(['m0030', 'm0025', 'm0020']);
  });
});

const conversation = (id: string, second: number, fields: Partial<Conversation> = {}): Conversation =>
  ({
    id,
    status: 'active',
    channelId: 'c1',
    unreadCount: 0,
    tags: [],
    lastMessageAt: new Date(second * 1000).toISOString(),
    createdAt: new Date(0).toISOString(),
    ...fields,
  }) as Conversation;

describe('conversations of the stream in a list', () => {
  it('move to their place, and out of lists that they left', () => {
    const data = pagesOf([conversation('a', 30), conversation('b', 20), conversation('c', 10)], 2);
    const ids = (changed: InfiniteData<Page<Conversation>, string>) => flat(changed).map(({ id }) => id);
    expect(ids(withConversation(data, conversation('c', 40), { status: 'active' }))).toEqual(['c', 'a', 'b']);
    expect(ids(withConversation(data, conversation('n', 25), { status: 'active' }))).toEqual(['a', 'n', 'b', 'c']);
    expect(ids(withConversation(data, conversation('a', 30, { status: 'closed' }), { status: 'active' }))).toEqual(['b', 'c']);
    expect(ids(withConversation(data, conversation('a', 30), { status: 'active', unread: true }))).toEqual(['b', 'c']);
  });

  it.each([
    [{ status: 'active' }, true],
    [{ status: 'closed' }, false],
    [{ status: 'active', unread: true }, true],
    [{ status: 'active', channelId: 'c2' }, false],
    [{ status: 'active', tag: 'vip' }, true],
    [{ status: 'active', tag: 'other' }, false],
  ] as const)('belong to the list %o: %s', (filter, expected) => {
    expect(belongs(conversation('a', 1, { unreadCount: 2, tags: ['vip'] }), filter)).toBe(expected);
  });
});
