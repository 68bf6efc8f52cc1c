/**
 * The way to a mail server, step by step: name, connection, encryption, sign-in, folder. A failure says which step it
 * was, in the server's words and in plain ones.
 */
import { lookup } from 'node:dns/promises';
import { connect as tcpConnect } from 'node:net';
import { ProviderError, type ProviderErrorClass } from '../../model/errors.ts';
import type { ConnectorContext } from '../connector.ts';

export type Step = 'dns' | 'tcp' | 'tls' | 'login' | 'select' | 'smtp';

const PLAIN: Record<Step, string> = {
  dns: 'the name of the server is not known',
  tcp: 'the server does not answer at this port',
  tls: 'no encrypted connection could be made',
  login: 'the server refused the user name or password',
  select: 'the folder could not be opened',
  smtp: 'the server refused to talk mail',
};

/** A step towards a server failed. `refused` means that the server itself said no to the credentials. */
export class StepError extends Error {
  readonly step: Step;
  readonly refused: boolean;

  constructor(step: Step, server: string, detail: string, options: { refused?: boolean; cause?: unknown } = {}) {
    super(`${server}: step ${step} failed, ${PLAIN[step]} (${detail})`, { cause: options.cause });
    this.name = 'StepError';
    this.step = step;
    this.refused = options.refused ?? false;
  }

  /** As the rest of the house reads failures. */
  asProviderError(): ProviderError {
    const errorClass: ProviderErrorClass = this.refused ? 'unauthorized' : 'retry';
    return new ProviderError(errorClass, this.message, { code: `${this.step}-failed`, scope: 'channel', cause: this.cause });
  }
}

/** A dialable address of a host, and the port open there. Throws `StepError` for dns and tcp. */
export async function reach(host: string, port: number, label: string, context: ConnectorContext, timeoutMs = 10_000): Promise<string> {
  const server = `${label} ${host}:${port}`;
  const address = await resolve(host, server, context);
  await new Promise<void>((done, fail) => {
    const socket = tcpConnect({ host: address, port, timeout: timeoutMs });
    const end = (error?: Error) => {
      socket.destroy();
      if (error) fail(new StepError('tcp', server, words(error), { cause: error }));
      else done();
    };
    socket.once('connect', () => end());
    socket.once('timeout', () => end(new Error(`no answer within ${timeoutMs / 1000} s`)));
    socket.once('error', end);
  });
  return address;
}

/** A dialable address of a host. Throws `StepError` for dns. */
export async function resolve(host: string, server: string, context: ConnectorContext): Promise<string> {
  try {
    return context.resolveHost ? await context.resolveHost(host) : (await lookup(host)).address;
  } catch (error) {
    throw new StepError('dns', server, words(error), { cause: error });
  }
}

export function words(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = (error as NodeJS.ErrnoException).code;
  return error.message || code || error.name;
}
