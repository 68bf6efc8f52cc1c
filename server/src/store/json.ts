/**
 * JSON that PostgreSQL accepts: it has no place for NUL characters and lone surrogates, which customers' phones and
 * broken mails do send. They become the replacement character; the raw event keeps the original bytes.
 */
export function toJson(value: unknown): string {
  const text = JSON.stringify(value);
  if (!text.includes('\\u0000') && !text.includes('\\ud')) return text;
  return JSON.stringify(value, (_key, item) => (typeof item === 'string' ? cleanText(item) : item));
}

/** The same for a single text column. */
export function cleanText(text: string): string {
  return text.replaceAll('\u0000', '\ufffd').toWellFormed();
}

/** The same text for the same value, also after a `jsonb` column put its keys into another order: for comparing. */
export function canonicalJson(value: unknown): string {
  const sorted = (_key: string, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part;
  return JSON.stringify(JSON.parse(toJson(value)), sorted);
}
