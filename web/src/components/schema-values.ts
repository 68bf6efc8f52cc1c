/** What a generated form holds, checks and sends. */
import type { Schema } from '../api/types.ts';

export type Values = Record<string, unknown>;

/** What a field is drawn as. */
export type FieldKind = 'secret' | 'multiline' | 'color' | 'choice' | 'flag' | 'number' | 'texts' | 'group' | 'text';

export function kindOf(schema: Schema): FieldKind {
  if (schema.type === 'object') return 'group';
  if (schema.multiline) return 'multiline';
  if (schema.secret) return 'secret';
  if (choicesOf(schema)) return 'choice';
  switch (schema.type) {
    case 'boolean':
      return 'flag';
    case 'number':
    case 'integer':
      return 'number';
    case 'array':
      return 'texts';
    default:
      return schema.format === 'color' ? 'color' : 'text';
  }
}

/** The words to choose from; undefined when anything may be written. */
export function choicesOf(schema: Schema): string[] | undefined {
  if (schema.enum) return schema.enum.map(String);
  if (schema.anyOf?.length && schema.anyOf.every((one) => one.const !== undefined)) return schema.anyOf.map((one) => String(one.const));
  return undefined;
}

/** What the schema says of one of its choices: a title, a guide of its own. */
export function choiceOf(schema: Schema, value: unknown): Schema | undefined {
  return schema.anyOf?.find((one) => one.const !== undefined && one.const === value);
}

/** A choice as people read it. */
export function choiceWords(schema: Schema, choice: string): string {
  return choiceOf(schema, choice)?.title ?? choice.charAt(0).toUpperCase() + choice.slice(1);
}

/** Fields as they are shown: the wanted ones first, groups last. */
export function fieldsOf(schema: Schema): [string, Schema][] {
  const rank = ([name, field]: [string, Schema]) => (field.type === 'object' ? 2 : schema.required?.includes(name) ? 0 : 1);
  return Object.entries(schema.properties ?? {})
    .filter(([, field]) => !field.hidden)
    .sort((one, other) => rank(one) - rank(other));
}

/** True unless the field belongs to another choice of a field beside it. */
export function applies(field: Schema, values: Values): boolean {
  return Object.entries(field.when ?? {}).every(([name, words]) => words.includes(String(values[name] ?? '')));
}

/** The parts of a secret are secret too. */
export function partOf(group: Schema): Schema {
  if (!group.secret) return group;
  const properties = Object.entries(group.properties ?? {}).map(([name, field]) => [name, { ...field, secret: true }]);
  return { ...group, properties: Object.fromEntries(properties) };
}

/** What stands in the fields at first: what is known, else the schema's own defaults. */
export function startValues(schema: Schema, known: Values = {}): Values {
  const values: Values = {};
  for (const [name, field] of Object.entries(schema.properties ?? {})) {
    const value = known[name] ?? field.default;
    if (kindOf(field) === 'group') values[name] = startValues(field, (value as Values) ?? {});
    else if (value !== undefined) values[name] = value;
  }
  // What the form does not know stays as it is.
  return { ...known, ...values };
}

/** What is sent: empty fields are left out, groups without any value too (unless they must be there). */
export function filledValues(schema: Schema, values: Values): Values {
  const known = schema.properties ?? {};
  const filled: Values = {};
  for (const [name, value] of Object.entries(values)) {
    const field = known[name];
    if (field && !applies(field, values)) continue;
    if (field && kindOf(field) === 'group') {
      const inner = filledValues(field, (value as Values) ?? {});
      if (Object.keys(inner).length > 0 || schema.required?.includes(name)) filled[name] = inner;
    } else if (value !== undefined && value !== '' && value !== null) filled[name] = value;
  }
  return filled;
}

/** What an edit sends: every field of the form, since the server keeps what is not told. A text that was emptied is sent empty. */
export function changedSettings(schema: Schema, values: Values): Values {
  const known = schema.properties ?? {};
  const filled = filledValues({ ...schema, required: Object.keys(known) }, values);
  const emptied = Object.keys(known).filter((name) => values[name] === '' && !(name in filled));
  return {
    ...Object.fromEntries(Object.entries(filled).filter(([name]) => name in known)),
    ...Object.fromEntries(emptied.map((name) => [name, ''])),
  };
}

/** Wanted fields that are empty, by path; what else may be wrong, the server says. */
export function missingFields(schema: Schema, values: Values, prefix = ''): Record<string, string> {
  const problems: Record<string, string> = {};
  for (const [name, field] of Object.entries(schema.properties ?? {})) {
    const value = values[name];
    const wanted = schema.required?.includes(name) ?? false;
    if (!applies(field, values)) continue;
    if (kindOf(field) === 'group') {
      const inner = (value as Values) ?? {};
      // A group that may be left out asks for its fields only once one of them was filled.
      if (wanted || Object.keys(filledValues(field, inner)).length > 0) {
        Object.assign(problems, missingFields(field, inner, `${prefix}${name}.`));
      }
    } else if (wanted && (value === undefined || value === '')) problems[prefix + name] = 'This is needed.';
  }
  return problems;
}

/**
 * The server's problems by the form's own paths. It names a field as the request carried it (`input.config.headerText`,
 * `/input/name`); problems of fields that this form does not have are given back apart, so that none is lost.
 */
export function serverProblems(schema: Schema, details: Record<string, string[]>): { fields: Record<string, string>; rest: string[] } {
  const paths = new Set(allPaths(schema));
  const fields: Record<string, string> = {};
  const rest: string[] = [];
  for (const [field, problems] of Object.entries(details)) {
    const parts = field.replace(/^\//, '').replaceAll('/', '.').split('.');
    const path = [parts, parts.slice(1)].map((list) => deepest(list, paths)).find((found) => found !== undefined);
    if (path) fields[path] = sentence(problems.join('; '));
    else rest.push(`${field}: ${problems.join('; ')}`);
  }
  return { fields, rest };
}

/** `allowed_origins.0` belongs to the field `allowed_origins`. */
function deepest(parts: string[], paths: Set<string>): string | undefined {
  for (let length = parts.length; length > 0; length--) {
    const path = parts.slice(0, length).join('.');
    if (paths.has(path)) return path;
  }
  return undefined;
}

function allPaths(schema: Schema, prefix = ''): string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) =>
    kindOf(field) === 'group' ? allPaths(field, `${prefix}${name}.`) : [prefix + name],
  );
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

export function getAt(values: Values, path: string): unknown {
  return path.split('.').reduce<unknown>((value, part) => (value as Values | undefined)?.[part], values);
}

export function setAt(values: Values, path: string, value: unknown): Values {
  const [first, ...rest] = path.split('.') as [string, ...string[]];
  return { ...values, [first]: rest.length === 0 ? value : setAt((values[first] as Values) ?? {}, rest.join('.'), value) };
}

/** The part of a settings schema that may be changed on a connected channel. */
export function editablePart(schema: Schema): Schema {
  const properties = Object.fromEntries(Object.entries(schema.properties ?? {}).filter(([, field]) => field.editable));
  return { ...schema, properties, required: schema.required?.filter((name) => name in properties) };
}
