/**
 * Filters over conversations as SQL conditions over `c` (conversations), `k` (contacts) and `h` (channels). Every value
 * is bound. Text is looked at as Lucene's whitespace analyser does: in lower case, word by word.
 */
import { isUuid } from '../../model/ids.ts';
import type { Condition } from '../../store/conversations.ts';
import { type Filter, FilterError, type PatternPart } from './filter.ts';

type Term = Extract<Filter, { type: 'term' }>;
type Range = Extract<Filter, { type: 'range' }>;

interface Field {
  term(term: Term): Condition;
  range(range: Range): Condition;
}

const ALWAYS: Condition = { sql: 'true', values: [] };
const NEVER: Condition = { sql: 'false', values: [] };
const MAX_WILDCARDS = 16;
/** Farther from now than any date that PostgreSQL knows as milliseconds. */
const MAX_NUMBER = 8_640_000_000_000_000;

/** The name that a conversation is shown with (`defaultName` in views.ts). */
const SHOWN_NAME = `coalesce(k.display_name, upper(left(substring(h.source from '[^.]*$'), 1)) || substr(substring(h.source from '[^.]*$'), 2) || ' ' || right(c.id::text, 5))`;

/** Throws `FilterError` for numbers that are none. */
export function filterCondition(filter: Filter): Condition {
  switch (filter.type) {
    case 'all':
      return ALWAYS;
    case 'term':
      return fieldOf(filter.field).term(filter);
    case 'range':
      return fieldOf(filter.field).range(filter);
    case 'clauses': {
      const { must, should, not } = filter;
      if (must.length === 0 && should.length === 0) return NEVER;
      const wanted = must.length > 0 ? join(must.map(filterCondition), ' and ') : join(should.map(filterCondition), ' or ');
      if (not.length === 0) return wanted;
      const unwanted = join(not.map(filterCondition), ' or ');
      return { sql: `(${wanted.sql} and not ${unwanted.sql})`, values: [...wanted.values, ...unwanted.values] };
    }
  }
}

function fieldOf(name: string): Field {
  switch (name) {
    case 'id':
      return identifier('c.id');
    case 'channel_id':
      return identifier('c.channel_id');
    case 'source':
      return exact('h.source', (value) => (value === 'chat_plugin' ? 'chatplugin' : value));
    case 'display_name':
    case 'metadata.contact.display_name':
      return text(SHOWN_NAME);
    case 'tag_ids':
      return tags;
    case 'unread_count':
    case 'metadata.unread_count':
      return unread;
    case 'created_at':
      return created;
    case 'metadata.state':
      return text('c.state');
    case 'metadata.contact.avatar_url':
      return text('k.avatar_url');
    default:
      if (name.startsWith('metadata.tags.')) return tag(name.slice('metadata.tags.'.length));
      if (name.startsWith('metadata.user_data.')) return text('c.metadata #>> $?::text[]', [name.split('.').slice(1)]);
      return nothing;
  }
}

const nothing: Field = { term: () => NEVER, range: () => NEVER };

function identifier(column: string): Field {
  return {
    term(term) {
      if (isAnything(term)) return ALWAYS;
      const value = plain(term);
      if (value === undefined) return { sql: `(${column}::text ~ $?)`, values: [wholeRegex(term.pattern)] };
      return isUuid(value) ? { sql: `(${column} = $?::uuid)`, values: [value] } : NEVER;
    },
    range: (range) => textRange(`${column}::text`, range),
  };
}

function exact(column: string, known: (value: string) => string): Field {
  return {
    term(term) {
      if (isAnything(term)) return ALWAYS;
      const value = plain(term);
      if (value === undefined) return { sql: `(${column} ~ $?)`, values: [wholeRegex(term.pattern)] };
      return { sql: `(${column} = $?)`, values: [known(value.toLowerCase())] };
    },
    range: (range) => textRange(column, range),
  };
}

function text(expression: string, values: unknown[] = []): Field {
  const lower = `lower(${expression})`;
  return {
    term(term) {
      if (isAnything(term)) return { sql: `(${expression} is not null)`, values };
      const value = plain(term);
      if (value === undefined) return found(`coalesce(${lower} ~ lower($?), false)`, values, wordRegex(regexOf(term.pattern)));
      const words = wordsOf(value);
      if (words.length === 0) return NEVER;
      const wanted = term.quoted ? [words.map(escapeRegex).join('[[:space:]]+')] : words.map(escapeRegex);
      return found(`coalesce(${lower} ~ lower($?), false)`, values, wordRegex(wanted.length === 1 ? wanted[0]! : `(${wanted.join('|')})`));
    },
    range(range) {
      const word = textRange('word', range);
      return {
        sql: `exists (select 1 from regexp_split_to_table(${lower}, '[[:space:]]+') word where ${word.sql})`,
        values: [...values, ...word.values],
      };
    },
  };
}

