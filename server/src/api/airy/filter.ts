/**
 * The filter language of `conversations.list`: the classic Lucene query syntax with OR as the default operator
 * (airy.md 1.5). Text → a tree; `filter-sql.ts` makes SQL of it. Boosts and similarity marks are read and mean nothing.
 */

export type Filter =
  | { type: 'all' }
  /** Every `must`, no `not`, and one of `should` when there is no `must`. Nothing but `not` finds nothing. */
  | { type: 'clauses'; must: Filter[]; should: Filter[]; not: Filter[] }
  | { type: 'term'; field: string; pattern: PatternPart[]; quoted: boolean }
  | { type: 'range'; field: string; from: string | null; to: string | null; includesFrom: boolean; includesTo: boolean };

/** Plain text, `*` (anything) or `?` (one character). */
export type PatternPart = { text: string } | 'any' | 'one';

export class FilterError extends Error {}

const MAX_LENGTH = 20_000;
const MAX_DEPTH = 50;
/** As Lucene's own limit. */
const MAX_CLAUSES = 1024;
const DEFAULT_FIELD = 'id';

type Token =
  | { kind: '(' | ')' | 'and' | 'or' | 'not' | '+' | '-' | 'end'; at: number }
  | { kind: 'field'; name: string; at: number }
  | { kind: 'term'; pattern: PatternPart[]; quoted: boolean; at: number }
  | { kind: 'range'; range: Omit<Extract<Filter, { type: 'range' }>, 'type' | 'field'>; at: number };

/** Reads a filter. Throws `FilterError` that says what is wrong and where. Empty text finds everything. */
export function parseFilter(text: string): Filter {
  if (text.trim() === '') return { type: 'all' };
  if (text.length > MAX_LENGTH) throw new FilterError(`the filter is longer than ${MAX_LENGTH} characters`);
  return new Parser(new Lexer(text).tokens()).parse();
}

