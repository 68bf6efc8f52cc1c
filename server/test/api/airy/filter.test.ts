import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Filter, FilterError, type PatternPart, parseFilter } from '../../../src/api/airy/filter.ts';
import { filterCondition } from '../../../src/api/airy/filter-sql.ts';
import { listConversations } from '../../../src/store/conversations.ts';
import { type TestDatabase, testDatabase } from '../../support/database.ts';

const term = (field: string, text: string, quoted = false): Filter => ({ type: 'term', field, pattern: [{ text }], quoted });
const a = term('id', 'a');
const b = term('id', 'b');
const c = term('id', 'c');

describe('the grammar', () => {
  it.each<[string, Filter]>([
    ['', { type: 'all' }],
    ['*:*', { type: 'all' }],
    ['a', a],
    ['a b', { type: 'clauses', must: [], should: [a, b], not: [] }],
    ['a OR b', { type: 'clauses', must: [], should: [a, b], not: [] }],
    ['a || b', { type: 'clauses', must: [], should: [a, b], not: [] }],
    ['a AND b', { type: 'clauses', must: [a, b], should: [], not: [] }],
    ['a && b', { type: 'clauses', must: [a, b], should: [], not: [] }],
    ['a OR b AND c', { type: 'clauses', must: [b, c], should: [a], not: [] }],
    ['a AND NOT b', { type: 'clauses', must: [a], should: [], not: [b] }],
    ['+a -b !c', { type: 'clauses', must: [a], should: [], not: [b, c] }],
    ['NOT a', { type: 'clauses', must: [], should: [], not: [a] }],
    ['(a b) AND c', { type: 'clauses', must: [{ type: 'clauses', must: [], should: [a, b], not: [] }, c], should: [], not: [] }],
    ['source:(facebook OR google)', { type: 'clauses', must: [], should: [term('source', 'facebook'), term('source', 'google')], not: [] }],
    ['display_name:"Ada \\"L\\""', term('display_name', 'Ada "L"', true)],
    ['id:98ce\\-1', term('id', '98ce-1')],
    ['id:98ce-1', term('id', '98ce-1')],
    ['a^2 b~0.5', { type: 'clauses', must: [], should: [a, b], not: [] }],
    ['id:*', { type: 'term', field: 'id', pattern: ['any'], quoted: false }],
    [
      'display_name:*Love?ace',
      { type: 'term', field: 'display_name', pattern: ['any', { text: 'Love' }, 'one', { text: 'ace' }], quoted: false },
    ],
    ['unread_count:[1 TO *]', { type: 'range', field: 'unread_count', from: '1', to: null, includesFrom: true, includesTo: true }],
    ['created_at:{5 TO 9]', { type: 'range', field: 'created_at', from: '5', to: '9', includesFrom: false, includesTo: true }],
  ])('reads %s', (text, filter) => {
    expect(parseFilter(text)).toEqual(filter);
  });

  it.each([
    '(',
    'a)',
    '"open',
    'AND a',
    'a AND',
    'a OR OR b',
    ':',
    'a:',
    'x:[1 TO',
    'x:[1 2]',
    '/a.*/',
    'a\\',
    '()',
    '+',
    `${'('.repeat(60)}a${')'.repeat(60)}`,
  ])('refuses %s', (text) => {
    expect(() => parseFilter(text)).toThrow(FilterError);
  });

  it('reads or refuses anything', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'ab:()[]{}"\\*?+-!^~/ &|', 'AND ', ' TO ', 'NOT ', 'id:') }), (text) => {
        try {
          parseFilter(text);
        } catch (error) {
          expect(error).toBeInstanceOf(FilterError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

interface Doc {
  id: string;
  channelId: string;
  source: string;
  name: string | null;
  tags: string[];
  unread: number;
  createdAt: number;
  state: string | null;
  data: string | null;
}

const NAMES = ['Grace Hopper', 'Ada Lovelace', 'ada', 'Ümit Öz', "O'Neil (x)", 'a*b', null];
const TAGS = [randomUUID(), randomUUID()];
const CREATED = [1_700_000_000_000, 1_700_000_000_001, 1_700_000_000_500];

describe('the answers', () => {
  let database: TestDatabase['database'];
  const workspaceId = randomUUID();
  const docs: Doc[] = [];

  beforeAll(async () => {
    ({ database } = await testDatabase());
    await database.query(`insert into workspaces (workspace_id, name) values ($1, 'w')`, [workspaceId]);
    const channels = ['facebook', 'twilio.sms'].map((source) => ({ id: randomUUID(), source }));
    for (const { id, source } of channels) {
      await database.query(
        `insert into channels (workspace_id, id, source, source_channel_id, name, status, account) values ($1, $2, $3, $3, $3, 'active', $3)`,
        [workspaceId, id, source],
      );
    }
    for (let n = 0; n < 42; n++) {
      const channel = channels[n % 2]!;
      const doc: Doc = {
        id: randomUUID(),
        channelId: channel.id,
        source: channel.source,
        name: NAMES[n % NAMES.length]!,
        tags: TAGS.filter((_, at) => (n >> at) & 1),
        unread: n % 4,
        createdAt: CREATED[n % 3]!,
        state: [null, 'OPEN', 'CLOSED'][(n >> 1) % 3]!,
        data: [null, 'abc', 'Two Words'][(n >> 2) % 3]!,
      };
      docs.push(doc);
      const contact = randomUUID();
      await database.query('insert into contacts (workspace_id, id, display_name) values ($1, $2, $3)', [workspaceId, contact, doc.name]);
      await database.query(
        `insert into conversations (workspace_id, id, channel_id, contact_id, state, tags, unread_count, metadata, last_message_at, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, now(), to_timestamp($9::double precision / 1000))`,
        [
          workspaceId,
          doc.id,
          doc.channelId,
          contact,
          doc.state,
          doc.tags,
          doc.unread,
          JSON.stringify(doc.data === null ? {} : { user_data: { erp: { id: doc.data } } }),
          doc.createdAt,
        ],
      );
    }
  });

  const found = async (text: string) => {
    const where = filterCondition(parseFilter(text));
    const page = await listConversations(database, workspaceId, { where, limit: 100, withTotal: true });
    expect(page.total).toBe(page.conversations.length);
    return page.conversations.map((conversation) => conversation.id).sort();
  };

  const texts = fc.constantFrom('display_name', 'metadata.state', 'metadata.user_data.erp.id', 'metadata.nothing.here');
  const words = fc.constantFrom('ada', 'Lovelace', 'grace', 'closed', 'OPEN', 'abc', 'two', 'Öz', "O'Neil", 'zz');
  const parts = fc.oneof(
    words.map((text): PatternPart[] => [{ text }]),
    words.map((text): PatternPart[] => ['any', { text: text.slice(1) }]),
    words.map((text): PatternPart[] => [{ text: text.slice(0, 2) }, 'any']),
    words.map(
      (text): PatternPart[] =>
        [{ text: text.slice(0, 1) }, 'one', { text: text.slice(2) }].filter(
          (part) => typeof part === 'string' || part.text,
        ) as PatternPart[],
    ),
    fc.constant<PatternPart[]>(['any']),
  );
  const numbers = (field: string, values: number[]) => {
    const value = fc.constantFrom(...values.map(String));
    return fc.oneof(
      value.map((text) => term(field, text)),
      fc
        .tuple(fc.option(value, { nil: null }), fc.option(value, { nil: null }), fc.boolean(), fc.boolean())
        .map(([from, to, includesFrom, includesTo]): Filter => ({ type: 'range', field, from, to, includesFrom, includesTo })),
    );
  };
  const leaf: fc.Arbitrary<Filter> = fc.oneof(
    fc.tuple(texts, parts).map(([field, pattern]): Filter => ({ type: 'term', field, pattern, quoted: false })),
    fc.constantFrom('Ada Lovelace', 'two words', 'lovelace ada').chain((text) => texts.map((field) => term(field, text, true))),
    numbers('unread_count', [0, 1, 2, 3]),
    numbers('created_at', [...CREATED, CREATED[0]! - 1]),
    fc.constantFrom(...TAGS).map((tag) => term('tag_ids', tag)),
    fc.constantFrom('facebook', 'twilio.sms', 'google').map((source) => term('source', source)),
    fc.nat(41).map((n): Filter => term('id', docs[n]!.id)),
    fc.constant<Filter>({ type: 'term', field: 'tag_ids', pattern: ['any'], quoted: false }),
    fc.constant(term('unknown_field', 'x')),
  );
  const trees = fc.letrec<{ tree: Filter }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      leaf,
      fc
        .record({
          must: fc.array(tie('tree'), { maxLength: 2 }),
          should: fc.array(tie('tree'), { maxLength: 3 }),
          not: fc.array(tie('tree'), { maxLength: 2 }),
        })
        .filter(({ must, should, not }) => must.length + should.length + not.length > 0)
        .map((clauses): Filter => ({ type: 'clauses', ...clauses })),
    ),
  })).tree;

  it('are those of a plain reading of the filter', { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(trees, async (tree) => {
        const expected = docs.filter((doc) => matches(tree, doc)).map((doc) => doc.id);
        expect(await found(written(tree))).toEqual(expected.sort());
      }),
      { numRuns: 400 },
    );
  });

  it('find by the name that is shown where nobody has one', async () => {
    const nameless = docs.find((doc) => doc.name === null && doc.source === 'twilio.sms')!;
    expect(await found(`display_name:"Sms ${nameless.id.slice(-5)}"`)).toEqual([nameless.id]);
  });

  it('are fit for what the inbox asks', async () => {
    const closed = docs.filter((doc) => doc.state === 'CLOSED').map((doc) => doc.id);
    expect(await found('metadata.state:CLOSED')).toEqual(closed.sort());
    expect(await found('id:* AND NOT metadata.state:CLOSED')).toHaveLength(docs.length - closed.length);
    const several = 'unread_count:[1 TO *] AND display_name:*ada* AND source:(facebook OR google)';
    const expected = docs.filter((doc) => doc.unread > 0 && /ada/i.test(doc.name ?? '') && doc.source === 'facebook');
    expect(await found(several)).toEqual(expected.map((doc) => doc.id).sort());
  });
});

