/**
 * JSON that PostgreSQL accepts: it has no place for NUL characters and lone surrogates, which customers' phones and
 * broken mails do send. They become the replacement character; the raw event keeps the original bytes.
 */
export function toJson(value: unknown): string {
  const text = JSON.stringify(value);
  return isSuspicious(text) ? JSON.stringify(cleanJson(JSON.parse(text))) : text;
}

/** True for JSON text that may hold what PostgreSQL has no place for. */
export function isSuspicious(json: string): boolean {
  return json.includes('\\u0000') || /\\ud/i.test(json);
}

/** The same for a value that was read from JSON: names of members too. */
export function cleanJson(value: unknown): unknown {
  if (typeof value === 'string') return cleanText(value);
  if (Array.isArray(value)) return value.map(cleanJson);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [cleanText(name), cleanJson(member)]));
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
