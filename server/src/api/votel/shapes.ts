/** What every object of the Votel surface has in common: pages, ids, names, times. */
import Type from 'typebox';
import { notFound } from '../../model/errors.ts';
import { isUuid } from '../../model/ids.ts';
import { maySee } from '../access.ts';
import type { Principal } from '../auth.ts';

/** `page` from 1 and `page_size` (20, at most 100). */
export const Page = {
  page: Type.Integer({ minimum: 1, default: 1 }),
  page_size: Type.Integer({ minimum: 1, maximum: 100, default: 20 }),
};

export function rangeOf(query: { page: number; page_size: number }): { limit: number; offset: number } {
  return { limit: query.page_size, offset: (query.page - 1) * query.page_size };
}

export function pageOf(total: number, query: { page: number; page_size: number }) {
  return { total, page: query.page, page_size: query.page_size, total_pages: Math.ceil(total / query.page_size) };
}

export const Id = Type.Object({ id: Type.String() });
export const Name = Type.String({ minLength: 1, maxLength: 200, pattern: '\\S' });
/** Ids of other objects in a body. */
export const Ref = Type.String({ minLength: 1, maxLength: 100 });
export const Search = Type.Optional(Type.String({ maxLength: 300 }));
export const Metadata = Type.Record(Type.String(), Type.Unknown());

/** What an id names. Throws `not-found` also for what is no id at all, and for what the caller may not see. */
export async function found<T extends { sandbox: boolean }>(
  what: string,
  id: string,
  principal: Principal,
  load: (id: string) => Promise<T | undefined>,
): Promise<T> {
  const row = isUuid(id) ? await load(id.toLowerCase()) : undefined;
  if (row === undefined || !maySee(principal, row)) throw notFound(what);
  return row;
}
