/** The one way out of the house: every request that Patchbay makes goes through here. */
import { lookup } from 'node:dns';
import { lookup as lookupHost } from 'node:dns/promises';
import { BlockList, isIP, isIPv6 } from 'node:net';
import type { Readable } from 'node:stream';
import { Agent, buildConnector, request as undiciRequest } from 'undici';
import type { HttpClient, HttpRequest, HttpResponse } from '../connectors/connector.ts';
import { PatchbayError, ProviderError } from '../model/errors.ts';

const PRIVATE = new BlockList();
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
] as const)
  PRIVATE.addSubnet(network, prefix, 'ipv4');
for (const [network, prefix] of [
  ['::', 128],
  ['::1', 128],
  ['fc00::', 7],
  ['fe80::', 10],
  ['ff00::', 8],
  ['64:ff9b::', 96],
] as const) {
  PRIVATE.addSubnet(network, prefix, 'ipv6');
}

/** True for loopback, private, link-local and reserved addresses, also when written as IPv4 inside IPv6. */
export function isPrivateAddress(address: string): boolean {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped) return PRIVATE.check(mapped[1]!, 'ipv4');
  return PRIVATE.check(address, isIPv6(address) ? 'ipv6' : 'ipv4');
}

/**
 * For protocols that are no HTTP: the address to dial for a host, refusing what the HTTP client would refuse. Throws
 * `ProviderError`.
 */
export function createHostResolver(options: { allowPrivate: boolean }): (host: string) => Promise<string> {
  return async (host) => {
    const bare = host.replace(/^\[|\]$/g, '');
    const address = isIP(bare) ? bare : await resolved(bare);
    if (!options.allowPrivate && isPrivateAddress(address)) {
      throw new ProviderError('rejected', new BlockedAddress(host).message, { code: 'blocked-address', scope: 'channel' });
    }
    return address;
  };
}

async function resolved(host: string): Promise<string> {
  try {
    return (await lookupHost(host)).address;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new ProviderError('retry', `${host} is not known to the DNS (${code ?? 'no answer'})`, { code, scope: 'channel', cause: error });
  }
}

const MAX_REDIRECTS = 3;

export interface HttpClientOptions {
  allowPrivate: boolean;
  /** Which addresses are out of bounds; those that `isPrivateAddress` knows unless said. */
  isPrivate?: (address: string) => boolean;
  /** Asks the DNS; the system's resolver unless said. */
  resolve?: (host: string, callback: (error: Error | null, address: string) => void) => void;
}

/**
 * Makes the client. Unless `allowPrivate`, names are resolved here and the connection goes to the very address that was
 * checked, so that neither a redirect nor a name that resolves anew can reach the inside of a network.
 */
export function createHttpClient(options: HttpClientOptions): HttpClient & { close(): Promise<void> } {
  const { isPrivate = isPrivateAddress, resolve = lookup } = options;
  const connect = buildConnector({ timeout: 5_000 });
  const agent = new Agent({
    connections: 256,
    pipelining: 1,
    headersTimeout: 30_000,
    connect: options.allowPrivate
      ? { timeout: 5_000 }
      : (target, callback) => {
          const host = target.hostname.replace(/^\[|\]$/g, '');
          const use = (error: Error | null, address: string) => {
            if (error) return callback(error, null);
            if (isPrivate(address)) return callback(new BlockedAddress(host), null);
            connect({ ...target, hostname: address, servername: target.servername ?? (isIP(host) ? undefined : host) }, callback);
          };
          if (isIP(host)) use(null, host);
          else resolve(host, use);
        },
  });

  const client = async (url: string, request: HttpRequest = {}): Promise<HttpResponse> => {
    let target = new URL(url);
    let method = request.method ?? 'GET';
    let body = request.body;
    for (let hop = 0; ; hop++) {
      if (target.protocol !== 'https:' && target.protocol !== 'http:')
        throw new ProviderError('rejected', `${target.protocol} addresses are not called`);
      const response = await exchange(agent, target, method, body, request);
      const location = response.headers.get('location');
      if (response.status < 300 || response.status > 399 || !location || hop === MAX_REDIRECTS || request.followRedirects === false)
        return response;
      const next = new URL(location, target);
      if (next.origin !== target.origin && request.headers) request = { ...request, headers: withoutSecrets(request.headers) };
      if (response.status === 303 || (method === 'POST' && response.status < 303)) {
        method = 'GET';
        body = undefined;
      }
      target = next;
    }
  };
  return Object.assign(client, { close: () => agent.close() });
}

class BlockedAddress extends Error {
  constructor(host: string) {
    super(`${host} is a private address; ALLOW_PRIVATE_NETWORK=1 allows it`);
  }
}

async function exchange(agent: Agent, url: URL, method: string, body: HttpRequest['body'], request: HttpRequest): Promise<HttpResponse> {
  const signal = AbortSignal.timeout(request.timeoutMs ?? 10_000);
  const maxBytes = request.maxBytes ?? 10_000_000;
  try {
    const answer = await undiciRequest(url, {
      method: method as 'GET',
      headers: request.headers ?? {},
      body: (body ?? null) as string | null,
      signal,
      dispatcher: agent,
    });
    const chunks: Buffer[] = [];
    const arriving = limited(answer.body, maxBytes, url, answer.statusCode);
    if (request.into && answer.statusCode >= 200 && answer.statusCode < 300) await request.into(arriving);
    else for await (const chunk of arriving) chunks.push(chunk);
    const data = Buffer.concat(chunks);
    return {
      status: answer.statusCode,
      headers: headersOf(answer.headers),
      body: data,
      text: () => data.toString('utf8'),
      json: () => {
        try {
          return JSON.parse(data.toString('utf8'));
        } catch {
          return undefined;
        }
      },
    };
  } catch (error) {
    throw classed(error, url);
  }
}

async function* limited(body: Readable, maxBytes: number, url: URL, status: number): AsyncGenerator<Buffer> {
  let size = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes) throw new ProviderError('rejected', `the answer of ${url.host} is larger than ${maxBytes} bytes`, { status });
    yield chunk;
  }
}

const NEVER_SENT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
  'CERT_HAS_EXPIRED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);

function classed(error: unknown, url: URL): ProviderError {
  if (error instanceof ProviderError) return error;
  // Of `into`: the provider has answered, what failed is ours.
  if (error instanceof PatchbayError)
    return new ProviderError('retry', error.message, { code: error.code, scope: 'channel', cause: error });
  const code = (error as { code?: string }).code;
  if (error instanceof BlockedAddress) return new ProviderError('rejected', error.message, { code: 'blocked-address', cause: error });
  if (code && NEVER_SENT.has(code))
    return new ProviderError('retry', `${url.host} could not be reached (${code})`, { code, scope: 'channel', cause: error });
  const what = error instanceof Error ? error.message : String(error);
  return new ProviderError('unknown-outcome', `${url.host} did not answer (${what})`, { code, cause: error });
}

function withoutSecrets(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !/^(authorization|cookie|x-api-key)$/i.test(name)));
}

function headersOf(raw: Record<string, string | string[] | undefined>): Headers {
  const headers = new Headers();
  for (const [name, value] of Object.entries(raw)) {
    for (const item of Array.isArray(value) ? value : [value]) if (item !== undefined) headers.append(name, item);
  }
  return headers;
}
