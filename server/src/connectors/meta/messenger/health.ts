/** How a page, or an Instagram account, is doing at Meta: token, page, subscription. */
import type { ConnectorContext, HealthReport } from '../../connector.ts';
import { Checks, settingsChecks, subscriptionCheck, tokenChecks, tokenEnds, webhookCheck } from '../checks.ts';
import { compact, record, text } from '../values.ts';
import { type Channel, graphOf, nodeOf, ownLogin } from './account.ts';
import { subscribe } from './connect.ts';
import { readAccount, renewed, subscribe as subscribeAccount } from './instagram-login.ts';

/** The health check of one source; `scopes` are the permissions that it needs. */
export function healthOf(scopes: string[]): (channel: Channel, context: ConnectorContext) => Promise<HealthReport> {
  return async (channel, context) => {
    if (ownLogin(channel)) return accountHealth(channel, context);
    const checks = new Checks();
    const token = channel.credentials.page_token ?? '';
    const expiresAt = await tokenChecks(checks, { token, scopes, version: channel.settings.graph_version }, context);
    let details: Record<string, unknown> = {};
    if (!checks.failed) {
      try {
        details = await pageChecks(checks, channel, context);
      } catch (error) {
        checks.refusal('page', error);
      }
    }
    return checks.report({ details, expiresAt });
  };
}

async function pageChecks(checks: Checks, channel: Channel, context: ConnectorContext): Promise<Record<string, unknown>> {
  const client = graphOf(channel, context);
  const pageId = nodeOf(channel);
  const { account_id: accountId } = channel.settings;
  const page = await client.call(pageId, { query: { fields: accountId ? 'id,name,instagram_business_account{id,username}' : 'id,name' } });
  checks.pass('page', text(page.name));
  const account = record(page.instagram_business_account);
  if (accountId && account && text(account.id) !== accountId) {
    checks.fail(
      'account',
      `The page is now linked to another Instagram account (${text(account.username) ?? text(account.id)}). Connect that one`,
    );
  }
  await subscriptionCheck(checks, { client, account: pageId, context, subscribe: () => subscribe(client, pageId) });
  await webhookCheck(checks, accountId ? 'instagram' : 'page', context);
  return compact({ page_name: text(page.name), username: text(account?.username) }) ?? {};
}

/** An account with a token of its own: Meta tells when it ends only while renewing it. */
async function accountHealth(channel: Channel, context: ConnectorContext): Promise<HealthReport> {
  const checks = new Checks();
  settingsChecks(checks, context, ['META_INSTAGRAM_APP_SECRET', 'META_APP_SECRET']);
  const before = text(channel.details.token_expires_at);
  let token = channel.credentials.access_token ?? '';
  let expiresAt = before ? new Date(before) : undefined;
  let username: string | undefined;
  try {
    const fresh = await renewed(token, expiresAt, context);
    if (fresh) ({ token, expiresAt } = fresh);
    const client = graphOf({ ...channel, credentials: { access_token: token } }, context);
    const account = await readAccount(client);
    username = text(account.username);
    checks.pass('account', username);
    tokenEnds(checks, expiresAt, context, 'Generate a new one in the app dashboard and replace it before');
    await subscriptionCheck(checks, {
      client,
      account: nodeOf(channel),
      context,
      subscribe: () => subscribeAccount(client, nodeOf(channel)),
    });
    await webhookCheck(checks, 'instagram', context);
  } catch (error) {
    checks.refusal('account', error);
  }
  return {
    ...checks.report({ details: compact({ username, token_expires_at: expiresAt?.toISOString() }) ?? {}, expiresAt }),
    ...(token === channel.credentials.access_token ? {} : { credentials: { access_token: token } }),
  };
}
