export interface Pagination {
  previous_cursor: string | null;
  next_cursor: string | null;
  total: number;
}

/** Airy's `pagination_data`. */
export function pageOf(previous: string | null, next: string | null, total: number): Pagination {
  return { previous_cursor: previous, next_cursor: next, total };
}

/** How many are asked for; as with Airy, what makes no sense is ten. */
export function sizeOf(asked: number | undefined, most = 1000): number {
  if (asked === undefined) return 20;
  return asked <= 0 ? 10 : Math.min(asked, most);
}
