/** This stand-in alone as the way out, without a network. */
import type { HttpClient } from '../../server/src/connectors/connector.ts';
import { inProcess } from '../common/in-process.ts';
import type { MetaSandbox } from './index.ts';

/** Where an in-process stand-in seems to be; set as META_GRAPH_URL for the channels that use it. */
export const IN_PROCESS_URL = 'http://graph.sandbox.invalid';

/** Calls to `IN_PROCESS_URL` are answered by the stand-in; there is no way to any other address. */
export function inProcessHttp({ app }: Pick<MetaSandbox, 'app'>): HttpClient {
  return inProcess({ [IN_PROCESS_URL]: app });
}
