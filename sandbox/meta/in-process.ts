/** Reaches a stand-in without a network: what channels of test keys are given as their way out. */
import type { HttpClient } from '../../server/src/connectors/connector.ts';
import { ProviderError } from '../../server/src/model/errors.ts';
import type { MetaSandbox } from './index.ts';

/** Where an in-process stand-in seems to be; set as META_GRAPH_URL for the channels that use it. */
export const IN_PROCESS_URL = 'http://graph.sandbox.invalid';

/** Calls to `IN_PROCESS_URL` are answered by the stand-in; there is no way to any other address. */
export function inProcessHttp({ app }: Pick<MetaSandbox, 'app'>): HttpClient {
  return async (address, request = {}) => {
    const url = new URL(address);
    if (url.origin !== IN_PROCESS_URL) throw new ProviderError('rejected', `A sandbox channel does not call ${url.origin}`);
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
