/**
 * Page tokens: the last row's place in the order, in base64url. Rows that are added while somebody pages are before the
 * place or behind it, so nothing is lost and nothing comes twice, which no offset can promise.
 */
import { invalid } from '../../model/errors.ts';
import { isUuid } from '../../model/ids.ts';

/** A row's place in a list that is ordered by a time and an id. */
export interface Place {
  at: Date;
  id: string;
}

export function placeToken(place: Place): string {
  return encode([place.at.getTime(), place.id]);
}

/** The place that a token names; undefined without one. Throws `invalid` for what is no token of this list. */
export function placeOf(token: string | undefined): Place | undefined {
  if (token === undefined) return undefined;
  const [ms, id] = decode(token);
  if (!Number.isSafeInteger(ms) || Math.abs(ms as number) > 8.64e15 || !isUuid(id)) throw badToken();
  return { at: new Date(ms as number), id };
}

export function idToken(id: string): string {
  return encode([id]);
}

/** As `placeOf`, for lists that are ordered by id alone. */
export function idOf(token: string | undefined): string | undefined {
  if (token === undefined) return undefined;
  const parts = decode(token);
  if (parts.length !== 1 || !isUuid(parts[0])) throw badToken();
  return parts[0];
}

export function wordsToken(words: string[]): string {
  return encode(words);
}

/** As `placeOf`, for lists that are ordered by words; the last one is the row's id where `withId` is set. */
export function wordsOf(token: string | undefined, count: number, withId: boolean): string[] | undefined {
  if (token === undefined) return undefined;
  const words = decode(token);
  const strings = words.filter((word): word is string => typeof word === 'string' && !word.includes('\0'));
  if (strings.length !== count || words.length !== count || (withId && !isUuid(strings.at(-1)))) throw badToken();
  return strings;
}

/** A page from one row more than asked for: the extra row only says that there is a next page. */
export function page<Row>(rows: Row[], limit: number, token: (last: Row) => string): { rows: Row[]; nextPageToken?: string } {
  if (rows.length <= limit) return { rows };
  const kept = rows.slice(0, limit);
  return { rows: kept, nextPageToken: token(kept.at(-1)!) };
}

function encode(parts: unknown[]): string {
  return Buffer.from(JSON.stringify(parts)).toString('base64url');
}

function decode(token: string): unknown[] {
  try {
    const parts: unknown = JSON.parse(Buffer.from(token, 'base64url').toString('utf8'));
    if (Array.isArray(parts)) return parts;
  } catch {
    throw badToken();
  }
  throw badToken();
}

function badToken() {
  return invalid('pageToken', 'is no page token of this list');
}
