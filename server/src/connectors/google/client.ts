/** Calls to Google's messaging APIs, and what a refusal means (cloud.google.com/apis/design/errors). */
import { ProviderError, type ProviderErrorClass } from '../../model/errors.ts';
import type { ConnectorContext, HttpResponse } from '../connector.ts';
import { accessToken, type ServiceAccount } from './auth.ts';

export interface Call {
  method?: 'GET' | 'POST' | 'DELETE';
  url: string;
  json?: unknown;
}

/** Makes one call with a token; a token that Google no longer takes is replaced once. */
export async function call(account: ServiceAccount, scope: string, request: Call, context: ConnectorContext): Promise<HttpResponse> {
  const attempt = async (fresh: boolean): Promise<HttpResponse> => {
    const token = await accessToken(account, scope, context, { fresh });
    return await context.http(request.url, {
      method: request.method ?? 'GET',
      headers: {
        authorization: `Bearer ${token}`,
        accept: 'application/json',
        ...(request.json === undefined ? {} : { 'content-type': 'application/json' }),
      },
      body: request.json === undefined ? undefined : JSON.stringify(request.json),
    });
  };
  const response = await attempt(false);
  return response.status === 401 ? await attempt(true) : response;
}

const BY_STATUS: Record<number, ProviderErrorClass> = {
  400: 'rejected',
  401: 'unauthorized',
  403: 'unauthorized',
  404: 'recipient-unreachable',
  429: 'rate-limited',
};

/** A refused call → a classed error with Google's words. Our message ids make every repetition safe, so 5xx are retried. */
export function errorOf(response: HttpResponse, hints: Partial<Record<number, string>> = {}): ProviderError {
  const body = response.json() as { error?: { status?: string; message?: string } } | undefined;
  const errorClass = BY_STATUS[response.status] ?? (response.status >= 500 ? 'retry' : 'rejected');
  const after = Number(response.headers.get('retry-after') ?? Number.NaN);
  return new ProviderError(errorClass, body?.error?.message ?? `Google answered with status ${response.status}`, {
    code: body?.error?.status,
    status: response.status,
    scope: errorClass === 'unauthorized' || errorClass === 'rate-limited' ? 'channel' : 'message',
    hint: hints[response.status],
    retryAfterMs: Number.isFinite(after) ? after * 1000 : undefined,
    raw: body ?? response.text().slice(0, 2000),
  });
}

/** True when Google already has a message with this id: the earlier try did arrive. */
export function isKnownAlready(response: HttpResponse): boolean {
  return response.status === 409;
}
