/** How a number is doing at Meta: token, subscription, number. */
import type { ConnectorContext, HealthReport } from '../../connector.ts';
import { Checks, subscriptionCheck, tokenChecks, webhookCheck } from '../checks.ts';
import { type Json, text } from '../values.ts';
import { type Channel, graphOf, wabaOf } from './account.ts';
import { detailsOf, readNumber } from './connect.ts';

const SCOPES = ['whatsapp_business_messaging', 'whatsapp_business_management'];
/** What Meta says about a number that is well, or still on its way. */
const WELL = new Set(['CONNECTED', 'LINKED']);
const STOPPED = new Set(['BANNED', 'DISCONNECTED', 'MIGRATED', 'RESTRICTED', 'DELETED']);

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
      const number = await readNumber(graphOf(channel, context), channel.sourceChannelId);
      details = detailsOf(number);
      numberChecks(checks, number);
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

async function subscription(checks: Checks, channel: Channel, context: ConnectorContext): Promise<void> {
  const waba = wabaOf(channel);
  if (!waba) {
    checks.note(
      'subscription',
      'The business account of the number is not known: connect it again with business_account_id to use templates and to check the subscription',
    );
    return;
  }
  const apps = await subscriptionCheck(checks, graphOf(channel, context), waba, context);
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
