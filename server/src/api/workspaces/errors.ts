/** Every error in this surface's own shape: `{code, message, details?: {field: [text]}}`. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Refusal, refusalOf } from '../refusal.ts';

export interface ErrorBody {
  code: string;
  message: string;
  details?: Record<string, string[]>;
}

/** Answers an error, and logs the ones that are our fault. */
export function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const refusal = refusalOf(error);
  if (refusal.code === 'internal') request.log.error({ err: error }, 'a request failed');
  if (refusal.retryAfter !== undefined) reply.header('retry-after', String(refusal.retryAfter));
  return reply.code(refusal.status).type('application/json; charset=utf-8').serializer(JSON.stringify).send(bodyOf(refusal));
}

/** The words of this surface that are not ours in camel case. */
const WORDS: Partial<Record<Refusal['code'], string>> = { invalid: 'validationError', internal: 'internalError' };

export function bodyOf(refusal: Refusal): ErrorBody {
  // A map, since callers name their fields as they like: `valueOf` is one too.
  const details = new Map<string, string[]>();
  for (const { field, message } of refusal.problems) details.set(field, [...(details.get(field) ?? []), message]);
  for (const [name, value] of Object.entries(refusal.details)) {
    if (value === null || value === undefined || details.has(name)) continue;
    details.set(name, [typeof value === 'string' ? value : JSON.stringify(value)]);
  }
  const code = WORDS[refusal.code] ?? refusal.code.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
  return { code, message: refusal.message, ...(details.size > 0 ? { details: Object.fromEntries(details) } : {}) };
}
