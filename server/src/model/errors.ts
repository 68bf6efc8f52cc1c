/**
 * How a provider's refusal is treated. Every connector classes its provider's errors once; everything above reads the
 * class and never a provider's code.
 */
export type ProviderErrorClass =
  /** Try the same call again later. */
  | 'retry'
  /** Too fast; wait, then go on. */
  | 'rate-limited'
  /** Free messages are not allowed now; a template may be. */
  | 'window-closed'
  /** The credentials do not work: the channel needs attention, messages wait. */
  | 'unauthorized'
  /** This recipient cannot be reached on this channel. */
  | 'recipient-unreachable'
  /** The recipient asked not to be written to: with the scope `recipient` at all, else not with a message like this. */
  | 'opted-out'
  /** The content or the request is wrong; sending it again will not help. */
  | 'rejected'
  /** The call ended without an answer: it may or may not have been carried out. */
  | 'unknown-outcome';

export interface ProviderErrorOptions {
  /** The provider's own code, verbatim. */
  code?: string;
  /** Milliseconds until another try makes sense, as the provider said. */
  retryAfterMs?: number;
  /** `channel`: nothing goes through; `recipient`: only this one does not. */
  scope?: 'channel' | 'recipient' | 'message';
  /** What to do about it, in plain words. */
  hint?: string;
  /** HTTP status of the provider's answer. */
  status?: number;
  /** The provider's whole answer. */
  raw?: unknown;
  cause?: unknown;
}

/** A provider said no, or did not answer. `message` holds the provider's own words. */
export class ProviderError extends Error {
  readonly class: ProviderErrorClass;
  readonly code: string | undefined;
  readonly retryAfterMs: number | undefined;
  readonly scope: 'channel' | 'recipient' | 'message';
  readonly hint: string | undefined;
  readonly status: number | undefined;
  readonly raw: unknown;

  constructor(errorClass: ProviderErrorClass, message: string, options: ProviderErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'ProviderError';
    this.class = errorClass;
    this.code = options.code;
    this.retryAfterMs = options.retryAfterMs;
    this.scope = options.scope ?? 'message';
    this.hint = options.hint;
    this.status = options.status;
    this.raw = options.raw;
  }
}

export type ErrorCode =
  | 'invalid'
  | 'unauthorized'
  | 'forbidden'
  | 'not-found'
  | 'conflict'
  | 'gone'
  | 'too-large'
  | 'rate-limited'
  | 'window-closed'
  | 'opted-out'
  | 'not-supported'
  | 'precondition'
  | 'channel-inactive'
  | 'setting-missing'
  | 'provider-refused'
  | 'provider-unavailable'
  | 'unavailable';

/** One field that is wrong: its path as the caller wrote it, and why. */
export interface FieldProblem {
  field: string;
  message: string;
}

/**
 * A request that Patchbay refuses, in words for people. Surfaces turn it into their own shape and status; `code` is
 * ours and stable.
 */
export class PatchbayError extends Error {
  readonly code: ErrorCode;
  readonly problems: FieldProblem[];
  readonly details: Record<string, unknown>;

  constructor(
    code: ErrorCode,
    message: string,
    options: { problems?: FieldProblem[]; details?: Record<string, unknown>; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'PatchbayError';
    this.code = code;
    this.problems = options.problems ?? [];
    this.details = options.details ?? {};
  }
}

/** One field of the request is wrong. */
export function invalid(field: string, message: string): PatchbayError {
  return new PatchbayError('invalid', message, { problems: [{ field, message }] });
}

/** There is no such thing, or it is another workspace's. */
export function notFound(what: string): PatchbayError {
  return new PatchbayError('not-found', `${what} not found`);
}
