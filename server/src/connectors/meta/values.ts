/** Reading JSON that somebody else wrote: every reader gives undefined or an empty list instead of throwing. */

export type Json = Record<string, unknown>;

/** The value as an object; undefined for anything else, arrays included. */
export function record(value: unknown): Json | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : undefined;
}

/** The objects of a list; anything else in it is left out. */
export function records(value: unknown): Json[] {
  return Array.isArray(value) ? value.filter((item) => record(item) !== undefined) : [];
}

/** A non-empty string; numbers are written out, since providers are not of one mind about ids. */
export function text(value: unknown): string | undefined {
  if (typeof value === 'string') return value === '' ? undefined : value;
  return typeof value === 'number' && Number.isFinite(value) ? String(value) : undefined;
}

/** A finite number, also where it is written as a string. */
export function number(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined;
  if (typeof value !== 'string' || value.trim() === '') return undefined;
  const read = Number(value);
  return Number.isFinite(read) ? read : undefined;
}

/** A time given in milliseconds since 1970; undefined when it is none that a calendar knows. */
export function timeOfMs(value: unknown): Date | undefined {
  const ms = number(value);
  if (ms === undefined || ms <= 0) return undefined;
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? undefined : date;
}

/** A time given in seconds since 1970. */
export function timeOfSeconds(value: unknown): Date | undefined {
  const seconds = number(value);
  return seconds === undefined ? undefined : timeOfMs(seconds * 1000);
}

/** The object without its undefined members; undefined when nothing is left. */
export function compact(object: Json): Json | undefined {
  const entries = Object.entries(object).filter(([, value]) => value !== undefined);
  return entries.length === 0 ? undefined : Object.fromEntries(entries);
}

/** The digits of a telephone number however it is written. */
export function digitsOf(value: string): string {
  return value.replace(/\D/g, '');
}
