/** Errors as FastAPI shows them: `{detail}`, and for 422 a list of `{loc, msg, type}` with every problem of the request. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { FastifySchemaValidationError as Violation } from 'fastify/types/schema.js';
import { type FieldProblem, PatchbayError } from '../../model/errors.ts';
import { BadJson } from '../json-body.ts';
import { refusalOf } from '../refusal.ts';

export interface Problem {
  loc: (string | number)[];
  msg: string;
  type: string;
}

type Where = 'body' | 'query';

/** What is wrong with a request, in this product's words. */
export class Unprocessable extends Error {
  readonly problems: Problem[];

  constructor(problems: Problem[]) {
    super(problems[0]!.msg);
    this.problems = problems;
  }
}

export function missing(field: string): Problem {
  return { loc: ['body', field], msg: 'Field required', type: 'missing' };
}

/** 400 with the product's own code. */
export function unverified(message: string): PatchbayError {
  return new PatchbayError('precondition', message, { details: { error_code: 'DOMAIN_NOT_VERIFIED' } });
}

export function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const refusal = refusalOf(error);
  if (refusal.code === 'unauthorized') reply.header('www-authenticate', 'Bearer');
  if (refusal.retryAfter !== undefined) reply.header('retry-after', String(refusal.retryAfter));
  reply.type('application/json; charset=utf-8').serializer(JSON.stringify);
  const problems = problemsIn(error, request) ?? (refusal.status === 422 ? problemsFrom(refusal, request) : undefined);
  if (problems) return reply.code(422).send({ detail: problems });
  if (refusal.code === 'internal') request.log.error({ err: error }, 'a request failed');
  const code = refusal.details.error_code;
  return reply.code(refusal.status).send({ ...(typeof code === 'string' ? { error_code: code } : {}), detail: refusal.message });
}

/** The problems that the request's own form has; undefined when the error is about something else. */
function problemsIn(error: unknown, request: FastifyRequest): Problem[] | undefined {
  if (error instanceof Unprocessable) return error.problems;
  if (error instanceof BadJson) return [{ loc: ['body', error.at], msg: 'JSON decode error', type: 'json_invalid' }];
  const { validation, validationContext } = error as { validation?: Violation[]; validationContext?: string };
  if (!validation) return undefined;
  return violationsIn(validation, validationContext === 'querystring' ? 'query' : whereOf(request));
}

/** What of a request's body does not fit its schema; nothing when all does. */
export function violationsOf(request: FastifyRequest): Problem[] {
  return violationsIn((request.validationError?.validation as Violation[] | undefined) ?? [], 'body');
}

function violationsIn(violations: Violation[], where: Where): Problem[] {
  const problems = new Map<string, Problem>();
  for (const violation of violations) {
    const siblings = violations.filter(({ instancePath }) => instancePath === violation.instancePath);
    const problem = problemOf(violation, siblings, where);
    const place = problem.loc.join('.');
    if (!problems.has(place)) problems.set(place, problem);
  }
  return [...problems.values()];
}

function problemOf({ keyword, instancePath, params, message }: Violation, siblings: Violation[], where: Where): Problem {
  const { requiredProperties, limit, type, allowedValues } = params as {
    requiredProperties?: string[];
    limit?: number;
    type?: string;
    allowedValues?: string[];
  };
  const loc = [where, ...pathOf(instancePath.slice(1).replaceAll('/', '.'))];
  const [kind, msg] = ((): [string, string] => {
    switch (keyword) {
      case 'required':
        loc.push(...(requiredProperties ?? []));
        return ['missing', 'Field required'];
      case 'const':
      case 'enum': {
        const values = allowedValues ?? siblings.flatMap(({ params }) => (params.allowedValue as string | undefined) ?? []);
        return ['literal_error', `Input should be ${listed(values)}`];
      }
      case 'type':
        return typeProblem(type, loc);
      case 'minimum':
        return ['greater_than_equal', `Input should be greater than or equal to ${limit}`];
      case 'maximum':
        return ['less_than_equal', `Input should be less than or equal to ${limit}`];
      case 'minLength':
        return ['string_too_short', `String should have at least ${counted(limit)}`];
      case 'maxLength':
        return ['string_too_long', `String should have at most ${counted(limit)}`];
      case 'pattern':
        return ['string_pattern_mismatch', `String ${message}`];
      default:
        return ['value_error', message ?? 'is not valid'];
    }
  })();
  return { loc, msg, type: kind };
}

function typeProblem(type: string | undefined, loc: Problem['loc']): [string, string] {
  const parsed = loc[0] === 'query';
  switch (type) {
    case 'string':
      return ['string_type', 'Input should be a valid string'];
    case 'boolean':
      return parsed
        ? ['bool_parsing', 'Input should be a valid boolean, unable to interpret input']
        : ['bool_type', 'Input should be a valid boolean'];
    case 'integer':
      return parsed
        ? ['int_parsing', 'Input should be a valid integer, unable to parse string as an integer']
        : ['int_type', 'Input should be a valid integer'];
    case 'object':
      return loc.length === 1
        ? ['model_attributes_type', 'Input should be a valid dictionary or object to extract fields from']
        : ['dict_type', 'Input should be a valid dictionary'];
    default:
      return ['value_error', `Input should be a valid ${type}`];
  }
}

function counted(limit: number | undefined): string {
  return `${limit} character${limit === 1 ? '' : 's'}`;
}

function listed(values: string[]): string {
  const quoted = values.map((value) => `'${value}'`);
  return quoted.length < 2 ? quoted.join('') : `${quoted.slice(0, -1).join(', ')} or ${quoted.at(-1)}`;
}

function problemsFrom({ problems, message }: { problems: FieldProblem[]; message: string }, request: FastifyRequest): Problem[] {
  const all = problems.length > 0 ? problems : [{ field: '', message }];
  return all.map(({ field, message: msg }) => {
    const loc = [whereOf(request), ...pathOf(field === 'body' ? '' : field)];
    return msg === 'is required' ? { loc, msg: 'Field required', type: 'missing' } : { loc, msg, type: 'value_error' };
  });
}

function whereOf({ method }: FastifyRequest): Where {
  return method === 'GET' || method === 'DELETE' ? 'query' : 'body';
}

function pathOf(field: string): (string | number)[] {
  return field === '' ? [] : field.split('.').map((part) => (/^\d+$/.test(part) ? Number(part) : part));
}
