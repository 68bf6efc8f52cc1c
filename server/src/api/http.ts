import { createServer, type Server } from 'node:http';
import type { Socket } from 'node:net';
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify';
import { StartError } from '../start-error.ts';
import { lateCompilers } from './compilers.ts';

/** How long requests and open connections may take to end when the service stops. */
const DRAIN_MS = 4000;

export interface Address {
  host: string;
  port: number;
}

/** The HTTP server without any route. */
export function createHttp(options: { log: FastifyBaseLogger }): FastifyInstance {
  return Fastify({
    loggerInstance: options.log,
    // One line per request would cost more than most requests; failures are logged where they are answered.
    logController: new LogController({ disableRequestLogging: true }),
    // With one line a failure there is nothing to tie together by a request's number, which costs a logger per request.
    childLoggerFactory: (logger) => logger,
    bodyLimit: 1024 * 1024,
    routerOptions: { ignoreTrailingSlash: true },
    schemaController: lateCompilers(),
  });
}

/** Listens. Throws `StartError` that names the port or the host when that cannot be. */
export async function listen(app: FastifyInstance, address: Address): Promise<void> {
  await app.listen({ ...address, listenTextResolver: (at) => `listening at ${at}` }).catch((error) => {
    throw listenError(error, address);
  });
}

/**
 * Ends the server: takes no new connections, answers 503 to new requests on open ones, lets running requests finish,
 * and cuts what is still open after a few seconds.
 */
export async function drain(app: FastifyInstance, cutAfterMs = DRAIN_MS): Promise<void> {
  const cut = setTimeout(() => {
    for (const socket of socketsOf(app.server)) socket.destroy();
  }, cutAfterMs);
  // A kept-alive connection whose last request ends only now would otherwise stay open until it is cut.
  const sweep = setInterval(() => app.server.closeIdleConnections(), 50);
  try {
    await app.close();
  } finally {
    clearInterval(sweep);
    clearTimeout(cut);
  }
}

const openSockets = new WeakMap<Server, Set<Socket>>();

function socketsOf(server: Server): Set<Socket> {
  return openSockets.get(server) ?? new Set();
}

/** Remembers the open connections, WebSockets included, so that `drain` can cut the last of them. */
export function trackConnections(server: Server): void {
  const sockets = new Set<Socket>();
  openSockets.set(server, sockets);
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
}

/**
 * Answers while the service is still starting: alive, not ready. Taking the port first tells at once when somebody
 * else has it.
 */
export async function openWaitingRoom(address: Address): Promise<{ close(): Promise<void> }> {
  const server = createServer((request, response) => {
    const alive = request.url === '/healthz';
    response.writeHead(alive ? 200 : 503, { 'content-type': 'application/json', connection: 'close', 'retry-after': '1' });
    response.end(JSON.stringify({ status: alive ? 'ok' : 'starting' }));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(listenError(error, address)));
    server.listen(address.port, address.host, resolve);
  });
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listenError(error: NodeJS.ErrnoException, address: Address): Error {
  switch (error.code) {
    case 'EADDRINUSE':
      return new StartError(`port ${address.port} is in use: end what listens there, or set PORT to another one`);
    case 'EACCES':
      return new StartError(`PORT ${address.port} needs more rights than this user has: set another one`);
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EINVAL':
      return new StartError(`HOST ${address.host} is no address of this machine (${error.code})`);
    default:
      return error;
  }
}
