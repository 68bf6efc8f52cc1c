/** What the connectors' tests share: a real HTTP client, a context, Meta's own examples. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { ChannelView, ConnectorContext, HttpClient, RawEvent } from '../../../src/connectors/connector.ts';
import { ProviderError } from '../../../src/model/errors.ts';

/** The way out without the engine's guard. */
export const http: HttpClient = async (url, request = {}) => {
  let response: Response;
  try {
    response = await fetch(url, {
      method: request.method ?? 'GET',
      headers: request.headers,
      body: request.body as BodyInit | undefined,
      signal: AbortSignal.timeout(request.timeoutMs ?? 10_000),
    });
  } catch (error) {
    const code = (error as { cause?: { code?: string } }).cause?.code;
    throw new ProviderError(code === 'ECONNREFUSED' ? 'retry' : 'unknown-outcome', String(error), { cause: error });
  }
  const body = Buffer.from(await response.arrayBuffer());
  const json = () => {
    try {
      return JSON.parse(body.toString('utf8'));
    } catch {
      return undefined;
    }
  };
  return { status: response.status, headers: response.headers, body, json, text: () => body.toString('utf8') };
};

export interface TestContext extends ConnectorContext {
  memos: Map<string, unknown>;
  files: Map<string, { data: Buffer; mimeType: string; filename?: string }>;
  calls: { url: string; method: string }[];
}

export function contextFor(settings: Record<string, string>, publicUrl = 'https://patchbay.example'): TestContext {
  const memos = new Map<string, unknown>();
  const files: TestContext['files'] = new Map();
  const calls: TestContext['calls'] = [];
  const get = (name: string) => settings[name];
  return {
    memos,
    files,
    calls,
    http: (url, request) => {
      calls.push({ url, method: request?.method ?? 'GET' });
      return http(url, request);
    },
    config: {
      publicUrl,
      get,
      require: (name) => {
        const value = get(name);
        if (!value) throw new Error(`${name} is not set`);
        return value;
      },
    },
    now: () => new Date(),
    log: { info: () => {}, warn: () => {} },
    openMedia: async (id) => files.get(id),
    mediaUrl: (id) => `https://patchbay.example/media/${id}`,
    memo: {
      get: async (key) => memos.get(key),
      claim: async (key) => !memos.has(key) && Boolean(memos.set(key, true)),
      drop: async (key) => void memos.delete(key),
      set: async (key, value) => {
        memos.set(key, value);
      },
    },
  };
}

/** A channel as the engine would make it from what `connect` found. */
export function channelOf(connected: {
  sourceChannelId: string;
  name?: string;
  settings: any;
  credentials: any;
  details?: any;
}): ChannelView<any, any> {
  return {
    id: '0199d8a0-0000-7000-8000-000000000001',
    workspaceId: '0199d8a0-0000-7000-8000-000000000002',
    sourceChannelId: connected.sourceChannelId,
    name: connected.name ?? 'Test',
    sandbox: false,
    settings: connected.settings,
    credentials: connected.credentials,
    details: connected.details ?? {},
  };
}

/** A raw event of a webhook body, as `unpack` would give it. */
export function rawOf(source: string, value: unknown, sourceChannelId: string | null = null): RawEvent {
  return { source, sourceChannelId, contentType: 'application/json', body: Buffer.from(JSON.stringify(value)), value };
}

const SPECIFICATION = join(process.env.EVIDENCE_DIR ?? '../shared/evidence', 'meta/business-messaging-api_v23.0.yaml');
export const hasEvidence = existsSync(SPECIFICATION);
if (!hasEvidence) console.warn(`SKIPPED: Meta's examples are not at ${SPECIFICATION}; set EVIDENCE_DIR`);

let specification: any;
function read(): any {
  specification ??= parse(readFileSync(SPECIFICATION, 'utf8'), { maxAliasCount: -1 });
  return specification;
}

/** Meta's example webhooks, by their titles. */
export function exampleWebhooks(): Record<string, any> {
  if (!hasEvidence) return {};
  const examples: Record<string, { value: unknown }> =
    read().paths['/whatsapp/webhooks'].post.requestBody.content['application/json'].examples;
  return Object.fromEntries(Object.entries(examples).map(([title, { value }]) => [title, value]));
}

/** Meta's example request bodies of one operation, by their titles. */
export function exampleRequests(path: string, method: string): Record<string, any> {
  if (!hasEvidence) return {};
  const examples: Record<string, { value: unknown }> = read().paths[path][method].requestBody.content['application/json'].examples ?? {};
  return Object.fromEntries(Object.entries(examples).map(([title, { value }]) => [title, value]));
}
