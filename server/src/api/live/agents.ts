/** `/ws.communication`: agents follow `/events` of their workspace. */
import type { IncomingMessage } from 'node:http';
import type { FastifyInstance } from 'fastify';
import type { WebSocket } from 'ws';
import type { Engine } from '../../engine/engine.ts';
import { allows } from '../../model/scopes.ts';
import { type Authenticator, keyTextOf, type Principal } from '../auth.ts';
import type { LiveHub } from './hub.ts';
import { attend } from './socket.ts';

const NEEDS = 'messages:read';
/** A revoked key's sockets are closed within this time. */
const RECHECK_MS = 60_000;

/** Whether a handshake may go on: as somebody, or as nobody who proves it in the CONNECT frame. */
export type Admission = { principal: Principal | undefined } | undefined;

export class AgentSockets {
  readonly #app: FastifyInstance;
  readonly #engine: Engine;
  readonly #auth: Authenticator;
  readonly #hub: LiveHub;
  readonly #recheck = new Set<() => void>();
  readonly #timer: NodeJS.Timeout;

  constructor(app: FastifyInstance, engine: Engine, auth: Authenticator, hub: LiveHub) {
    this.#app = app;
    this.#engine = engine;
    this.#auth = auth;
    this.#hub = hub;
    this.#timer = setInterval(() => {
      for (const check of this.#recheck) check();
    }, RECHECK_MS).unref();
  }

  /**
   * Looks at a handshake. Many WebSocket clients can send no header with it: pages of allowed origins, and programs, that
   * have no cookie either may show their key in the CONNECT frame.
   */
  async admit(request: IncomingMessage): Promise<Admission> {
    const principal = await this.#identify(request);
    if (principal) return allows(principal.scopes, NEEDS) ? { principal } : undefined;
    const { origin } = request.headers;
    if (keyTextOf(request) === undefined && (!origin || this.#auth.isAllowedOrigin(origin))) return { principal: undefined };
    return undefined;
  }

  attend(socket: WebSocket, request: IncomingMessage, admission: { principal: Principal | undefined }): void {
    let { principal } = admission;
    let identify = () => this.#identify(request);
    let leave: (() => void) | undefined;
    let over = false;
    const session = attend(socket, this.#engine.log, (current) => ({
      onConnect: async (headers) => {
        if (principal) return undefined;
        const text = keyTextOf({ headers: { authorization: headers.Authorization ?? headers.authorization } });
        identify = async () => (text === undefined ? undefined : this.#auth.byKey(text));
        principal = await identify();
        return principal && allows(principal.scopes, NEEDS) ? undefined : { reject: '401 Unauthorized' };
      },
      onSubscribe: async ({ destination }) => {
        if (destination !== '/events' || leave || !principal) return undefined;
        const { workspaceId, sandbox } = principal;
        const stop = await this.#hub.joinAgents(workspaceId, (frames) => {
          for (const frame of frames) if (frame.sandbox || !sandbox) current().publish('/events', frame);
        });
        if (over) stop();
        else leave = stop;
        return undefined;
      },
      onDisconnect: () => {
        over = true;
        leave?.();
        this.#recheck.delete(check);
      },
    }));
    const check = () => {
      identify()
        .then((still) => {
          if (!still && session.connected) session.fail('401 Unauthorized');
        })
        .catch((error) => this.#engine.log.warn({ err: error }, 'a live listener could not be checked'));
    };
    this.#recheck.add(check);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #identify(request: IncomingMessage): Promise<Principal | undefined> {
    const cookies = this.#app.parseCookie(request.headers.cookie ?? '');
    return this.#auth.identify({ headers: request.headers, cookies, method: 'GET' });
  }
}
