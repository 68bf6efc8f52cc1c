/** What connectors get to work with, in tests: a real HTTP client over fetch, settings from a map, a memo in memory. */

import type { ChannelView, ConnectorContext, HookRequest, HttpClient, ProviderConfig } from '../../src/connectors/connector.ts';
import { PatchbayError, ProviderError } from '../../src/model/errors.ts';

export const realHttp: HttpClient = async (url, request = {}) => {
  let response: Response;
  try {
    response = await fetch(url, {
      method: request.method ?? 'GET',
      headers: request.headers,
      body: request.body as RequestInit['body'],
      redirect: 'manual',
      signal: AbortSignal.timeout(request.timeoutMs ?? 10_000),
    });
  } catch (error) {
    const refused = (error as { cause?: { code?: string } }).cause?.code === 'ECONNREFUSED';
    throw new ProviderError(refused ? 'retry' : 'unknown-outcome', `no answer from ${new URL(url).host}`, { cause: error });
  }
  const body = Buffer.from(await response.arrayBuffer());
  return {
    status: response.status,
    headers: response.headers,
    body,
    text: () => body.toString('utf8'),
    json: () => {
      try {
        return JSON.parse(body.toString('utf8')) as unknown;
      } catch {
        return undefined;
      }
    },
  };
};

export function configOf(settings: Record<string, string | undefined>): ProviderConfig {
  return {
    publicUrl: settings.PUBLIC_URL ?? 'http://localhost:3000',
    get: (name) => settings[name],
    require: (name) => {
      const value = settings[name];
      if (!value) throw new PatchbayError('setting-missing', `${name} is not set`, { details: { setting: name } });
      return value;
    },
  };
}

export function contextOf(settings: Record<string, string | undefined>, http: HttpClient = realHttp): ConnectorContext {
  const memo = new Map<string, unknown>();
  return {
    http,
    config: configOf(settings),
    now: () => new Date(),
    log: { info: () => undefined, warn: () => undefined },
    openMedia: async () => undefined,
    mediaUrl: (id) => `${settings.PUBLIC_URL ?? 'http://localhost:3000'}/media/${id}`,
    memo: {
      get: async (key) => memo.get(key),
      claim: async (key) => !memo.has(key) && Boolean(memo.set(key, true)),
      drop: async (key) => void memo.delete(key),
      set: async (key, value) => void memo.set(key, value),
    },
  };
}

export function channelOf(fields: Partial<ChannelView> & { sourceChannelId: string }): ChannelView {
  return {
    id: '01890000-0000-7000-8000-000000000001',
    workspaceId: '01890000-0000-7000-8000-000000000000',
    name: 'Test',
    sandbox: false,
    settings: {},
    credentials: {},
    details: {},
    ...fields,
  };
}

/** A request as the server hands it to a hook. */
export function hookRequest(url: string, body: string | Buffer, headers: Record<string, string>, method = 'POST'): HookRequest {
  const parsed = new URL(url);
  return { method, url, path: parsed.pathname, query: Object.fromEntries(parsed.searchParams), headers, body: Buffer.from(body) };
}