const SPACE = /[\s\u3000]/;
const ENDS_TERM = /[\s\u3000!(){}[\]":^~/]/;

class Lexer {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  tokens(): Token[] {
    const tokens: Token[] = [];
    for (;;) {
      while (this.#at < this.#text.length && SPACE.test(this.#text[this.#at]!)) this.#at++;
      if (this.#at >= this.#text.length) break;
      const token = this.#next();
      if (token) tokens.push(token);
      if (tokens.length > MAX_CLAUSES * 4) throw new FilterError('too many clauses');
    }
    tokens.push({ kind: 'end', at: this.#at });
    return tokens;
  }

  #next(): Token | undefined {
    const at = this.#at;
    const char = this.#text[at]!;
    switch (char) {
      case '(':
      case ')':
      case '+':
      case '-':
        this.#at++;
        return { kind: char, at };
      case '!':
        this.#at++;
        return { kind: 'not', at };
      case '"':
        return { kind: 'term', pattern: [{ text: this.#quoted() }], quoted: true, at };
      case '[':
      case '{':
        return this.#range();
      case '^':
      case '~':
        this.#at++;
        this.#number();
        return undefined;
      case '/':
        throw new FilterError(`regular expressions are not supported (at ${at})`);
      case ':':
      case ']':
      case '}':
        throw new FilterError(`"${char}" was not expected at ${at}`);
      default:
        return this.#word();
    }
  }

  #word(): Token {
    const at = this.#at;
    const pattern: PatternPart[] = [];
    let plain = '';
    let escaped = false;
    const flush = () => {
      if (plain) pattern.push({ text: plain });
      plain = '';
    };
    while (this.#at < this.#text.length) {
      const char = this.#text[this.#at]!;
      if (char === '\\') {
        plain += this.#escape();
        escaped = true;
        continue;
      }
      if (ENDS_TERM.test(char)) break;
      if (char === '*' || char === '?') {
        flush();
        pattern.push(char === '*' ? 'any' : 'one');
      } else plain += char;
      this.#at++;
    }
    flush();
    const written = this.#text.slice(at, this.#at);
    if (this.#text[this.#at] === ':' && pattern.length > 0) {
      const everything = written === '*' && this.#text[this.#at + 1] === '*';
      if (!everything && pattern.some((part) => typeof part === 'string')) throw new FilterError(`"${written}" is no field (at ${at})`);
      this.#at++;
      return { kind: 'field', name: everything ? '*' : pattern.map((part) => (typeof part === 'string' ? '' : part.text)).join(''), at };
    }
    if (!escaped) {
      if (written === 'AND' || written === '&&') return { kind: 'and', at };
      if (written === 'OR' || written === '||') return { kind: 'or', at };
      if (written === 'NOT') return { kind: 'not', at };
    }
    if (pattern.length === 0) throw new FilterError(`something was expected at ${at}`);
    return { kind: 'term', pattern, quoted: false, at };
  }

  #quoted(): string {
    const at = this.#at++;
    let text = '';
    while (this.#text[this.#at] !== '"') {
      if (this.#at >= this.#text.length) throw new FilterError(`the quote that begins at ${at} does not end`);
      text += this.#text[this.#at] === '\\' ? this.#escape() : this.#text[this.#at++];
    }
    this.#at++;
    return text;
  }

  #escape(): string {
    const at = this.#at++;
    const char = this.#text[this.#at];
    if (char === undefined) throw new FilterError(`nothing follows the backslash at ${at}`);
    this.#at++;
    const hex = char === 'u' ? /^[0-9a-fA-F]{4}/.exec(this.#text.slice(this.#at, this.#at + 4)) : null;
    if (!hex) return char;
    this.#at += 4;
    return String.fromCharCode(Number.parseInt(hex[0], 16));
  }

  #number(): void {
    while (this.#at < this.#text.length && /[0-9.]/.test(this.#text[this.#at]!)) this.#at++;
  }

  #range(): Token {
    const at = this.#at;
    const includesFrom = this.#text[this.#at++] === '[';
    const from = this.#bound(at);
    const to = this.#bareWord(at);
    if (to !== 'TO') throw new FilterError(`the range at ${at} needs TO`);
    const end = this.#bound(at);
    this.#spaces();
    const close = this.#text[this.#at++];
    if (close !== ']' && close !== '}') throw new FilterError(`the range that begins at ${at} does not end`);
    return { kind: 'range', at, range: { from, to: end, includesFrom, includesTo: close === ']' } };
  }

  #bound(at: number): string | null {
    this.#spaces();
    if (this.#text[this.#at] === '"') return this.#quoted();
    const word = this.#bareWord(at);
    return word === '*' ? null : word;
  }

  #bareWord(at: number): string {
    this.#spaces();
    let word = '';
    while (this.#at < this.#text.length && !/[\s\u3000\]}]/.test(this.#text[this.#at]!)) {
      word += this.#text[this.#at] === '\\' ? this.#escape() : this.#text[this.#at++];
    }
    if (word === '') throw new FilterError(`the range that begins at ${at} is not complete`);
    return word;
  }

  #spaces(): void {
    while (this.#at < this.#text.length && SPACE.test(this.#text[this.#at]!)) this.#at++;
  }
}

class Parser {
  readonly #tokens: Token[];
  #next = 0;
  #clauses = 0;
  #depth = 0;

  constructor(tokens: Token[]) {
    this.#tokens = tokens;
  }

  parse(): Filter {
    const filter = this.#group(DEFAULT_FIELD);
    const rest = this.#peek();
    if (rest.kind !== 'end') throw new FilterError(`"${rest.kind}" was not expected at ${rest.at}`);
    return filter;
  }

  /** Clauses until the end or a closing parenthesis. AND makes both of its neighbours required, as in Lucene. */
  #group(field: string): Filter {
    if (++this.#depth > MAX_DEPTH) throw new FilterError(`parentheses are nested more than ${MAX_DEPTH} deep`);
    const clauses: { filter: Filter; occurs: 'must' | 'should' | 'not' }[] = [];
    for (;;) {
      const joint = this.#joint(clauses.length > 0);
      const sign = this.#sign();
      if (joint === 'and') {
        const before = clauses.at(-1)!;
        if (before.occurs === 'should') before.occurs = 'must';
      }
      const filter = this.#clause(field);
      if (++this.#clauses > MAX_CLAUSES) throw new FilterError(`there are more than ${MAX_CLAUSES} clauses`);
      clauses.push({ filter, occurs: sign ?? (joint === 'and' ? 'must' : 'should') });
      const { kind } = this.#peek();
      if (kind === 'end' || kind === ')') break;
    }
    this.#depth--;
    if (clauses.length === 1 && clauses[0]!.occurs !== 'not') return clauses[0]!.filter;
    const those = (occurs: string) => clauses.filter((clause) => clause.occurs === occurs).map((clause) => clause.filter);
    return { type: 'clauses', must: those('must'), should: those('should'), not: those('not') };
  }

  #joint(possible: boolean): 'and' | 'or' | undefined {
    const token = this.#peek();
    if (token.kind !== 'and' && token.kind !== 'or') return undefined;
    if (!possible) throw new FilterError(`${token.kind.toUpperCase()} was not expected at ${token.at}`);
    this.#next++;
    return token.kind;
  }

  #sign(): 'must' | 'not' | undefined {
    const { kind } = this.#peek();
    if (kind !== '+' && kind !== '-' && kind !== 'not') return undefined;
    this.#next++;
    return kind === '+' ? 'must' : 'not';
  }

  #clause(field: string): Filter {
    const token = this.#peek();
    this.#next++;
    switch (token.kind) {
      case 'field': {
        if (token.name !== '*') return this.#clause(token.name);
        this.#next++;
        return { type: 'all' };
      }
      case '(': {
        const filter = this.#group(field);
        const close = this.#peek();
        if (close.kind !== ')') throw new FilterError(`the parenthesis at ${token.at} is not closed`);
        this.#next++;
        return filter;
      }
      case 'term':
        return { type: 'term', field, pattern: token.pattern, quoted: token.quoted };
      case 'range':
        return { type: 'range', field, ...token.range };
      default:
        throw new FilterError(token.kind === 'end' ? 'the filter ends too early' : `"${token.kind}" was not expected at ${token.at}`);
    }
  }

  #peek(): Token {
    return this.#tokens[this.#next] ?? this.#tokens.at(-1)!;
  }
}
