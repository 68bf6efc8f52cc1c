/** Calls to the Gmail API for one mailbox: token, quotas, and every refusal classed. */
import { ProviderError, type ProviderErrorClass } from '../../model/errors.ts';
import type { ConnectorContext, HttpRequest, HttpResponse } from '../connector.ts';
import { accessToken, base, type Client, clientOf, SCOPES } from './oauth.ts';
import type { Mailbox } from './settings.ts';

const GMAIL = 'https://gmail.googleapis.com';

export interface GmailRequest {
  method?: string;
  json?: unknown;
  body?: string | Uint8Array;
  contentType?: string;
  maxBytes?: number;
  timeoutMs?: number;
  into?: HttpRequest['into'];
  safe?: boolean;
}

export type Gmail = (path: string, request?: GmailRequest) => Promise<HttpResponse>;

/** The OAuth client of a Gmail mailbox. */
export function googleClient(mailbox: Pick<Mailbox, 'settings' | 'credentials'>, context: ConnectorContext): Client {
  return clientOf('google', SCOPES.gmail, mailbox.settings, mailbox.credentials, context.config);
}

/** The Gmail API for a mailbox; paths begin behind `users/me`, or with `/upload` or `/gmail`. */
export function gmailOf(mailbox: Mailbox, context: ConnectorContext): Gmail {
  const root = base(context.config, 'GMAIL_API_URL', GMAIL);
  const client = googleClient(mailbox, context);
  const call = async (path: string, request: GmailRequest, token: string) =>
    context
      .http(root + (/^\/(?:upload|gmail)\//.test(path) ? path : `/gmail/v1/users/me${path}`), {
        method: request.method ?? 'GET',
        headers: {
          authorization: `Bearer ${token}`,
          accept: 'application/json',
          ...(request.json === undefined ? {} : { 'content-type': 'application/json' }),
          ...(request.contentType ? { 'content-type': request.contentType } : {}),
        },
        ...(request.json === undefined ? {} : { body: JSON.stringify(request.json) }),
        ...(request.body === undefined ? {} : { body: request.body }),
        timeoutMs: request.timeoutMs ?? 60_000,
        ...(request.maxBytes ? { maxBytes: request.maxBytes } : {}),
        ...(request.into ? { into: request.into } : {}),
      })
      .catch((error: unknown) => {
        const harmless = request.safe ?? (request.method ?? 'GET') === 'GET';
        if (harmless && error instanceof ProviderError && error.class === 'unknown-outcome') {
          throw new ProviderError('retry', error.message, { cause: error, scope: 'channel' });
        }
        throw error;
      });
  return async (path, request = {}) => {
    const token = await accessToken(client, mailbox.credentials, context);
    let answer = await call(path, request, token);
    if (answer.status === 401) answer = await call(path, request, await accessToken(client, mailbox.credentials, context, token));
    if (answer.status >= 400) throw gmailError(answer);
    return answer;
  };
}

/** Whoever stands in for Gmail need not have every route; Gmail's own 404s say why. Throws all else. */
export function notOffered(error: unknown): undefined {
  if (!(error instanceof ProviderError) || error.status !== 404 || error.code !== '404') throw error;
}

function gmailError(answer: HttpResponse): ProviderError {
  const { error } = (answer.json() ?? {}) as { error?: { message?: string; status?: string; errors?: { reason?: string }[] } };
  const reason = error?.errors?.[0]?.reason ?? error?.status ?? String(answer.status);
  const retryAfter = Number(answer.headers.get('retry-after'));
  return new ProviderError(classOf(answer.status, reason), error?.message || `Google answered ${answer.status}`, {
    code: reason,
    status: answer.status,
    raw: answer.json() ?? answer.text().slice(0, 2000),
    ...(Number.isFinite(retryAfter) && retryAfter > 0 ? { retryAfterMs: retryAfter * 1000 } : {}),
    ...(answer.status === 401 || answer.status === 403
      ? { scope: 'channel' as const, hint: 'Open the channel and grant access again.' }
      : {}),
  });
}

function classOf(status: number, reason: string): ProviderErrorClass {
  if (status === 429 || /rateLimitExceeded|quotaExceeded|dailyLimitExceeded|RESOURCE_EXHAUSTED/i.test(reason)) return 'rate-limited';
  if (status === 401 || status === 403) return 'unauthorized';
  if (status >= 500 || status === 408) return 'retry';
  return 'rejected';
}
