/** The one way to the server: JSON over fetch with the session cookie, and errors that say what to do. */

/** A request that the server refused, or that never reached it (`status` 0). */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  /** Problems by field, as the form wrote the field. */
  readonly fields: Record<string, string[]>;

  constructor(status: number, code: string, message: string, fields: Record<string, string[]> = {}) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
    this.code = code;
    this.fields = fields;
  }

  /** True when trying the same again may help: the server was not reached, busy, or away. */
  get mayPass(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

export interface RequestOptions {
  method?: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  body?: unknown;
  query?: Record<string, string | number | boolean | undefined>;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

let onSignedOut = (): void => {};

/** Called when the server no longer knows the session. */
export function whenSignedOut(listener: () => void): void {
  onSignedOut = listener;
}

/** Asks the server. Gives the answer's JSON (undefined when it is empty); throws `ApiError`. */
export async function request<T>(path: string, options: RequestOptions = {}): Promise<T> {
  const answer = await requestText(path, options);
  return (answer ? JSON.parse(answer) : undefined) as T;
}

/** Asks the server for something that is no JSON, all of it or its beginning; throws `ApiError`. */
export async function requestText(
  path: string,
  { method = 'GET', body, query, headers, signal, atMost = Infinity }: RequestOptions & { atMost?: number } = {},
): Promise<string> {
  let response: Response;
  try {
    response = await fetch(withQuery(path, query), {
      method,
      credentials: 'same-origin',
      headers: { accept: 'application/json', ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal,
    });
  } catch (error) {
    if ((error as Error).name === 'AbortError') throw error;
    throw unreachable();
  }
  const answer = response.ok && Number.isFinite(atMost) ? await beginningOf(response, atMost) : await response.text();
  if (!response.ok) {
    const error = readError(response.status, answer);
    if (error.status === 401) onSignedOut();
    throw error;
  }
  return answer;
}

/** What follows the beginning is not fetched. */
async function beginningOf(response: Response, atMost: number): Promise<string> {
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  while (text.length < atMost) {
    const { done, value } = await reader.read();
    if (done) return text;
    text += value;
  }
  await reader.cancel();
  return text;
}

export function unreachable(): ApiError {
  return new ApiError(0, 'unreachable', 'Patchbay cannot be reached. Check your connection, and that the service is running.');
}

/** The error that an answer's status and body tell. */
export function readError(status: number, answer: string): ApiError {
  let said: { code?: unknown; message?: unknown; details?: unknown } = {};
  try {
    said = JSON.parse(answer) ?? {};
  } catch {
    // A proxy's page in front of the server: the status alone has to do.
  }
  const message = typeof said.message === 'string' && said.message ? said.message : wordsFor(status);
  const code = typeof said.code === 'string' ? said.code : String(status);
  return new ApiError(status, code, message, readFields(said.details));
}

function readFields(details: unknown): Record<string, string[]> {
  if (typeof details !== 'object' || details === null) return {};
  const fields: Record<string, string[]> = {};
  for (const [field, problems] of Object.entries(details)) {
    if (Array.isArray(problems)) fields[field] = problems.map(String);
  }
  return fields;
}

function wordsFor(status: number): string {
  if (status === 429) return 'That was too fast. Wait a moment and try again.';
  if (status === 413) return 'That is too large.';
  if (status === 503) return 'Patchbay is busy or starting. Try again in a moment.';
  if (status >= 500) return 'Something went wrong on the server; it is in its log.';
  return `The server refused this (${status}).`;
}

export function withQuery(path: string, query: RequestOptions['query'] = {}): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== '') parameters.append(name, String(value));
  }
  const text = parameters.toString();
  return text ? `${path}?${text}` : path;
}
