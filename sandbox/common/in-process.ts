/** Reaches stand-ins without a network: what channels of test keys are given as their way out. */
import type { FastifyInstance } from 'fastify';
import type { HttpClient } from '../../server/src/connectors/connector.ts';
import { ProviderError } from '../../server/src/model/errors.ts';

/** Calls to the stand-ins' addresses are answered by them; there is no way to any other address. */
export function inProcess(apps: Record<string, FastifyInstance>): HttpClient {
  return async (address, request = {}) => {
    const url = new URL(address);
    const app = apps[url.origin];
    if (!app) throw new ProviderError('rejected', `A sandbox channel does not call ${url.origin}`);
    const { method = 'GET', headers, body } = request;
    const written = new Request(url, { method, headers, body: body as BodyInit | undefined });
    const payload = body === undefined ? undefined : Buffer.from(await written.arrayBuffer());
    const sent = { ...Object.fromEntries(written.headers), host: url.host };
    const answer = await app
      .inject({ method: method as 'GET' | 'POST' | 'DELETE', url: url.pathname + url.search, headers: sent, payload })
      .catch((cause: unknown) => {
        throw new ProviderError('unknown-outcome', 'The sandbox ended the connection without an answer', { cause });
      });
    const received = Object.entries(answer.headers).map(([name, value]): [string, string] => [name, String(value)]);
    const data = answer.rawPayload;
    return {
      status: answer.statusCode,
      headers: new Headers(received),
      body: data,
      json: () => jsonOf(data),
      text: () => data.toString('utf8'),
    };
  };
}

function jsonOf(data: Buffer): unknown {
  try {
    return JSON.parse(data.toString('utf8'));
  } catch {
    return undefined;
  }
}
