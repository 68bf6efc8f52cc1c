import type { Texts } from './texts.ts';

/** Every two-letter file beside this one is a language: adding one is adding a file. */
const files = import.meta.glob<Texts>('./??.ts', { eager: true, import: 'default' });

/** The first of the wanted languages (`de-AT`, `de`, …) that there is a file for, else English. */
export function pickLanguage(wanted: readonly string[]): { language: string; texts: Texts } {
  for (const tag of [...wanted, 'en']) {
    const texts = files[`./${tag.slice(0, 2).toLowerCase()}.ts`];
    if (texts) return { language: tag, texts };
  }
  throw new Error('languages/en.ts is missing');
}

/** Puts values into a text's `{placeholders}`. */
export function fill(text: string, values: Record<string, string | number>): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
}
