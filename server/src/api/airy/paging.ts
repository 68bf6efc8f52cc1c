export interface Pagination {
  previous_cursor: string | null;
  next_cursor: string | null;
  total: number;
}

/** Airy's `pagination_data`. */
export function pageOf(previous: string | null, next: string | null, total: number): Pagination {
  return { previous_cursor: previous, next_cursor: next, total };
}
