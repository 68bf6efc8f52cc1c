/**
 * Instagram Login: an account that is connected with a token of its own, without a Facebook page. Such tokens end after 60
 * days and can be renewed as long as they are good.
 * developers.facebook.com/docs/instagram-platform/instagram-api-with-instagram-login
 */
import { ProviderError } from '../../../model/errors.ts';
import type { Connected, ConnectorContext } from '../../connector.ts';
import { blame } from '../faults.ts';
import { type Graph, graph } from '../graph.ts';
import { compact, type Json, number, text } from '../values.ts';

const ACCOUNT_FIELDS = 'user_id,username,name,profile_picture_url,account_type';
const SUBSCRIBED_FIELDS = [
  'messages',
  'messaging_postbacks',
  'messaging_seen',
  'message_reactions',
  'messaging_referral',
  'messaging_optins',
  'messaging_handover',
  'message_edit',
  'standby',
].join(',');
const DAY_MS = 24 * 3600 * 1000;
/** A token is renewed once half of its life is over. */
const RENEW_BEFORE_MS = 30 * DAY_MS;
/** A renewal that Meta refused (a token has to be a day old) is asked for again after this long. */
const ASK_AGAIN_SECONDS = 12 * 3600;

export interface OwnToken {
  token: string;
  expiresAt?: Date;
}

/** Finds the account of the token and subscribes the app to it. */
export async function connectWithOwnToken(
  input: { access_token?: string; account_id?: string; graph_version?: string },
  context: ConnectorContext,
): Promise<Connected<{ login: 'instagram'; account_id: string; graph_version?: string }, { access_token: string }>> {
  const given = text(input.access_token)!;
  const version = text(input.graph_version);
  const { token, expiresAt } = await longLived(given, context);
  const client = graph(context, { token, version, login: 'instagram' });
  const found = await blame('invalid-token', () => readAccount(client));
  const account = text(found.user_id) ?? text(found.id);
  const asked = text(input.account_id);
  if (!account || (asked && asked !== account))
    throw new ProviderError('rejected', `The token is for the Instagram account ${account ?? 'of nobody'}, not ${asked ?? 'for one'}`, {
      code: 'unknown-account',
    });
  await blame('unknown-account', () => subscribe(client, account));
  return {
    sourceChannelId: account,
    name: text(found.name) ?? text(found.username),
    imageUrl: text(found.profile_picture_url),
    settings: { login: 'instagram', account_id: account, ...(version ? { graph_version: version } : {}) },
    credentials: { access_token: token },
    details: compact({ username: text(found.username), token_expires_at: expiresAt?.toISOString() }) ?? {},
  };
}

/** The account that the client's token belongs to. */
export function readAccount(client: Graph): Promise<Json> {
  return client.call('me', { query: { fields: ACCOUNT_FIELDS } });
}

/** The app gets the account's webhooks from now on. */
export async function subscribe(client: Graph, account: string): Promise<void> {
  await client.call(`${account}/subscribed_apps`, { method: 'POST', repeatable: true, query: { subscribed_fields: SUBSCRIBED_FIELDS } });
}

/** A token of an hour becomes one of 60 days. One that is long-lived already is refused that, and kept as it is. */
async function longLived(given: string, context: ConnectorContext): Promise<OwnToken> {
  const secret = context.config.get('META_INSTAGRAM_APP_SECRET');
  if (!secret) return { token: given };
  try {
    const query = { grant_type: 'ig_exchange_token', client_secret: secret };
    const client = graph(context, { token: given, login: 'instagram' });
    return tokenOf(await client.call('access_token', { query: { ...query, access_token: given }, versionless: true }), context, given);
  } catch (error) {
    if (!(error instanceof ProviderError) || (error.class !== 'rejected' && error.class !== 'unauthorized')) throw error;
    return { token: given };
  }
}

/**
 * A token with a whole life before it, where half of the old one's is over and Meta gives one. Undefined while there is
 * nothing to renew.
 */
export async function renewed(token: string, expiresAt: Date | undefined, context: ConnectorContext): Promise<OwnToken | undefined> {
  if (expiresAt && expiresAt.getTime() - context.now().getTime() > RENEW_BEFORE_MS) return undefined;
  if (await context.memo.get('renewal-refused')) return undefined;
  const client = graph(context, { token, login: 'instagram' });
  try {
    const query = { grant_type: 'ig_refresh_token', access_token: token };
    return tokenOf(await client.call('refresh_access_token', { query, versionless: true }), context, token);
  } catch (error) {
    if (!(error instanceof ProviderError) || (error.class !== 'rejected' && error.class !== 'unauthorized')) throw error;
    await context.memo.set('renewal-refused', true, ASK_AGAIN_SECONDS);
    return undefined;
  }
}

function tokenOf(answer: Json, context: ConnectorContext, before: string): OwnToken {
  const seconds = number(answer.expires_in);
  const token = text(answer.access_token) ?? before;
  return seconds ? { token, expiresAt: new Date(context.now().getTime() + seconds * 1000) } : { token };
}
