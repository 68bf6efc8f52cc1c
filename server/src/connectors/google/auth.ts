/** Access tokens for a Google service account (RFC 7523; developers.google.com/identity/protocols/oauth2/service-account). */
import { readFile } from 'node:fs/promises';
import { importPKCS8, SignJWT } from 'jose';
import { PatchbayError, ProviderError } from '../../model/errors.ts';
import type { ConnectorContext } from '../connector.ts';

export interface ServiceAccount {
  client_email: string;
  private_key: string;
  private_key_id?: string;
  token_uri: string;
}

/**
 * The service account to call Google with: a channel's own, else GOOGLE_SERVICE_ACCOUNT as JSON or as a path to it.
 * @throws setting-missing, or an error that says what is wrong with the account
 */
export async function serviceAccountOf(own: string | undefined, context: ConnectorContext): Promise<ServiceAccount> {
  const given = own || context.config.require('GOOGLE_SERVICE_ACCOUNT');
  const where = own ? 'service_account' : 'GOOGLE_SERVICE_ACCOUNT';
  const json = given.trimStart().startsWith('{') ? given : own ? given : await read(given, where);
  return check(json, where);
}

async function read(path: string, where: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new PatchbayError('setting-missing', `${where} is neither JSON nor a file that can be read`, { cause });
  }
}

function check(json: string, where: string): ServiceAccount {
  let value: Partial<ServiceAccount>;
  try {
    value = JSON.parse(json) as Partial<ServiceAccount>;
  } catch (cause) {
    throw new PatchbayError('invalid', `${where} is not JSON`, { problems: [{ field: 'service_account', message: 'is not JSON' }], cause });
  }
  const missing = (['client_email', 'private_key'] as const).find((field) => typeof value?.[field] !== 'string');
  if (missing) {
    throw new PatchbayError('invalid', `${where} has no ${missing}`, {
      problems: [{ field: 'service_account', message: `has no ${missing}` }],
    });
  }
  if (value.token_uri !== undefined && !URL.canParse(value.token_uri)) {
    throw new PatchbayError('invalid', `${where} has a token_uri that is no address`, {
      problems: [{ field: 'service_account', message: 'has a token_uri that is no address' }],
    });
  }
  return { ...(value as ServiceAccount), token_uri: value.token_uri ?? 'https://oauth2.googleapis.com/token' };
}

/** The same for a channel that is connected: an account that is gone or broken stops the channel, not the program. */
export async function serviceAccountOfChannel(own: string | undefined, context: ConnectorContext): Promise<ServiceAccount> {
  try {
    return await serviceAccountOf(own, context);
  } catch (cause) {
    if (cause instanceof PatchbayError) throw new ProviderError('unauthorized', cause.message, { scope: 'channel', cause });
    throw cause;
  }
}

/** A bearer token for one scope, kept until shortly before it ends. `fresh` asks for a new one. */
export async function accessToken(
  account: ServiceAccount,
  scope: string,
  context: ConnectorContext,
  options: { fresh?: boolean } = {},
): Promise<string> {
  const key = `google-token:${scope}:${account.client_email}`;
  const known = options.fresh ? undefined : await context.memo.get(key);
  if (typeof known === 'string') return known;
  const response = await context.http(tokenUrl(account, context), {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({
      grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
      assertion: await assertion(account, scope, context.now()),
    }).toString(),
  });
  const answer = (response.json() ?? {}) as { access_token?: string; expires_in?: number; error?: string; error_description?: string };
  if (response.status === 429 || response.status >= 500)
    throw new ProviderError('retry', `Google sign-in answered with status ${response.status}`);
  if (response.status >= 300 || !answer.access_token) {
    throw new ProviderError(
      'unauthorized',
      answer.error_description ?? answer.error ?? `Google sign-in answered with status ${response.status}`,
      {
        code: answer.error,
        status: response.status,
        scope: 'channel',
        hint: 'Check the service account’s key and that the API is enabled for it.',
        raw: answer,
      },
    );
  }
  await context.memo.set(key, answer.access_token, Math.max((answer.expires_in ?? 3600) - 60, 1));
  return answer.access_token;
}

/** Where Google's own sign-in is meant, the installation may name another address for it. */
function tokenUrl({ token_uri }: ServiceAccount, context: ConnectorContext): string {
  const base = context.config.get('GOOGLE_OAUTH_URL');
  return base && new URL(token_uri).hostname.endsWith('googleapis.com') ? `${base.replace(/\/+$/, '')}/token` : token_uri;
}

async function assertion(account: ServiceAccount, scope: string, now: Date): Promise<string> {
  const seconds = Math.floor(now.getTime() / 1000);
  try {
    const key = await importPKCS8(account.private_key, 'RS256');
    return await new SignJWT({ scope })
      .setProtectedHeader({ alg: 'RS256', typ: 'JWT', ...(account.private_key_id ? { kid: account.private_key_id } : {}) })
      .setIssuer(account.client_email)
      .setSubject(account.client_email)
      .setAudience(account.token_uri)
      .setIssuedAt(seconds)
      .setExpirationTime(seconds + 3600)
      .sign(key);
  } catch (cause) {
    throw new ProviderError('unauthorized', `The service account's private key cannot be used: ${(cause as Error).message}`, {
      scope: 'channel',
      hint: 'Download a new key for the service account.',
      cause,
    });
  }
}
