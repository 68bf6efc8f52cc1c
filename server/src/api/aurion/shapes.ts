/** What the routes of this surface share. */
import Type from 'typebox';

/** `limit` (25, at most 100) and `offset` (decisions.md B20). */
export const Page = {
  limit: Type.Integer({ minimum: 1, maximum: 100, default: 25 }),
  offset: Type.Integer({ minimum: 0, default: 0 }),
};

export const Id = Type.Object({ id: Type.String() });
export const Name = Type.String({ minLength: 1, maxLength: 200, pattern: '\\S' });

export function pageOf<T>(data: T[], total: number, page: { limit: number; offset: number }) {
  return { data, total, limit: page.limit, offset: page.offset };
}
