/**
 * Access to mailboxes at Microsoft and Google (OAuth 2.0): the consent page, code and refresh exchange, client
 * credentials. Access tokens are kept in the channel's memo until shortly before they end; so is a refresh token that
 * the provider exchanged for a newer one.
 */
import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { ProviderError } from '../../model/errors.ts';
import type { ConnectorContext, ConsentRequest, ProviderConfig } from '../connector.ts';
import type { MailCredentials, MailSettings } from './settings.ts';

export type Authority = 'microsoft' | 'google';

export interface Grant {
  accessToken: string;
  /** Seconds. */
  expiresIn: number;
  refreshToken?: string;
}

/** What an OAuth client needs to know of a mailbox. */
export interface Client {
  authority: Authority;
  clientId: string;
  clientSecret?: string;
  /** Microsoft: the directory. */
  tenant: string;
  scopes: string[];
}

const MICROSOFT_LOGIN = 'https://login.microsoftonline.com';
const GOOGLE_TOKEN = 'https://oauth2.googleapis.com';
const GOOGLE_CONSENT = 'https://accounts.google.com';

/** Code of the error when nobody has consented to the access yet. */
export const CONSENT_REQUIRED = 'consent_required';
/** How long one that refreshes keeps the others waiting when it dies. */
const REFRESH_SECONDS = 20;
const LOOK_MS = 150;
/** Microsoft's refresh tokens are good for 90 days. */
const ROTATED_SECONDS = 85 * 86_400;

export const SCOPES = {
  graph: ['https://graph.microsoft.com/Mail.ReadWrite', 'https://graph.microsoft.com/Mail.Send', 'offline_access'],
  graphShared: ['https://graph.microsoft.com/Mail.ReadWrite.Shared', 'https://graph.microsoft.com/Mail.Send.Shared'],
  gmail: ['https://www.googleapis.com/auth/gmail.modify', 'https://www.googleapis.com/auth/gmail.send'],
  microsoftServers: ['https://outlook.office.com/IMAP.AccessAsUser.All', 'https://outlook.office.com/SMTP.Send', 'offline_access'],
  googleServers: ['https://mail.google.com/'],
};

/** The OAuth client of a mailbox: its own, else the installation's. Throws when there is no client id. */
export function clientOf(
  authority: Authority,
  scopes: string[],
  settings: MailSettings,
  credentials: MailCredentials,
  config: ProviderConfig,
): Client {
  const clientId = settings.client_id ?? (authority === 'google' ? config.require('GOOGLE_CLIENT_ID') : undefined);
  if (!clientId) throw new ProviderError('rejected', 'client_id is missing: the id of the app in Microsoft Entra', { code: 'client_id' });
  const secret = credentials.client_secret ?? config.get(authority === 'google' ? 'GOOGLE_CLIENT_SECRET' : 'MICROSOFT_CLIENT_SECRET');
  return { authority, clientId, ...(secret ? { clientSecret: secret } : {}), tenant: settings.tenant_id ?? 'common', scopes };
}

/** The page where a person lets us in, with PKCE; `keep` belongs to the answer. */
export function consentPage(
  client: Client,
  config: ProviderConfig,
  request: { redirectUri: string; state: string; loginHint: string },
): ConsentRequest {
  const verifier = randomBytes(32).toString('base64url');
  const url = new URL(
    client.authority === 'microsoft'
      ? `${base(config, 'MICROSOFT_LOGIN_URL', MICROSOFT_LOGIN)}/${encodeURIComponent(client.tenant)}/oauth2/v2.0/authorize`
      : `${base(config, 'GOOGLE_OAUTH_URL', GOOGLE_CONSENT)}/o/oauth2/v2/auth`,
  );
  const parameters = {
    client_id: client.clientId,
    response_type: 'code',
    redirect_uri: request.redirectUri,
    scope: client.scopes.join(' '),
    state: request.state,
    login_hint: request.loginHint,
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
    // Google hands out a refresh token only when asked for it and consented anew.
    ...(client.authority === 'google'
      ? { access_type: 'offline', prompt: 'consent' }
      : { response_mode: 'query', prompt: 'select_account' }),
  };
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return { url: url.toString(), keep: { verifier } };
}

export function exchangeCode(
  client: Client,
  context: ConnectorContext,
  answer: { code: string; redirectUri: string; verifier: string },
): Promise<Grant> {
  return ask(client, context, {
    grant_type: 'authorization_code',
    code: answer.code,
    redirect_uri: answer.redirectUri,
    code_verifier: answer.verifier,
  });
}

/** A fresh grant: by the refresh token where there is one, else as the app itself (Microsoft only). */
export function refresh(client: Client, context: ConnectorContext, refreshToken: string | undefined): Promise<Grant> {
  if (refreshToken)
    return ask(client, context, {
      grant_type: 'refresh_token',
      refresh_token: refreshToken,
      ...(client.authority === 'microsoft' ? { scope: client.scopes.join(' ') } : {}),
    });
  if (client.authority === 'google' || !client.clientSecret) {
    throw new ProviderError('unauthorized', 'Nobody has consented to the access to this mailbox yet.', {
      code: CONSENT_REQUIRED,
      scope: 'channel',
      hint: 'Open the channel and grant access.',
    });
  }
  return ask(client, context, { grant_type: 'client_credentials', scope: 'https://graph.microsoft.com/.default' });
}

