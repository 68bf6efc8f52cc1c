/** Access tokens: exchanging them for long-lived ones, and asking Meta what one is good for. */
import type { ConnectorContext } from '../connector.ts';
import { graph } from './graph.ts';
import { number, record, records, text, timeOfSeconds } from './values.ts';

export interface TokenFacts {
  valid: boolean;
  /** Absent: it does not end. */
  expiresAt?: Date;
  scopes: string[];
  /** The accounts that a scope was granted for. */
  targets(scope: string): string[];
  problem?: string;
}

/** The app's own credentials, where the installation has them. */
export function appOf(context: ConnectorContext): { id: string; secret: string } | undefined {
  const id = context.config.get('META_APP_ID');
  const secret = context.config.get('META_APP_SECRET');
  return id && secret ? { id, secret } : undefined;
}

/**
 * Exchanges a user token for a long-lived one. Without an app of ours the token is kept as it is.
 * developers.facebook.com/docs/facebook-login/guides/access-tokens/get-long-lived
 */
export async function exchange(token: string, context: ConnectorContext, version?: string): Promise<string> {
  const app = appOf(context);
  if (!app) return token;
  const answer = await graph(context, { version }).call('oauth/access_token', {
    query: { grant_type: 'fb_exchange_token', client_id: app.id, client_secret: app.secret, fb_exchange_token: token },
  });
  return text(answer.access_token) ?? token;
}

/**
 * What Meta says about a token; undefined where the installation has no app to ask with, or Meta does not say.
 * developers.facebook.com/docs/graph-api/reference/debug_token
 */
export async function inspect(token: string, context: ConnectorContext, version?: string): Promise<TokenFacts | undefined> {
  const app = appOf(context);
  if (!app) return undefined;
  const answer = await graph(context, { token: `${app.id}|${app.secret}`, version }).call('debug_token', { query: { input_token: token } });
  const data = record(answer.data) ?? {};
  if (typeof data.is_valid !== 'boolean') return undefined;
  const granular = records(data.granular_scopes);
  const ends = number(data.expires_at);
  return {
    valid: data.is_valid,
    ...(ends ? { expiresAt: timeOfSeconds(ends) } : {}),
    scopes: Array.isArray(data.scopes) ? data.scopes.filter((scope) => typeof scope === 'string') : [],
    targets: (scope) =>
      granular
        .filter((entry) => entry.scope === scope)
        .flatMap((entry) => (Array.isArray(entry.target_ids) ? entry.target_ids.map(String) : [])),
    ...(record(data.error) ? { problem: text(record(data.error)?.message) } : {}),
  };
}