/** A tree as somebody could write it. */
function written(filter: Filter): string {
  switch (filter.type) {
    case 'all':
      return '*:*';
    case 'term': {
      const text = filter.pattern.map((part) =>
        part === 'any' ? '*' : part === 'one' ? '?' : filter.quoted ? part.text : escaped(part.text),
      );
      return `${filter.field}:${filter.quoted ? `"${text.join('')}"` : text.join('')}`;
    }
    case 'range':
      return `${filter.field}:${filter.includesFrom ? '[' : '{'}${filter.from ?? '*'} TO ${filter.to ?? '*'}${filter.includesTo ? ']' : '}'}`;
    case 'clauses':
      return [
        ...filter.must.map((item) => `+(${written(item)})`),
        ...filter.should.map((item) => `(${written(item)})`),
        ...filter.not.map((item) => `-(${written(item)})`),
      ].join(' ');
  }
}

function escaped(text: string): string {
  return text.replace(/[\s+\-!(){}[\]^"~*?:\\/&|]/g, '\\$&');
}

/** The same question, asked of one document without any database. */
function matches(filter: Filter, doc: Doc): boolean {
  switch (filter.type) {
    case 'all':
      return true;
    case 'clauses': {
      const { must, should, not } = filter;
      if (must.length === 0 && should.length === 0) return false;
      if (not.some((item) => matches(item, doc))) return false;
      return must.length > 0 ? must.every((item) => matches(item, doc)) : should.some((item) => matches(item, doc));
    }
    case 'range': {
      const value = filter.field === 'unread_count' ? doc.unread : doc.createdAt;
      const above = filter.from === null || (filter.includesFrom ? value >= Number(filter.from) : value > Number(filter.from));
      const below = filter.to === null || (filter.includesTo ? value <= Number(filter.to) : value < Number(filter.to));
      return above && below;
    }
    case 'term':
      return matchesTerm(filter, doc);
  }
}

function matchesTerm({ field, pattern, quoted }: Extract<Filter, { type: 'term' }>, doc: Doc): boolean {
  const anything = pattern[0] === 'any' && pattern.length === 1;
  const plain = typeof pattern[0] === 'object' ? pattern[0].text : '';
  const text: Record<string, string | null> = {
    display_name: doc.name ?? `${doc.source === 'facebook' ? 'Facebook' : 'Sms'} ${doc.id.slice(-5)}`,
    'metadata.state': doc.state,
    'metadata.user_data.erp.id': doc.data,
  };
  switch (field) {
    case 'id':
      return doc.id === plain;
    case 'source':
      return doc.source === plain;
    case 'tag_ids':
      return anything ? doc.tags.length > 0 : doc.tags.includes(plain);
    case 'unread_count':
      return doc.unread === Number(plain);
    case 'created_at':
      return doc.createdAt === Number(plain);
    default: {
      const value = text[field]?.toLowerCase();
      if (value === undefined || value === null) return false;
      const words = value.split(/\s+/);
      if (anything) return true;
      if (quoted) return ` ${words.join(' ')} `.includes(` ${plain.toLowerCase()} `);
      const regex = pattern.map((part) =>
        part === 'any' ? '.*' : part === 'one' ? '.' : part.text.toLowerCase().replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'),
      );
      return words.some((word) => new RegExp(`^${regex.join('')}$`, 'u').test(word));
    }
  }
}
