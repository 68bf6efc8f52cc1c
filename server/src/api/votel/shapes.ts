/** What every object of the Votel surface has in common: pages, ids, names, times. */
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type { FastifyInstance } from 'fastify';
import Type from 'typebox';
import { notFound } from '../../model/errors.ts';
import { isUuid } from '../../model/ids.ts';

/** An app with our type provider: routes are typed by their schemas. */
export type VotelApp = ReturnType<typeof typed>;

export function typed(app: FastifyInstance) {
  return app.withTypeProvider<TypeBoxTypeProvider>();
}

/** `page` from 1 and `page_size` (20, at most 100). */
export const Page = {
  page: Type.Integer({ minimum: 1, maximum: 1_000_000, default: 1 }),
  page_size: Type.Integer({ minimum: 1, maximum: 100, default: 20 }),
};

export function rangeOf(query: { page: number; page_size: number }): { limit: number; offset: number } {
  return { limit: query.page_size, offset: (query.page - 1) * query.page_size };
}

export function pageOf(total: number, query: { page: number; page_size: number }) {
  return { total, page: query.page, page_size: query.page_size, total_pages: Math.ceil(total / query.page_size) };
}

export const Id = Type.Object({ id: Type.String() });
export const Name = Type.String({ minLength: 1, maxLength: 200 });
/** Ids of other objects in a body; an empty one is none. */
export const Ref = Type.String({ maxLength: 100 });
export const Metadata = Type.Record(Type.String(), Type.Unknown());

/** What an id names. Throws `not-found` also for what is no id at all. */
export async function found<T>(what: string, id: string, load: (id: string) => Promise<T | undefined>): Promise<T> {
  const row = isUuid(id) ? await load(id.toLowerCase()) : undefined;
  if (row === undefined) throw notFound(what);
  return row;
}

/** Whole seconds, `…Z` (decisions.md B33). */
export function timeOf(date: Date): string {
  return date.toISOString().replace(/\.\d{3}Z$/, 'Z');
}
