import { titleOf } from '../components/field-title.ts';
import { fullTime } from '../components/time.ts';

export interface Fact {
  label: string;
  value: string;
  /** The moment that the value tells roughly. */
  exact?: string | null;
}

const ABBREVIATIONS = /\b(id|sid|waba|url|sms|mms|api)\b/gi;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d/;

/** What a connector keeps about an account, as people read it; what is no single value is left out. */
export function detailFacts(details: Record<string, unknown>): Fact[] {
  return Object.entries(details).flatMap(([name, value]): Fact[] => {
    const words = wordsOf(value);
    if (words === undefined) return [];
    return [{ label: titleOf(name, {}).replace(ABBREVIATIONS, (word) => word.toUpperCase()), value: words }];
  });
}

function wordsOf(value: unknown): string | undefined {
  if (typeof value === 'boolean') return value ? 'Yes' : 'No';
  if (typeof value === 'number') return String(value);
  if (typeof value !== 'string' || value === '') return undefined;
  if (TIME.test(value)) return fullTime(value);
  // A provider's CONSTANT in ordinary letters.
  return /^[A-Z][A-Z_]+$/.test(value) ? titleOf(value.toLowerCase(), {}) : value;
}
