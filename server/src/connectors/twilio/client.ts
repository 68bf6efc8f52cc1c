/** Calls to Twilio: where they go, as whom, and what a refusal means. */
import { invalid, PatchbayError, ProviderError } from '../../model/errors.ts';
import type { ChannelView, ConnectorContext, HttpResponse, ProviderConfig } from '../connector.ts';
import { errorOf } from './errors.ts';

export interface Account {
  accountSid: string;
  authToken: string;
}

/**
 * The channel's own account, else the installation's.
 * @throws setting-missing naming TWILIO_ACCOUNT_SID or TWILIO_AUTH_TOKEN
 */
export function accountOf(credentials: { account_sid?: string; auth_token?: string }, config: ProviderConfig): Account {
  if (credentials.account_sid && credentials.auth_token) return { accountSid: credentials.account_sid, authToken: credentials.auth_token };
  const problem = halfGiven(credentials);
  if (problem) throw problem;
  return { accountSid: config.require('TWILIO_ACCOUNT_SID'), authToken: config.require('TWILIO_AUTH_TOKEN') };
}

function halfGiven(credentials: { account_sid?: string; auth_token?: string }): PatchbayError | undefined {
  if (credentials.account_sid) return invalid('auth_token', 'must be given together with account_sid');
  if (credentials.auth_token) return invalid('account_sid', 'must be given together with auth_token');
  return undefined;
}

/** The same for a channel that is connected: a missing setting stops the channel until it is back, not the program. */
export function accountOfChannel(channel: ChannelView, config: ProviderConfig): Account {
  try {
    return accountOf(channel.credentials, config);
  } catch (cause) {
    if (cause instanceof PatchbayError) throw new ProviderError('unauthorized', cause.message, { scope: 'channel', cause });
    throw cause;
  }
}

export type Service = 'api' | 'messaging' | 'content';

const TWILIO = 'https://api.twilio.com';

/** Base address of one of Twilio's services. A stand-in serves all of them; a regional host has one name per service. */
export function baseOf(service: Service, config: ProviderConfig): string {
  const api = (config.get('TWILIO_API_URL') ?? TWILIO).replace(/\/+$/, '');
  if (service === 'api') return api;
  return api.replace(/^https:\/\/api\.((?:[a-z0-9-]+\.)*twilio\.com)$/i, `https://${service}.$1`);
}

/** True when Twilio itself is called, and not a stand-in in one's own network. */
export function isTwilioItself(config: ProviderConfig): boolean {
  return new URL(baseOf('api', config)).hostname.endsWith('.twilio.com');
}

export type Parameters = Record<string, string | string[] | undefined>;

export interface Call {
  service?: Service;
  method?: 'GET' | 'POST' | 'DELETE' | 'PUT';
  /** From the service's base, or an absolute address that Twilio gave. */
  path: string;
  form?: Parameters;
  json?: unknown;
}

/** Makes one call; gives the answer whatever its status. */
export async function call(account: Account, context: ConnectorContext, request: Call): Promise<HttpResponse> {
  const headers: Record<string, string> = { authorization: basic(account), accept: 'application/json' };
  let body: string | undefined;
  if (request.form) {
    body = formOf(request.form);
    headers['content-type'] = 'application/x-www-form-urlencoded';
  } else if (request.json !== undefined) {
    body = JSON.stringify(request.json);
    headers['content-type'] = 'application/json';
  }
  return await context.http(baseOf(request.service ?? 'api', context.config) + request.path, {
    method: request.method ?? 'GET',
    headers,
    body,
  });
}

/** Makes one call and reads its JSON answer. Throws a classed `ProviderError` on every refusal. */
export async function callJson<T>(account: Account, context: ConnectorContext, request: Call): Promise<T> {
  const response = await call(account, context, request);
  if (response.status < 200 || response.status >= 300) throw errorOf(response);
  const answer = response.json();
  if (typeof answer !== 'object' || answer === null) {
    throw new ProviderError('unknown-outcome', `Twilio's answer is not JSON (status ${response.status})`, { status: response.status });
  }
  return answer as T;
}

/** The path of the next page, whatever host the provider's absolute address names. */
export function pathOfPage(next: string | null | undefined): string | undefined {
  if (!next) return undefined;
  const url = new URL(next, TWILIO);
  return url.pathname + url.search;
}

export function basic(account: Account): string {
  return `Basic ${Buffer.from(`${account.accountSid}:${account.authToken}`).toString('base64')}`;
}

export function formOf(parameters: Parameters): string {
  const form = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    for (const item of Array.isArray(value) ? value : [value]) if (item !== undefined) form.append(name, item);
  }
  return form.toString();
}

/** The Messages collection of an account. */
export function messagesPath(account: Account): string {
  return `/2010-04-01/Accounts/${account.accountSid}/Messages`;
}
