/** How the surfaces check requests: bodies as they are, addresses from their text, every problem at once. */
import type { FastifySchemaCompiler } from 'fastify';
import type { FastifySchemaValidationError as Violation } from 'fastify/types/schema.js';
import type { TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import { Value } from 'typebox/value';

const INTEGER = /^[+-]?\d{1,15}$/;

const YES = new Set(['true', '1', 'yes', 'on', 't', 'y']);
const NO = new Set(['false', '0', 'no', 'off', 'f', 'n']);

/**
 * The compiler for `setValidatorCompiler` where an address may repeat a parameter or give it once. `1.5` stays what it is
 * where an integer belongs: TypeBox alone would cut it to 1.
 */
export const repeatable: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  const check = Compile(schema);
  const integers = Object.entries(propertiesOf(schema)).flatMap(([name, { type }]) => (type === 'integer' ? [name] : []));
  const judged = (value: unknown) => (check.Check(value) ? { value } : { error: check.Errors(value) as Violation[] });
  return (given) => {
    if (httpPart === 'body') return judged(given);
    // Before `Convert`, which changes what it is given.
    const kept = asWritten(given, integers);
    return judged({ ...(Value.Convert(schema, given) as Record<string, unknown>), ...kept });
  };
};

/** Those of the named parameters that are no integer in the address. */
function asWritten(given: unknown, integers: string[]): Record<string, unknown> {
  const written = given as Record<string, unknown>;
  return Object.fromEntries(
    integers.flatMap((name) => (typeof written[name] === 'string' && !INTEGER.test(written[name]) ? [[name, written[name]]] : [])),
  );
}

/**
 * The compiler for `setValidatorCompiler`. A body's values are never made into another type: `null` is not the empty
 * text, and `123` is no name. Problems come in the order in which the schema names its fields, one for each of them.
 */
export const strictly: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  const check = Compile(schema);
  return (given) => {
    const value = httpPart === 'body' ? given : fromText(schema, given);
    return check.Check(value)
      ? { value }
      : {
          error: inOrder(
            schema,
            check.Errors(value).map(({ params, ...error }) => ({ ...error, params: { ...params } })),
          ),
        };
  };
};

/** What an address says is text: numbers and booleans are read from it, and what is not given has its default. */
function fromText(schema: TSchema, given: unknown): unknown {
  const read: Record<string, unknown> = { ...(given as Record<string, unknown>) };
  for (const [name, { type, default: fallback }] of Object.entries(propertiesOf(schema))) {
    const text = read[name];
    if (text === undefined && fallback !== undefined) read[name] = fallback;
    if (typeof text !== 'string') continue;
    if (type === 'integer' && INTEGER.test(text)) read[name] = Number(text);
    if (type === 'boolean' && YES.has(text.toLowerCase())) read[name] = true;
    if (type === 'boolean' && NO.has(text.toLowerCase())) read[name] = false;
  }
  return read;
}

function inOrder(schema: TSchema, violations: Violation[]): Violation[] {
  const names = Object.keys(propertiesOf(schema));
  const single = violations.flatMap((violation) => {
    const names = violation.params.requiredProperties as string[] | undefined;
    return names?.map((name) => ({ ...violation, params: { requiredProperties: [name] } })) ?? [violation];
  });
  const placeOf = ({ instancePath, params }: Violation) => {
    const missing = instancePath === '' ? (params.requiredProperties as string[] | undefined)?.[0] : undefined;
    return names.indexOf(missing ?? instancePath.split('/')[1] ?? '');
  };
  return single.sort((a, b) => placeOf(a) - placeOf(b));
}

function propertiesOf(schema: TSchema): Record<string, { type?: string; default?: unknown }> {
  return (schema as { properties?: Record<string, { type?: string; default?: unknown }> }).properties ?? {};
}
