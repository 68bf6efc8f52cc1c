/** Reads JSON bodies generously: an empty one is no body, whatever its content type says. */
import type { FastifyInstance } from 'fastify';
import { cleanJson, isSuspicious } from '../store/json.ts';

/** Deeper documents are refused: whatever walks through them would run out of stack. */
const MAX_DEPTH = 200;

/** A body that cannot be read. */
export class BadJson extends Error {
  readonly statusCode = 400;
  /** Where reading it ended, as far as that is known. */
  readonly at: number;

  constructor(message: string, at = 0) {
    super(message);
    this.at = at;
  }
}

/** Makes a scope take `application/json` with an empty body, and no body where its schema wants an object. */
export function acceptJson(scope: FastifyInstance): void {
  parseJson(scope);
  // What has no field that must be given is asked for by no body as well as by an empty object.
  scope.addHook('preValidation', async (request) => {
    if (request.body === undefined && request.routeOptions.schema?.body && !request.isMultipart()) request.body = {};
  });
}

/** Makes a scope take `application/json` with an empty body. */
export function parseJson(scope: FastifyInstance): void {
  scope.removeContentTypeParser(['application/json', 'text/plain']);
  scope.addContentTypeParser(['application/json', 'text/plain'], { parseAs: 'string' }, (_request, text, done) => {
    try {
      done(null, readJson(text as string));
    } catch (error) {
      done(error as Error);
    }
  });
}

/** JSON text → a value that can be stored; undefined when there is nothing in it. Throws with `statusCode` 400. */
export function readJson(text: string): unknown {
  if (text.trim() === '') return undefined;
  if (depthOf(text) > MAX_DEPTH) throw new BadJson(`the JSON is nested more than ${MAX_DEPTH} levels deep`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new BadJson('the body is not valid JSON', Number(/position (\d+)/.exec(String(error))?.[1] ?? text.length));
  }
  return isSuspicious(text) || text.includes('\u0000') ? cleanJson(value) : value;
}

function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (quoted) {
      if (code === 0x5c) at++;
      else if (code === 0x22) quoted = false;
    } else if (code === 0x22) quoted = true;
    else if (code === 0x7b || code === 0x5b) deepest = Math.max(deepest, ++depth);
    else if (code === 0x7d || code === 0x5d) depth--;
  }
  return deepest;
}
