/**
 * Checks of requests and writers of answers are made when a route is first used: those of some hundred routes at once
 * would be most of the time that a start takes.
 */
import ValidatorSelector from '@fastify/ajv-compiler';
import SerializerSelector from '@fastify/fast-json-stringify-compiler';
import type { FastifyServerOptions } from 'fastify';

type Compiled = ((data: any) => any) & { errors?: unknown };

/** The compiler, put off until somebody wants what it makes. */
export function onFirstUse<Route, Made extends Compiled>(compile: (route: Route) => Made): (route: Route) => Made {
  return (route) => {
    let made: Made | undefined;
    const whenUsed: Compiled = (data) => {
      made ??= compile(route);
      const result = made(data);
      // Ajv's way to tell what is wrong.
      whenUsed.errors = made.errors;
      return result;
    };
    return whenUsed as Made;
  };
}

/** Fastify's own compilers, put off. */
export function lateCompilers(): NonNullable<FastifyServerOptions['schemaController']> {
  const validators = ValidatorSelector();
  const serializers = SerializerSelector();
  return {
    compilersFactory: {
      buildValidator: (...given: Parameters<typeof validators>) => onFirstUse(validators(...given)),
      buildSerializer: (...given: Parameters<typeof serializers>) => onFirstUse(serializers(...given)),
    },
  } as NonNullable<FastifyServerOptions['schemaController']>;
}
