/** Calls to Microsoft Graph for one mailbox: token, immutable ids, throttling, and every refusal classed. */
import { ProviderError, type ProviderErrorClass } from '../../model/errors.ts';
import type { ConnectorContext, HttpRequest, HttpResponse } from '../connector.ts';
import { accessToken, base, type Client, clientOf, SCOPES } from './oauth.ts';
import type { Mailbox } from './settings.ts';

const GRAPH = 'https://graph.microsoft.com';

export interface GraphRequest {
  method?: string;
  json?: unknown;
  body?: string | Uint8Array;
  contentType?: string;
  maxBytes?: number;
  timeoutMs?: number;
  into?: HttpRequest['into'];
  headers?: Record<string, string>;
  /** Doing it twice does no harm: an answer that never came is then a plain `retry`. */
  safe?: boolean;
}

export type Graph = (path: string, request?: GraphRequest) => Promise<HttpResponse>;

/** The OAuth client of a Microsoft mailbox. */
export function microsoftClient(mailbox: Pick<Mailbox, 'settings' | 'credentials'>, context: ConnectorContext): Client {
  const shared = mailbox.credentials.refresh_token ? SCOPES.graphShared : [];
  return clientOf('microsoft', [...SCOPES.graph, ...shared], mailbox.settings, mailbox.credentials, context.config);
}

/** Graph for a mailbox; paths begin behind the version, whole addresses of pages are followed on our own base. */
export function graphOf(mailbox: Mailbox, context: ConnectorContext): Graph {
  const root = `${base(context.config, 'MICROSOFT_GRAPH_URL', GRAPH)}/v1.0`;
  const client = microsoftClient(mailbox, context);
  const call = async (path: string, request: GraphRequest, token: string) =>
    context
      .http(addressOf(path, root), {
        method: request.method ?? 'GET',
        headers: {
          authorization: `Bearer ${token}`,
          accept: 'application/json',
          prefer: 'IdType="ImmutableId"',
          ...(request.json === undefined ? {} : { 'content-type': 'application/json' }),
          ...(request.contentType ? { 'content-type': request.contentType } : {}),
          ...request.headers,
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
    // A token can be taken back before its time; a second refusal is meant.
    if (answer.status === 401) answer = await call(path, request, await accessToken(client, mailbox.credentials, context, token));
    if (answer.status >= 400) throw graphError(answer);
    return answer;
  };
}

/** The mailbox's own resources: the app's, a person's and a shared mailbox are all reached by address. */
export function userPath(mailbox: Mailbox): string {
  return `/users/${encodeURIComponent(mailbox.sourceChannelId)}`;
}

function addressOf(path: string, root: string): string {
  if (!/^https?:\/\//i.test(path)) return root + path;
  const url = new URL(path);
  return new URL(root).origin + url.pathname + url.search;
}

function graphError(answer: HttpResponse): ProviderError {
  const { error } = (answer.json() ?? {}) as { error?: { code?: string; message?: string } };
  const code = error?.code ?? String(answer.status);
  const retryAfter = Number(answer.headers.get('retry-after'));
  const retryAfterMs = Number.isFinite(retryAfter) && retryAfter > 0 ? retryAfter * 1000 : undefined;
  return new ProviderError(classOf(answer.status, code), error?.message || `Microsoft answered ${answer.status}`, {
    code,
    status: answer.status,
    raw: answer.json() ?? answer.text().slice(0, 2000),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(answer.status === 401 || answer.status === 403
      ? { scope: 'channel' as const, hint: 'Grant the app Mail.ReadWrite and Mail.Send for this mailbox.' }
      : {}),
  });
}

/** Whoever stands in for Graph need not have every route; Graph's own 404s carry a code. Throws all else. */
export function notOffered(error: unknown): undefined {
  if (!(error instanceof ProviderError) || (error.status !== 404 && error.status !== 405) || error.code !== String(error.status))
    throw error;
}

function classOf(status: number, code: string): ProviderErrorClass {
  if (status === 429 || code === 'ApplicationThrottled' || code === 'ErrorMessageThrottled') return 'rate-limited';
  if (status === 401 || status === 403) return 'unauthorized';
  if (status >= 500 || status === 408 || status === 409 || status === 423) return 'retry';
  if (code === 'ErrorInvalidRecipients' || code === 'ErrorRecipientNotFound') return 'recipient-unreachable';
  return 'rejected';
}
