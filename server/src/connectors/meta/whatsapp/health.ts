/** How a number is doing at Meta: token, subscription, number. */

import { ProviderError } from '../../../model/errors.ts';
import type { ConnectorContext, HealthReport } from '../../connector.ts';
import { Checks, subscriptionCheck, tokenChecks, webhookCheck } from '../checks.ts';
import type { Graph } from '../graph.ts';
import { type Json, record, records, text } from '../values.ts';
import { type Channel, graphOf, wabaOf } from './account.ts';
import { detailsOf, readNumber, subscribe } from './connect.ts';

const SCOPES = ['whatsapp_business_messaging', 'whatsapp_business_management'];
/** What Meta says about a number that is well, or still on its way. */
const WELL = new Set(['CONNECTED', 'LINKED', 'UNKNOWN']);
const STOPPED = new Set(['BANNED', 'DISCONNECTED', 'MIGRATED', 'RESTRICTED', 'DELETED']);
const LIMITED: Record<string, string> = {
  FLAGGED: 'for low quality: customers blocked or reported it. Send less, and only what they asked for',
  RATE_LIMITED: 'for sending too fast. What waits goes out by itself',
};

export async function health(channel: Channel, context: ConnectorContext): Promise<HealthReport> {
  const checks = new Checks();
  const expiresAt = await tokenChecks(
    checks,
    { token: channel.credentials.access_token, scopes: SCOPES, version: channel.settings.graph_version },
    context,
  );
  let details: Record<string, unknown> = {};
  if (!checks.failed) {
    try {
      const client = graphOf(channel, context);
      const number = await readNumber(client, channel.sourceChannelId);
      details = detailsOf(number);
      numberChecks(checks, number);
      await messagingCheck(checks, client, channel.sourceChannelId);
      await subscription(checks, channel, context);
    } catch (error) {
      checks.refusal('number', error);
    }
  }
  return checks.report({ details, expiresAt });
}

function numberChecks(checks: Checks, number: Json): void {
  const status = text(number.status);
  if (status && STOPPED.has(status))
    checks.fail('number', `Meta says the number is ${status}: look at it in WhatsApp Manager → Phone numbers`);
  else if (status && Object.hasOwn(LIMITED, status)) checks.warn('number', `Meta limits the number (${status}) ${LIMITED[status]}`);
  else if (status && !WELL.has(status))
    checks.warn('number', `Meta says the number is ${status}; it may need to be registered or verified in WhatsApp Manager`);
  else checks.pass('number');
  const quality = text(number.quality_rating);
  if (quality === 'RED')
    checks.warn(
      'quality',
      'Quality rating RED: customers block or report this number, and Meta may limit it. Send less, and only what they asked for',
    );
  else checks.pass('quality', quality);
  const name = text(number.name_status);
  if (name === 'DECLINED' || name === 'EXPIRED')
    checks.warn('name', `The display name is ${name}: change it in WhatsApp Manager → Phone numbers`);
}

/**
 * May the number send at all? Tells of what no other answer shows: unpaid bills, restricted businesses, rejected apps.
 * developers.facebook.com/docs/whatsapp/cloud-api/health-status
 */
async function messagingCheck(checks: Checks, client: Graph, id: string): Promise<void> {
  let answer: Json;
  try {
    answer = await client.call(id, { query: { fields: 'health_status' } });
  } catch (error) {
    // Older versions have no such field, and not every token may ask.
    if (!(error instanceof ProviderError) || (error.class !== 'rejected' && error.class !== 'unauthorized')) throw error;
    return;
  }
  const health = record(answer.health_status);
  const verdict = text(health?.can_send_message);
  if (verdict !== 'BLOCKED' && verdict !== 'LIMITED') return;
  const reasons = records(health?.entities).flatMap((entity) =>
    records(entity.errors).map((error) => [text(error.error_description), text(error.possible_solution)].filter(Boolean).join(' ')),
  );
  const words = [...new Set(reasons)].join(' ');
  if (verdict === 'BLOCKED')
    checks.fail('messaging', `Meta does not let this number send. ${words || 'Look at the account in WhatsApp Manager'}`);
  else if (words) checks.warn('messaging', `Meta lets this number send to few people only. ${words}`);
  else checks.note('messaging', 'Meta lets this number send to few people only, as long as the business is new or not verified');
}

async function subscription(checks: Checks, channel: Channel, context: ConnectorContext): Promise<void> {
  const waba = wabaOf(channel);
  if (!waba) {
    checks.note(
      'subscription',
      'The business account of the number is not known: connect it again with business_account_id to use templates and to check the subscription',
    );
    return;
  }
  const client = graphOf(channel, context);
  const apps = await subscriptionCheck(checks, { client, account: waba, context, subscribe: () => subscribe(client, waba) });
  if (!apps) return;
  const ours = `${context.config.publicUrl.replace(/\/+$/, '')}/`;
  const overrides = apps.flatMap((app) => text(app.override_callback_uri) ?? []);
  const elsewhere = overrides.find((uri) => !uri.startsWith(ours));
  if (elsewhere) {
    checks.warn(
      'webhook',
      `Webhooks of this account go to ${elsewhere}, not to ${ours}hooks/meta. Remove the override, or connect the number again`,
    );
  } else if (overrides.length === 0) await webhookCheck(checks, 'whatsapp_business_account', context);
}
