/** Who is calling: a key in a header, or a person's session cookie. The same for every surface. */
import type { FastifyRequest } from 'fastify';
import { jwtVerify, SignJWT } from 'jose';
import type { Engine } from '../engine/engine.ts';
import { type ApiKey, findKey, getKey, touchKey } from '../store/keys.ts';

export const SESSION_COOKIE = 'patchbay_session';
export const SESSION_SECONDS = 30 * 24 * 3600;

/** What a caller's proof is read from: a request, or the handshake of a WebSocket. */
export type Proof = Pick<FastifyRequest, 'headers' | 'cookies' | 'method'>;

/** A caller that proved who it is. */
export interface Principal {
  workspaceId: string;
  keyId: string;
  name: string;
  scopes: string[];
  /** Its channels are stand-ins. */
  sandbox: boolean;
  via: 'key' | 'session';
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Set by a surface's guard before its handlers run. */
    principal: Principal;
  }
}

const CACHE_MS = 5_000;
const SAFE_METHODS = new Set(['GET', 'HEAD', 'OPTIONS']);

export class Authenticator {
  readonly #engine: Engine;
  readonly #sessionKey: Buffer;
  readonly #allowedOrigins: Set<string>;
  readonly #keys = new Map<string, { at: number; key: Promise<ApiKey | undefined> }>();

  constructor(engine: Engine) {
    this.#engine = engine;
    this.#sessionKey = engine.vault.derive('sessions');
    this.#allowedOrigins = new Set([new URL(engine.config.publicUrl).origin, ...engine.config.allowedOrigins]);
  }

  /** The caller; undefined when it gave no proof, or a wrong one. A cookie counts only from our own and allowed origins. */
  async identify(request: Proof): Promise<Principal | undefined> {
    const text = keyTextOf(request);
    if (text !== undefined) return this.byKey(text);
    const cookie = request.cookies[SESSION_COOKIE];
    if (!cookie || !this.#mayUseCookie(request)) return undefined;
    return this.bySession(cookie);
  }

  /** The caller with this key; undefined when there is none. */
  async byKey(text: string): Promise<Principal | undefined> {
    const key = await this.#cached(text, () => findKey(this.#engine.database, text));
    if (!key) return undefined;
    touchKey(this.#engine.database, key.workspaceId, key.id).catch((error) =>
      this.#engine.log.warn({ err: error }, 'a key could not be touched'),
    );
    return principalOf(key, 'key');
  }

  /** The person with this session; undefined when it ended, or when its key was revoked. */
  async bySession(token: string): Promise<Principal | undefined> {
    let claims: { workspace?: unknown; sub?: string | undefined };
    try {
      claims = (await jwtVerify(token, this.#sessionKey, { algorithms: ['HS256'], audience: 'session' })).payload;
    } catch {
      return undefined;
    }
    const { workspace, sub } = claims;
    if (typeof workspace !== 'string' || !sub) return undefined;
    const key = await this.#cached(`session ${workspace} ${sub}`, () => getKey(this.#engine.database, workspace, sub));
    return key && principalOf(key, 'session');
  }

  /** A session for whoever showed a key; ends with the key. */
  async openSession(principal: Principal): Promise<string> {
    return new SignJWT({ workspace: principal.workspaceId })
      .setProtectedHeader({ alg: 'HS256' })
      .setSubject(principal.keyId)
      .setAudience('session')
      .setIssuedAt()
      .setExpirationTime(`${SESSION_SECONDS}s`)
      .sign(this.#sessionKey);
  }

  /** After a key was revoked: it stops working in this process at once, in others within seconds. */
  forget(): void {
    this.#keys.clear();
  }

  /** True for our own pages and for the origins that were allowed. */
  isAllowedOrigin(origin: string): boolean {
    return this.#allowedOrigins.has(origin);
  }

  /** Other people's pages can make a browser send our cookie; only ours may make it do something. */
  #mayUseCookie(request: Proof): boolean {
    const { origin, host } = request.headers;
    if (origin) return this.#allowedOrigins.has(origin) || URL.parse(origin)?.host === host;
    return SAFE_METHODS.has(request.method) || request.headers['sec-fetch-site'] === 'same-origin';
  }

  #cached(id: string, load: () => Promise<ApiKey | undefined>): Promise<ApiKey | undefined> {
    const now = Date.now();
    const entry = this.#keys.get(id);
    if (entry && now - entry.at < CACHE_MS) return entry.key;
    if (this.#keys.size > 5_000) this.#keys.clear();
    const key = load();
    this.#keys.set(id, { at: now, key });
    key.catch(() => this.#keys.delete(id));
    return key;
  }
}

/** The key as any of the four products' clients send it. */
export function keyTextOf(request: { headers: FastifyRequest['headers'] }): string | undefined {
  const header = request.headers['x-api-key'];
  if (typeof header === 'string' && header) return header.trim();
  const authorization = request.headers.authorization;
  if (!authorization) return undefined;
  return authorization.replace(/^(Bearer|AccessKey)\s+/i, '').trim();
}

function principalOf(key: ApiKey, via: Principal['via']): Principal {
  return { workspaceId: key.workspaceId, keyId: key.id, name: key.name, scopes: key.scopes, sandbox: key.sandbox, via };
}
