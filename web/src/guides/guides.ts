import { queryOptions } from '@tanstack/react-query';
import type { CatalogEntry, Schema } from '../api/types.ts';
import { choiceOf, type Values } from '../components/schema-values.ts';

/** The guides of the documentation, each loaded when somebody wants to read it. */
const GUIDES = import.meta.glob<string>('../../../docs/channels/*.md', { import: 'default' });

/** A guide as HTML; null where there is none of this name. */
export const guideQuery = (name: string) =>
  queryOptions({
    queryKey: ['guide', name],
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: async () => (await GUIDES[`../../../docs/${name}`]?.()) ?? null,
  });

/** Which guide is meant: that of a choice in the form where it has one of its own, else the source's. */
export function guideOf(entry: CatalogEntry, values: Values): string {
  const fields: [string, Schema][] = Object.entries(entry.inputSchema.properties ?? {});
  const chosen = fields.map(([name, field]) => choiceOf(field, values[name])?.guide).find((guide) => guide !== undefined);
  return chosen ?? entry.guide;
}
