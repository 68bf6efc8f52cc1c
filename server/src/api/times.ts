/** Whole seconds, `…Z`: how the Aurion and Votel surfaces write times (decisions.md B33). */
export function timeOf(date: Date): string {
  return date.toISOString().replace(/\.\d{3}Z$/, 'Z');
}
