/** The `{{1}}` and `{{name}}` in a template's texts. */
import { type Json, record, records, text } from '../values.ts';

const PLACEHOLDER = /\{\{\s*(\w+)\s*\}\}/g;

/** The names of a text's placeholders, each once, in order of appearance; numbers count from 1. */
export function placeholdersOf(words: unknown): string[] {
  if (typeof words !== 'string') return [];
  return [...new Set(Array.from(words.matchAll(PLACEHOLDER), (match) => match[1]!))];
}

/** The text with its placeholders replaced; those without a value stay as they are. */
export function fill(words: string, values: ReadonlyMap<string, string>): string {
  return words.replace(PLACEHOLDER, (whole, name: string) => values.get(name) ?? whole);
}

/** True when the names are words rather than numbers. */
export function isNamed(names: string[]): boolean {
  return names.some((name) => !/^\d+$/.test(name));
}

/**
 * Meta reviews a template by example values and refuses one without them: components that bring none get some.
 * developers.facebook.com/docs/whatsapp/business-management-api/message-templates/components
 */
export function withExamples(components: unknown[]): Json[] {
  return records(components).map((component) => {
    switch (text(component.type)?.toUpperCase()) {
      case 'BODY':
        return withTextExample(component, 'body_text', (values) => [values]);
      case 'HEADER':
        return withTextExample(component, 'header_text', (values) => values);
      case 'BUTTONS':
        return { ...component, buttons: records(component.buttons).map(withUrlExample) };
      case 'CAROUSEL':
        return {
          ...component,
          cards: records(component.cards).map((card) => ({ ...card, components: withExamples(records(card.components)) })),
        };
      default:
        return component;
    }
  });
}

/** Named or positional, as Meta wants to be told when a template is created. */
export function formatOf(components: Json[]): 'NAMED' | 'POSITIONAL' {
  return isNamed(components.flatMap((component) => placeholdersOf(component.text))) ? 'NAMED' : 'POSITIONAL';
}

function withTextExample(component: Json, key: string, wrap: (values: string[]) => unknown): Json {
  const names = placeholdersOf(component.text);
  if (names.length === 0 || record(component.example)) return component;
  const example = isNamed(names)
    ? { [`${key}_named_params`]: names.map((name) => ({ param_name: name, example: exampleOf(name) })) }
    : { [key]: wrap(names.map(exampleOf)) };
  return { ...component, example };
}

function withUrlExample(button: Json): Json {
  const names = placeholdersOf(button.url);
  if (names.length === 0 || button.example !== undefined) return button;
  return { ...button, example: [fill(text(button.url)!, new Map(names.map((name) => [name, 'example'])))] };
}

function exampleOf(name: string): string {
  return /^\d+$/.test(name) ? `Example ${name}` : name.replaceAll('_', ' ');
}
