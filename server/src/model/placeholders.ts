/** The placeholders of a template's text, each once, in order of appearance: `{{1}}` gives `1`, `{{ name }}` gives `name`. */
export function placeholdersOf(text: string): string[] {
  return [...new Set([...text.matchAll(/\{\{\s*([^{}]+?)\s*\}\}/g)].map((match) => match[1]!))];
}
