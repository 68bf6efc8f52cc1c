/** Every error in this surface's own shape: `{code, message, details?: {field: [text]}}`. */
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import pg from 'pg';
import { type ErrorCode, PatchbayError, ProviderError } from '../../model/errors.ts';
import { isDatabaseAway } from '../../store/database.ts';

export interface ErrorBody {
  code: string;
  message: string;
  details?: Record<string, string[]>;
}

interface Answer {
  status: number;
  body: ErrorBody;
  retryAfter?: number;
}

/** The status and the word for each of our codes. */
const ANSWERS: Record<ErrorCode, [number, string]> = {
  invalid: [422, 'validationError'],
  unauthorized: [401, 'unauthorized'],
  forbidden: [403, 'forbidden'],
  'not-found': [404, 'notFound'],
  conflict: [409, 'conflict'],
  gone: [410, 'gone'],
  'too-large': [413, 'tooLarge'],
  'rate-limited': [429, 'rateLimited'],
  'window-closed': [422, 'windowClosed'],
  'opted-out': [422, 'optedOut'],
  'not-supported': [422, 'notSupported'],
  'channel-inactive': [409, 'channelInactive'],
  'setting-missing': [422, 'settingMissing'],
  'provider-refused': [422, 'providerRefused'],
  'provider-unavailable': [503, 'providerUnavailable'],
  unavailable: [503, 'unavailable'],
};

/** What Fastify itself refuses, by status. */
const PLAIN: Record<number, string> = { 400: 'badRequest', 413: 'tooLarge', 415: 'unsupportedMediaType', 429: 'rateLimited' };

/** PostgreSQL's class of errors for values that it cannot store. */
const DATA_EXCEPTION = '22';

export function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const answer = answerOf(error);
  if (answer.status >= 500 && answer.body.code === 'internalError') request.log.error({ err: error }, 'a request failed');
  if (answer.retryAfter !== undefined) reply.header('retry-after', String(answer.retryAfter));
  return reply.code(answer.status).type('application/json; charset=utf-8').serializer(JSON.stringify).send(answer.body);
}

function answerOf(error: unknown): Answer {
  if (isDatabaseAway(error)) return { status: 503, body: { code: 'unavailable', message: 'the database is away' }, retryAfter: 5 };
  if (error instanceof PatchbayError) return answerOfPatchbay(error);
  if (error instanceof ProviderError) return answerOfProvider(error);
  const { validation, statusCode, message } = error as FastifyError;
  if (validation) return { status: 422, body: validationBody(validation) };
  if (error instanceof pg.DatabaseError && error.code?.startsWith(DATA_EXCEPTION)) {
    return { status: 422, body: { code: 'validationError', message: 'a value cannot be stored' } };
  }
  if (statusCode !== undefined && statusCode < 500) {
    const retry = statusCode === 429 ? { retryAfter: 1 } : {};
    return { status: statusCode, body: { code: PLAIN[statusCode] ?? 'badRequest', message }, ...retry };
  }
  return { status: 500, body: { code: 'internalError', message: 'something went wrong here; it is logged' } };
}

function answerOfPatchbay(error: PatchbayError): Answer {
  const [status, code] = ANSWERS[error.code];
  const details: Record<string, string[]> = {};
  for (const { field, message } of error.problems) details[field] = [...(details[field] ?? []), message];
  for (const [name, value] of Object.entries(error.details)) {
    if (value !== null && value !== undefined) details[name] ??= [typeof value === 'string' ? value : JSON.stringify(value)];
  }
  const body: ErrorBody = { code, message: error.message };
  if (Object.keys(details).length > 0) body.details = details;
  return { status, body, ...(status === 503 ? { retryAfter: 5 } : {}) };
}

/** A provider's refusal: its own words, and what to do. */
function answerOfProvider(error: ProviderError): Answer {
  const message = error.hint ? `${error.message} (${error.hint})` : error.message;
  switch (error.class) {
    case 'retry':
    case 'unknown-outcome':
      return { status: 503, body: { code: 'providerUnavailable', message }, retryAfter: Math.ceil((error.retryAfterMs ?? 5000) / 1000) };
    case 'rate-limited':
      return { status: 429, body: { code: 'rateLimited', message }, retryAfter: Math.ceil((error.retryAfterMs ?? 1000) / 1000) };
    default:
      return { status: 422, body: { code: 'providerRefused', message } };
  }
}

interface Violation {
  keyword?: string;
  instancePath?: string;
  params?: unknown;
  message?: string;
}

/** Schema violations by field: `receiver.contacts.0.identifierKey`. */
function validationBody(violations: readonly Violation[]): ErrorBody {
  const details: Record<string, string[]> = {};
  const add = (path: string, message: string) => {
    const list = details[path] ?? [];
    details[path] = list.includes(message) ? list : [...list, message];
  };
  for (const violation of violations) {
    const path = (violation.instancePath ?? '').slice(1).replaceAll('/', '.');
    const below = (name: string) => (path ? `${path}.${name}` : name);
    const { requiredProperties } = (violation.params ?? {}) as { requiredProperties?: string[] };
    if (violation.keyword === 'boolean') add(path || 'body', 'is not known here');
    else if (violation.keyword === 'additionalProperties') continue;
    else if (violation.keyword === 'required' && requiredProperties) for (const name of requiredProperties) add(below(name), 'is required');
    else add(path || 'body', violation.message ?? 'is not valid');
  }
  const [field, messages] = Object.entries(details)[0] ?? ['body', ['is not valid']];
  return { code: 'validationError', message: `${field} ${messages[0]}`, details };
}
