/** What an error means to a caller, in no surface's shape yet: each surface renders it in its own. */
import pg from 'pg';
import { type ErrorCode, type FieldProblem, PatchbayError, ProviderError } from '../model/errors.ts';
import { isDatabaseAway } from '../store/database.ts';

export interface Refusal {
  status: number;
  code: ErrorCode | 'internal' | 'bad-request';
  message: string;
  /** Fields as the caller wrote them; `a.b.0`. */
  problems: FieldProblem[];
  details: Record<string, unknown>;
  /** Seconds. */
  retryAfter?: number;
}

const STATUS: Record<ErrorCode, number> = {
  invalid: 422,
  unauthorized: 401,
  forbidden: 403,
  'not-found': 404,
  conflict: 409,
  gone: 410,
  'too-large': 413,
  'rate-limited': 429,
  'window-closed': 422,
  'opted-out': 422,
  'not-supported': 422,
  precondition: 400,
  'channel-inactive': 409,
  'setting-missing': 422,
  'provider-refused': 422,
  'provider-unavailable': 503,
  unavailable: 503,
};

/** PostgreSQL's class of errors for values that it cannot store. */
const DATA_EXCEPTION = '22';

/** Classes any error. One that we did not expect is `internal`: the caller is told nothing of it, the log everything. */
export function refusalOf(error: unknown): Refusal {
  const plain = { problems: [], details: {} };
  if (isDatabaseAway(error)) return { ...plain, status: 503, code: 'unavailable', message: 'the database is away', retryAfter: 5 };
  if (error instanceof PatchbayError) {
    const { code, message, problems, details } = error;
    const status = STATUS[code];
    return { status, code, message, problems, details, ...(status === 503 ? { retryAfter: 5 } : status === 429 ? { retryAfter: 1 } : {}) };
  }
  if (error instanceof ProviderError) return { ...plain, ...providerRefusal(error) };
  const { validation, statusCode, message } = error as { validation?: Violation[]; statusCode?: number; message?: string };
  if (validation) {
    const problems = problemsOf(validation);
    return { ...plain, status: 422, code: 'invalid', message: `${problems[0]!.field} ${problems[0]!.message}`, problems };
  }
  if (error instanceof pg.DatabaseError && error.code?.startsWith(DATA_EXCEPTION)) {
    return {
      ...plain,
      status: 422,
      code: 'invalid',
      message: 'a value cannot be stored',
      problems: [{ field: 'body', message: 'holds a value that cannot be stored' }],
    };
  }
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    const code = statusCode === 413 ? 'too-large' : statusCode === 429 ? 'rate-limited' : 'bad-request';
    return {
      ...plain,
      status: statusCode,
      code,
      message: message ?? 'the request is not right',
      ...(statusCode === 429 ? { retryAfter: 1 } : {}),
    };
  }
  return { ...plain, status: 500, code: 'internal', message: 'something went wrong here; it is logged' };
}

/** A provider's refusal: its own words, and what to do. */
function providerRefusal(error: ProviderError): Pick<Refusal, 'status' | 'code' | 'message' | 'retryAfter'> {
  const message = error.hint ? `${error.message} (${error.hint})` : error.message;
  switch (error.class) {
    case 'retry':
    case 'unknown-outcome':
      return { status: 503, code: 'provider-unavailable', message, retryAfter: Math.ceil((error.retryAfterMs ?? 5000) / 1000) };
    case 'rate-limited':
      return { status: 429, code: 'rate-limited', message, retryAfter: Math.ceil((error.retryAfterMs ?? 1000) / 1000) };
    default:
      return { status: 422, code: 'provider-refused', message };
  }
}

interface Violation {
  keyword?: string;
  instancePath?: string;
  params?: unknown;
  message?: string;
}

/** Schema violations by field: `receiver.contacts.0.identifierKey`; one line each, never empty. */
export function problemsOf(violations: readonly Violation[]): FieldProblem[] {
  const problems = new Map<string, FieldProblem>();
  const add = (field: string, message: string) => problems.set(`${field} ${message}`, { field, message });
  const choices = Map.groupBy(
    violations.filter(({ keyword }) => keyword === 'const'),
    ({ instancePath }) => instancePath,
  );
  for (const violation of violations) {
    const path = (violation.instancePath ?? '').slice(1).replaceAll('/', '.');
    if (violation.keyword === 'const' || (violation.keyword === 'anyOf' && choices.has(violation.instancePath))) {
      const allowed = choices.get(violation.instancePath)!.map(({ params }) => (params as { allowedValue?: unknown }).allowedValue);
      add(path || 'body', `must be ${allowed.length > 1 ? 'one of ' : ''}${allowed.join(', ')}`);
      continue;
    }
    if (violation.keyword === 'pattern' && String((violation.params as { pattern?: unknown }).pattern) === '\\S') {
      add(path || 'body', 'must not be blank');
      continue;
    }
    if (violation.keyword === 'enum') {
      add(path || 'body', `must be one of ${(violation.params as { allowedValues: unknown[] }).allowedValues.join(', ')}`);
      continue;
    }
    // Any other word for "neither of these types" is already among the problems of the field.
    if (violation.keyword === 'anyOf' && violations.some((other) => other !== violation && other.instancePath === violation.instancePath)) {
      continue;
    }
    const below = (name: string) => (path ? `${path}.${name}` : name);
    const { requiredProperties, missingProperty } = (violation.params ?? {}) as { requiredProperties?: string[]; missingProperty?: string };
    const missing = requiredProperties ?? (missingProperty ? [missingProperty] : []);
    if (violation.keyword === 'boolean') add(path || 'body', 'is not known here');
    else if (violation.keyword === 'additionalProperties') continue;
    else if (violation.keyword === 'required' && missing.length > 0) for (const name of missing) add(below(name), 'is required');
    else add(path || 'body', violation.message ?? 'is not valid');
  }
  return problems.size > 0 ? [...problems.values()] : [{ field: 'body', message: 'is not valid' }];
}
