/** `{{variables}}` in saved replies. */

const VARIABLE = /\{\{\s*([a-zA-Z_][a-zA-Z0-9_.]*)\s*\}\}/g;

/** The names in a text, each once, in order. */
export function variablesIn(text: string): string[] {
  return [...new Set([...text.matchAll(VARIABLE)].map((match) => match[1]!))];
}

/** Fills in what is known. Unknown names stay as they were typed, and are listed. */
export function renderVariables(text: string, values: Record<string, string | undefined>): { text: string; unresolved: string[] } {
  const unresolved = new Set<string>();
  const rendered = text.replace(VARIABLE, (typed, name: string) => {
    const value = Object.hasOwn(values, name) ? values[name] : undefined;
    if (value === undefined) unresolved.add(name);
    return value ?? typed;
  });
  return { text: rendered, unresolved: [...unresolved] };
}
