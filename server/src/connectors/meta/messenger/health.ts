/** How a page, or the Instagram account that hangs on it, is doing at Meta: token, page, subscription. */
import type { ConnectorContext, HealthReport } from '../../connector.ts';
import { Checks, subscriberOf, subscriptionCheck, tokenChecks, webhookCheck } from '../checks.ts';
import { appOf } from '../tokens.ts';
import { compact, record, text } from '../values.ts';
import { type Channel, graphOf } from './account.ts';

/** The health check of one source; `scopes` are the permissions that it needs. */
export function healthOf(scopes: string[]): (channel: Channel, context: ConnectorContext) => Promise<HealthReport> {
  return async (channel, context) => {
    const checks = new Checks();
    const expiresAt = await tokenChecks(
      checks,
      { token: channel.credentials.page_token, scopes, version: channel.settings.graph_version },
      context,
    );
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
  const { page_id: pageId, account_id: accountId } = channel.settings;
  const page = await client.call(pageId, { query: { fields: accountId ? 'id,name,instagram_business_account{id,username}' : 'id,name' } });
  checks.pass('page', text(page.name));
  const account = record(page.instagram_business_account);
  if (accountId && account && text(account.id) !== accountId) {
    checks.fail(
      'account',
      `The page is now linked to another Instagram account (${text(account.username) ?? text(account.id)}). Connect that one`,
    );
  }
  const apps = await subscriptionCheck(checks, client, pageId, context);
  if (apps) {
    const ours = apps.find((app) => subscriberOf(app) === appOf(context)?.id) ?? apps[0];
    const fields = Array.isArray(ours?.subscribed_fields)
      ? ours.subscribed_fields.map((field) => text(field) ?? text(record(field)?.name))
      : undefined;
    if (fields && !fields.includes('messages')) {
      checks.fail('subscription', 'The app is not subscribed to the field “messages”, so nothing comes in. Connect the channel again');
    }
  }
  await webhookCheck(checks, accountId ? 'instagram' : 'page', context);
  return compact({ page_name: text(page.name), username: text(account?.username) }) ?? {};
}
