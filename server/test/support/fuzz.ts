/** Makes requests out of what the reference says: nearly right ones, and ones that are wrong in every way. */
import { randomUUID } from 'node:crypto';
import fc from 'fast-check';

export interface Schema {
  type?: string | string[];
  const?: unknown;
  enum?: unknown[];
  anyOf?: Schema[];
  oneOf?: Schema[];
  allOf?: Schema[];
  properties?: Record<string, Schema>;
  patternProperties?: Record<string, Schema>;
  additionalProperties?: boolean | Schema;
  required?: string[];
  items?: Schema;
  format?: string;
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
}

/** Values that broke somebody's service once. */
export const HOSTILE = [
  '',
  '\u0000',
  '\ud800',
  '\u202e',
  '__proto__',
  'constructor',
  '../../etc/passwd',
  '%00',
  '%',
  "'; drop table messages; --",
  '-1',
  '1e999',
  '9999999999999999999',
  '+491234567',
  'http://127.0.0.1:1/',
  'https://[::1]/',
  'file:///etc/passwd',
  'data:text/html,x',
  '2026-13-45T99:99:99Z',
  '+275760-09-13T00:00:00.001Z',
  '0000-01-01T00:00:00Z',
  'a'.repeat(5000),
  '(a+)+$',
  'wac_00000000000000000000000000000000',
  '00000000-0000-0000-0000-000000000000',
];

export function junk(known: readonly string[]): fc.Arbitrary<unknown> {
  return fc.oneof(
    fc.constantFrom(...known, randomUUID()),
    fc.constantFrom<unknown>(...HOSTILE, null, true, -1, 0, 2 ** 53, -0.5, 1e308, [], {}, [[]], { __proto__: null, a: { b: [] } }),
    fc.string({ unit: 'binary', maxLength: 12 }),
    fc.jsonValue({ maxDepth: 2 }),
  );
}

/** Values that mostly follow the schema; now and then any part is something else. */
export function arbitraryOf(schema: Schema, known: readonly string[], depth = 0): fc.Arbitrary<unknown> {
  const right = rightValue(schema, known, depth);
  return fc.oneof({ weight: 9, arbitrary: right }, { weight: 1, arbitrary: junk(known) });
}

function rightValue(schema: Schema, known: readonly string[], depth: number): fc.Arbitrary<unknown> {
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum?.length) return fc.constantFrom(...schema.enum);
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices?.length) return fc.oneof(...choices.map((choice) => arbitraryOf(choice, known, depth)));
  if (schema.allOf?.length) {
    return fc.tuple(...schema.allOf.map((part) => rightValue(part, known, depth))).map((parts) => Object.assign({}, ...parts));
  }
  const types = [schema.type ?? []].flat();
  if (types.length > 1) return fc.oneof(...types.map((type) => rightValue({ ...schema, type }, known, depth)));
  switch (types[0]) {
    case 'object':
      return objectOf(schema, known, depth);
    case 'array':
      return depth > 4 ? fc.constant([]) : fc.array(arbitraryOf(schema.items ?? {}, known, depth + 1), { maxLength: 3 });
    case 'integer':
    case 'number':
      return fc.oneof(
        fc.integer({ min: Math.max(schema.minimum ?? -5, -1000), max: Math.min(schema.maximum ?? 1000, 100_000) }),
        fc.maxSafeInteger(),
      );
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    case 'string':
      return textOf(schema, known);
    default:
      return junk(known);
  }
}

function objectOf(schema: Schema, known: readonly string[], depth: number): fc.Arbitrary<unknown> {
  if (depth > 5) return fc.constant({});
  const fields = Object.entries(schema.properties ?? {}).map(
    ([name, field]) => [name, arbitraryOf(field, known, depth + 1)] as [string, fc.Arbitrary<unknown>],
  );
  const requiredKeys = (schema.required ?? []).filter((name) => schema.properties?.[name]);
  const own = fc.record(Object.fromEntries(fields), { requiredKeys });
  if (schema.additionalProperties === false) return own;
  const more = fc.dictionary(fc.constantFrom('a', 'name', 'toString', 'é', '$ref'), junk(known), { maxKeys: 2 });
  return fc.tuple(own, more).map(([object, extra]) => ({ ...extra, ...object }));
}

function textOf(schema: Schema, known: readonly string[]): fc.Arbitrary<string> {
  const ids = fc.constantFrom(...known, randomUUID());
  if (schema.format === 'uuid') return ids;
  if (schema.format === 'date-time')
    return fc.oneof(fc.constantFrom('2026-01-01T00:00:00Z', new Date(Date.now() + 3_600_000).toISOString()), ids);
  const plain = fc.string({ minLength: Math.min(schema.minLength ?? 0, 50), maxLength: Math.min(schema.maxLength ?? 20, 20) });
  return fc.oneof(plain, ids, fc.constantFrom(...HOSTILE));
}
