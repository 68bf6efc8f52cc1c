/**
 * Notifications about mailboxes: Microsoft Graph's (validation, `clientState`, lifecycle) and Gmail's by Pub/Sub push
 * (an OIDC token of Google). Both only wake the mailbox; what is new is asked for.
 */
import { timingSafeEqual } from 'node:crypto';
import { createRemoteJWKSet, customFetch, jwtVerify } from 'jose';
import { normalAddress } from '../../model/mail-address.ts';
import type { Hook, HookRequest, HttpClient, ProviderConfig } from '../connector.ts';
import { base } from './oauth.ts';
import { SOURCE, wakeEvent } from './raw.ts';
import type { Mailbox } from './settings.ts';

interface Notification {
  clientState?: unknown;
  lifecycleEvent?: unknown;
}

function notifications(request: HookRequest): Notification[] {
  const { value } = JSON.parse(request.body.toString()) as { value?: unknown };
  if (!Array.isArray(value) || value.some((item) => typeof item !== 'object' || item === null)) throw new Error('no list of notifications');
  return value as Notification[];
}

function readable<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}

function sameSecret(given: unknown, secret: string | undefined): boolean {
  if (typeof given !== 'string' || !secret) return false;
  const [a, b] = [Buffer.from(given), Buffer.from(secret)];
  return a.length === b.length && timingSafeEqual(a, b);
}

export const microsoftHook: Hook = {
  path: '/hooks/microsoft',
  source: SOURCE,
  handshake(request) {
    const token = request.query.validationToken;
    return token === undefined ? undefined : { status: 200, contentType: 'text/plain; charset=utf-8', body: token };
  },
  claims(request) {
    return request.query.mailbox ? [{ source: SOURCE, sourceChannelId: normalAddress(request.query.mailbox) }] : [];
  },
  verify(request, { channels }) {
    const list = readable(() => notifications(request));
    if (!list || list.length === 0 || list.some((item) => item.clientState === undefined)) return 'missing';
    const secrets = (channels as Mailbox[]).map((channel) => channel.credentials.client_state);
    return list.every((item) => secrets.some((secret) => sameSecret(item.clientState, secret))) ? 'ok' : 'wrong';
  },
  unpack(request) {
    const mailbox = normalAddress(request.query.mailbox ?? '');
    const reasons = new Set(
      notifications(request).map((item) => (typeof item.lifecycleEvent === 'string' ? item.lifecycleEvent : 'change')),
    );
    return [...reasons].map((reason) => wakeEvent(mailbox, reason));
  },
  reply: { status: 202 },
};

const GOOGLE_KEYS = 'https://www.googleapis.com';
const ISSUERS = ['https://accounts.google.com', 'accounts.google.com'];
/** Google's public keys by address; they rotate, jose fetches them anew when needed. */
const keySets = new Map<string, ReturnType<typeof createRemoteJWKSet>>();

function keysOf(config: ProviderConfig, http: HttpClient | undefined) {
  const url = `${base(config, 'GOOGLE_OAUTH_URL', GOOGLE_KEYS)}/oauth2/v3/certs`;
  const known = keySets.get(url);
  if (known) return known;
  const fetchKeys = async (address: string) => {
    const answer = await http!(address);
    return new Response(answer.text(), { status: answer.status, headers: { 'content-type': 'application/json' } });
  };
  const keys = createRemoteJWKSet(new URL(url), http ? { [customFetch]: fetchKeys } : {});
  keySets.set(url, keys);
  return keys;
}

function pushedAddress(request: HookRequest): string | undefined {
  const data = readable(() => (JSON.parse(request.body.toString()) as { message?: { data?: unknown } }).message?.data);
  const notice =
    typeof data === 'string' ? readable(() => JSON.parse(Buffer.from(data, 'base64').toString()) as { emailAddress?: unknown }) : undefined;
  return typeof notice?.emailAddress === 'string' ? normalAddress(notice.emailAddress) : undefined;
}

export const gmailHook: Hook = {
  path: '/hooks/gmail',
  source: SOURCE,
  claims(request) {
    const address = pushedAddress(request);
    return address ? [{ source: SOURCE, sourceChannelId: address }] : [];
  },
  async verify(request, { config, channels, http }) {
    const token = /^Bearer\s+(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
    if (!token) return 'missing';
    try {
      const audience = `${config.publicUrl.replace(/\/+$/, '')}/hooks/gmail`;
      const { payload } = await jwtVerify(token, keysOf(config, http), {
        issuer: ISSUERS,
        audience,
        algorithms: ['RS256', 'ES256'],
        clockTolerance: 60,
      });
      const accounts = (channels as Mailbox[]).map((channel) => channel.settings.push_account).filter((account) => account !== undefined);
      const trusted = payload.email_verified === true && (accounts.length === 0 || accounts.includes(String(payload.email)));
      return trusted ? 'ok' : 'wrong';
    } catch {
      return 'wrong';
    }
  },
  unpack(request) {
    const address = pushedAddress(request);
    if (!address) throw new Error('no mail address in the notification');
    return [wakeEvent(address, 'change')];
  },
  reply: { status: 204 },
};