/**
 * A valid access token of a connected mailbox, refreshed five minutes before it ends, or at once when it was refused. Of
 * all who want one at the same moment, in every process, one asks: a refresh token may be good only once.
 */
export async function accessToken(
  client: Client,
  credentials: MailCredentials,
  context: ConnectorContext,
  refused?: string,
): Promise<string> {
  const origin = createHash('sha256')
    .update(
      `${client.clientId} ${client.tenant} ${client.scopes.join(' ')} ${client.clientSecret ?? ''} ${credentials.refresh_token ?? ''}`,
    )
    .digest('hex')
    .slice(0, 16);
  for (;;) {
    const kept = await context.memo.get(`access:${origin}`);
    if (typeof kept === 'string' && kept !== refused) return kept;
    if (await context.memo.claim(`refreshing:${origin}`, REFRESH_SECONDS)) break;
    await sleep(LOOK_MS);
  }
  try {
    // Somebody may have been quicker between our look and our claim.
    const kept = await context.memo.get(`access:${origin}`);
    return typeof kept === 'string' && kept !== refused ? kept : await renewed(client, credentials, context, origin);
  } finally {
    await context.memo.drop(`refreshing:${origin}`);
  }
}

async function renewed(client: Client, credentials: MailCredentials, context: ConnectorContext, origin: string): Promise<string> {
  const { refresh_token: first } = credentials;
  const grant = await refresh(client, context, first && ((await rotatedFrom(first, context)) ?? first));
  if (first && grant.refreshToken) await context.memo.set(rotationOf(first), grant.refreshToken, ROTATED_SECONDS);
  const early = Math.min(300, grant.expiresIn / 2);
  await context.memo.set(`access:${origin}`, grant.accessToken, grant.expiresIn - early);
  return grant.accessToken;
}

/** The refresh token that the provider exchanged a given one for, the last time; undefined when it never did. */
export async function rotatedFrom(refreshToken: string, context: ConnectorContext): Promise<string | undefined> {
  const rotated = await context.memo.get(rotationOf(refreshToken));
  return typeof rotated === 'string' ? rotated : undefined;
}

function rotationOf(refreshToken: string): string {
  return `refresh:${createHash('sha256').update(refreshToken).digest('hex').slice(0, 32)}`;
}

async function ask(client: Client, context: ConnectorContext, fields: Record<string, string>): Promise<Grant> {
  const url =
    client.authority === 'microsoft'
      ? `${base(context.config, 'MICROSOFT_LOGIN_URL', MICROSOFT_LOGIN)}/${encodeURIComponent(client.tenant)}/oauth2/v2.0/token`
      : `${base(context.config, 'GOOGLE_OAUTH_URL', GOOGLE_TOKEN)}/token`;
  const body = new URLSearchParams({
    ...fields,
    client_id: client.clientId,
    ...(client.clientSecret ? { client_secret: client.clientSecret } : {}),
  });
  const answer = await context
    .http(url, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
      body: body.toString(),
    })
    .catch((error: unknown) => {
      // Asking for a token twice does no harm, whatever became of the first request.
      if (error instanceof ProviderError && error.class === 'unknown-outcome')
        throw new ProviderError('retry', error.message, { cause: error, scope: 'channel' });
      throw error;
    });
  const json = (answer.json() ?? {}) as Record<string, unknown>;
  if (answer.status === 200 && typeof json.access_token === 'string') {
    return {
      accessToken: json.access_token,
      expiresIn: Number(json.expires_in) || 3600,
      ...(typeof json.refresh_token === 'string' ? { refreshToken: json.refresh_token } : {}),
    };
  }
  throw refusal(answer.status, json, answer.headers.get('retry-after'));
}

function refusal(status: number, json: Record<string, unknown>, retryAfter: string | null): ProviderError {
  const code = typeof json.error === 'string' ? json.error : String(status);
  const words = typeof json.error_description === 'string' ? json.error_description.split(/\r?\n/, 1)[0]! : code;
  if (status === 429 || status >= 500) {
    return new ProviderError(status === 429 ? 'rate-limited' : 'retry', words, {
      status,
      code,
      scope: 'channel',
      ...(retryAfter ? { retryAfterMs: Number(retryAfter) * 1000 || 60_000 } : {}),
    });
  }
  return new ProviderError('unauthorized', words, {
    status,
    code,
    scope: 'channel',
    raw: json,
    hint: isClientRefused(code, words) ? 'The client id or secret is wrong or has expired.' : 'Open the channel and grant access again.',
  });
}

/** True when the client itself is refused, rather than its access to the mailbox missing. */
export function isClientRefused(code: string | undefined, words: string): boolean {
  return code === 'invalid_client' && !/AADSTS(?:700016|90002|65001)/.test(words);
}

export function base(config: ProviderConfig, name: string, fallback: string): string {
  return (config.get(name) ?? fallback).replace(/\/+$/, '');
}
