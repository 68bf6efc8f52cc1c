/**
 * The Graph API over `ctx.http`. The token travels in the Authorization header, so that it is in no address and no log.
 * developers.facebook.com/docs/graph-api
 */
import { ProviderError } from '../../model/errors.ts';
import type { ConnectorContext, HttpRequest, HttpResponse } from '../connector.ts';
import { errorOf } from './errors.ts';
import { type Json, record, records, text } from './values.ts';

export const GRAPH_VERSION = 'v25.0';
const FACEBOOK_URL = 'https://graph.facebook.com';
const INSTAGRAM_URL = 'https://graph.instagram.com';
const PAGES_AT_MOST = 200;

export interface Call {
  method?: 'GET' | 'POST' | 'DELETE';
  token?: string;
  query?: Record<string, string | undefined>;
  json?: unknown;
  form?: FormData;
  timeoutMs?: number;
  /** The few paths of Instagram Login that know no version. */
  versionless?: boolean;
  /** Doing it twice does no harm: an answer that got lost is then a reason to try again, not an unknown outcome. */
  repeatable?: boolean;
}

export interface Graph {
  /** One call; `path` without slash and version. Throws `ProviderError`. */
  call(path: string, call?: Call): Promise<Json>;
  /** Every entry of a paged edge, over all pages. */
  all(path: string, call?: Call): Promise<Json[]>;
  /** A file behind an address that the Graph API named. */
  download(url: string, options: { token?: string; maxBytes: number }): Promise<HttpResponse>;
}

/**
 * The client for one channel: `token` signs each call that names no other. `login: 'instagram'` is for the tokens of
 * Instagram's own users, which only Instagram's host knows.
 */
export function graph(context: ConnectorContext, options: { token?: string; version?: string; login?: 'instagram' } = {}): Graph {
  const { config } = context;
  const host =
    options.login === 'instagram' ? (config.get('META_INSTAGRAM_URL') ?? INSTAGRAM_URL) : (config.get('META_GRAPH_URL') ?? FACEBOOK_URL);
  const base = host.replace(/\/+$/, '');
  const versioned = `${base}/${options.version || GRAPH_VERSION}`;

  async function call(path: string, call: Call = {}): Promise<Json> {
    const method = call.method ?? 'GET';
    const token = call.token ?? options.token;
    const request: HttpRequest = { method, headers: { accept: 'application/json' } };
    if (token) request.headers!.authorization = `Bearer ${token}`;
    if (call.json !== undefined) {
      request.headers!['content-type'] = 'application/json';
      request.body = JSON.stringify(call.json);
    } else if (call.form) request.body = call.form;
    if (call.timeoutMs) request.timeoutMs = call.timeoutMs;
    const response = await reach(
      () => context.http(addressOf(call.versionless ? base : versioned, path, call.query), request),
      call.repeatable ?? method !== 'POST',
    );
    const body = response.json();
    if (response.status >= 200 && response.status < 300 && record(body)?.error === undefined) {
      const answer = record(body);
      if (answer) return answer;
      // A send that Meta took but whose answer cannot be read was carried out all the same.
      throw new ProviderError(call.repeatable || method !== 'POST' ? 'retry' : 'unknown-outcome', 'Meta’s answer is not JSON', {
        status: response.status,
        raw: response.text().slice(0, 2_000),
      });
    }
    throw errorOf(response.status, body ?? response.text().slice(0, 2_000), response.headers);
  }

  async function all(path: string, first: Call = {}): Promise<Json[]> {
    const found: Json[] = [];
    const seen = new Set<string>();
    let query = first.query ?? {};
    for (let page = 0; page < PAGES_AT_MOST; page++) {
      const answer = await call(path, { ...first, query });
      found.push(...records(answer.data));
      const paging = record(answer.paging);
      const after = text(record(paging?.cursors)?.after) ?? cursorOf(text(paging?.next));
      if (!paging?.next || !after || seen.has(after)) return found;
      seen.add(after);
      query = { ...query, after };
    }
    throw new ProviderError('retry', `Meta’s list ${path} has more than ${PAGES_AT_MOST} pages`);
  }

  async function download(url: string, { token, maxBytes }: { token?: string; maxBytes: number }): Promise<HttpResponse> {
    const headers: Record<string, string> = token ? { authorization: `Bearer ${token}` } : {};
    const response = await reach(() => context.http(url, { headers, maxBytes, timeoutMs: 60_000 }), true);
    if (response.status >= 200 && response.status < 300) return response;
    throw errorOf(response.status, response.json(), response.headers);
  }

  return { call, all, download };
}

async function reach(attempt: () => Promise<HttpResponse>, repeatable: boolean): Promise<HttpResponse> {
  try {
    return await attempt();
  } catch (error) {
    if (repeatable && error instanceof ProviderError && error.class === 'unknown-outcome') {
      throw new ProviderError('retry', error.message, { cause: error });
    }
    throw error;
  }
}

function addressOf(root: string, path: string, query: Record<string, string | undefined> = {}): string {
  const url = new URL(`${root}/${path.split('/').map(encodeURIComponent).join('/')}`);
  for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, value);
  return url.href;
}

function cursorOf(next: string | undefined): string | undefined {
  if (!next || !URL.canParse(next)) return undefined;
  return new URL(next).searchParams.get('after') ?? undefined;
}