const tags: Field = {
  term(term) {
    if (isAnything(term)) return { sql: '(cardinality(c.tags) > 0)', values: [] };
    const value = plain(term);
    // Contained rather than equal to any: this one the index on tags answers.
    if (value !== undefined) return { sql: "(c.tags <> '{}' and c.tags @> array[$?]::text[])", values: [value.toLowerCase()] };
    return { sql: 'exists (select 1 from unnest(c.tags) tag where tag ~ $?)', values: [wholeRegex(term.pattern)] };
  },
  range(range) {
    const one = textRange('tag', range);
    return { sql: `exists (select 1 from unnest(c.tags) tag where ${one.sql})`, values: one.values };
  },
};

function tag(id: string): Field {
  const has: Condition = { sql: "(c.tags <> '{}' and c.tags @> array[$?]::text[])", values: [id.toLowerCase()] };
  return { term: (term) => (isAnything(term) ? has : NEVER), range: () => NEVER };
}

const unread: Field = {
  term(term) {
    if (isAnything(term)) return ALWAYS;
    return { sql: '(c.unread_count = $?::bigint)', values: [numberOf(plain(term))] };
  },
  range(range) {
    const { low, high } = numberRange(range);
    return all([
      ...(low === undefined ? [] : [{ sql: 'c.unread_count >= $?::bigint', values: [low] }]),
      // What the partial index on unread conversations can be told by.
      ...(low !== undefined && low >= 1 ? [{ sql: 'c.unread_count > 0', values: [] }] : []),
      ...(high === undefined ? [] : [{ sql: 'c.unread_count <= $?::bigint', values: [high] }]),
    ]);
  },
};

const created: Field = {
  term(term) {
    if (isAnything(term)) return ALWAYS;
    const at = numberOf(plain(term));
    return between(at, at);
  },
  range(range) {
    const { low, high } = numberRange(range);
    return between(low, high);
  },
};

/** Milliseconds; a stored time counts as the millisecond that it is in. */
function between(low: number | undefined, high: number | undefined): Condition {
  const inReach = (ms: number) => Math.min(Math.max(ms, -62_135_596_800_000), 253_402_300_799_000);
  return all([
    ...(low === undefined ? [] : [{ sql: 'c.created_at >= to_timestamp($?::double precision / 1000)', values: [inReach(low)] }]),
    ...(high === undefined ? [] : [{ sql: 'c.created_at < to_timestamp($?::double precision / 1000)', values: [inReach(high + 1)] }]),
  ]);
}

function textRange(expression: string, range: Range): Condition {
  const of = `${expression} collate "C"`;
  const limits = [
    ...(range.from === null ? [] : [{ sql: `${of} ${range.includesFrom ? '>=' : '>'} $?`, values: [range.from.toLowerCase()] }]),
    ...(range.to === null ? [] : [{ sql: `${of} ${range.includesTo ? '<=' : '<'} $?`, values: [range.to.toLowerCase()] }]),
  ];
  return all(limits.length > 0 ? limits : [{ sql: `${expression} is not null`, values: [] }]);
}

function numberRange(range: Range): { low: number | undefined; high: number | undefined } {
  const from = range.from === null ? undefined : numberOf(range.from);
  const to = range.to === null ? undefined : numberOf(range.to);
  return {
    low: from === undefined || range.includesFrom ? from : from + 1,
    high: to === undefined || range.includesTo ? to : to - 1,
  };
}

function numberOf(value: string | undefined): number {
  if (value === undefined || !/^-?\d{1,16}$/.test(value)) throw new FilterError(`"${value ?? '*'}" is no number`);
  return Math.min(Math.max(Number(value), -MAX_NUMBER), MAX_NUMBER);
}

/** `*` alone: whatever the field holds. */
function isAnything(term: Term): boolean {
  return term.pattern.length > 0 && term.pattern.every((part) => part === 'any');
}

/** The term as it is; undefined when it has wildcards. */
function plain(term: Term): string | undefined {
  const [only, ...rest] = term.pattern;
  if (only === undefined || rest.length > 0 || typeof only === 'string') return undefined;
  return only.text;
}

function wordsOf(value: string): string[] {
  return value.split(/[\s\u3000]+/).filter(Boolean);
}

/** No class of the regular expression has capitals, so that lower case changes nothing but the text in it. */
function regexOf(pattern: PatternPart[]): string {
  if (pattern.filter((part) => typeof part === 'string').length > MAX_WILDCARDS)
    throw new FilterError(`more than ${MAX_WILDCARDS} wildcards`);
  return pattern.map((part) => (part === 'any' ? '[^[:space:]]*' : part === 'one' ? '[^[:space:]]' : escapeRegex(part.text))).join('');
}

function wordRegex(regex: string): string {
  return `(^|[[:space:]])${regex}($|[[:space:]])`;
}

function wholeRegex(pattern: PatternPart[]): string {
  return `^${regexOf(pattern).toLowerCase()}$`;
}

/** Punctuation only: a backslash before a letter or a digit means something else. */
function escapeRegex(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}

function found(sql: string, values: unknown[], value: unknown): Condition {
  return { sql, values: [...values, value] };
}

function all(conditions: Condition[]): Condition {
  return conditions.length === 0 ? ALWAYS : join(conditions, ' and ');
}

function join(conditions: Condition[], by: string): Condition {
  return { sql: `(${conditions.map((condition) => condition.sql).join(by)})`, values: conditions.flatMap((condition) => condition.values) };
}
