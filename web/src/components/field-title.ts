import type { Schema } from '../api/types.ts';

/** A field's own title; where its connector gave none, its name in words. */
export function titleOf(name: string, schema: Schema): string {
  if (schema.title) return schema.title;
  const words = name.replace(/([a-z])([A-Z])/g, '$1 $2').replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1).toLowerCase();
}
