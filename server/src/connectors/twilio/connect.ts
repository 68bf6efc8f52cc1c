/** Connecting, disconnecting and watching a Twilio number (twilio.com/docs/phone-numbers/api, /docs/whatsapp/api/senders). */
import { invalid, PatchbayError, ProviderError } from '../../model/errors.ts';
import { phoneProblem } from '../../model/phone.ts';
import type { ChannelView, Connected, ConnectorContext, HealthReport, HttpResponse, ProviderConfig } from '../connector.ts';
import { inboundUrl, RETRY_OVERRIDES, sourceOf, statusUrl, type TwilioSource, unreachable } from './addresses.ts';
import { type Account, accountOf, accountOfChannel, call } from './client.ts';
import { errorOf } from './errors.ts';
import { accountStatus, find, isNotServed, type Lookup, listsNumbers, present } from './lookup.ts';
import type { Credentials, Input, Settings } from './schemas.ts';

/** The number that Twilio lends to everybody who tries WhatsApp; it is in no account's list. */
const WHATSAPP_SANDBOX = 'whatsapp:+14155238886';

/** Looks the number up in the account and points its webhook at us. */
export async function connect(source: TwilioSource, input: Input, context: ConnectorContext): Promise<Connected<Settings, Credentials>> {
  const number = source === 'twilio.whatsapp' ? input.phone_number.replace(/^whatsapp:/, '') : input.phone_number;
  const problem = phoneProblem(number);
  if (problem) throw invalid('phone_number', `phone_number ${problem}`);
  const credentials = present({ account_sid: input.account_sid, auth_token: input.auth_token });
  const account = accountOf(credentials, context.config);
  const sourceChannelId = source === 'twilio.whatsapp' ? `whatsapp:${number}` : number;

  await checkAccount(account, context);
  const lookup = await find(source, sourceChannelId, account, context);
  if (lookup.state === 'absent' && source === 'twilio.sms' && (await listsNumbers(account, context))) {
    throw new PatchbayError('provider-refused', `The Twilio account ${account.accountSid} has no number ${number}`, {
      problems: [{ field: 'phone_number', message: `the Twilio account ${account.accountSid} has no such number` }],
    });
  }
  const webhook = await setWebhook(source, sourceChannelId, lookup, account, context);
  const connected: Connected<Settings, Credentials> = {
    sourceChannelId,
    settings: { phone_number: number, ...present({ messaging_service_sid: input.messaging_service_sid }) },
    credentials,
    details: {
      account_sid: account.accountSid,
      ...(lookup.state === 'found' ? { ...lookup.sender.details, sid: lookup.sender.sid } : {}),
      lookup: lookup.state === 'unavailable' ? lookup.reason : lookup.state,
      webhook: webhook.state,
    },
  };
  if (lookup.state === 'found' && lookup.sender.name) connected.name = lookup.sender.name;
  const reason = webhook.problem ?? absence(lookup, sourceChannelId);
  return reason ? { ...connected, status: 'warning', statusReason: reason } : connected;
}

/** Whatever else is served, the account must be right. */
async function checkAccount(account: Account, context: ConnectorContext): Promise<void> {
  const status = await accountStatus(account, context);
  if (status && status !== 'active') throw new PatchbayError('provider-refused', `The Twilio account ${account.accountSid} is ${status}`);
}

function absence(lookup: Lookup, sourceChannelId: string): string | undefined {
  if (lookup.state !== 'absent' || sourceChannelId === WHATSAPP_SANDBOX) return undefined;
  return sourceOf(sourceChannelId) === 'twilio.sms'
    ? 'The Twilio account lists no numbers: check it in the Twilio console under Phone Numbers, Active numbers'
    : 'The Twilio account lists no WhatsApp sender with this number: check it in the Twilio console under Messaging, Senders';
}

/** Takes our address off the number, where it is still ours and no other channel of ours hangs on it. */
export async function disconnect(
  source: TwilioSource,
  channel: ChannelView,
  context: ConnectorContext,
  facts: { lastOfAccount: boolean },
): Promise<void> {
  if (!facts.lastOfAccount) return;
  const account = accountOfChannel(channel, context.config);
  const lookup = await find(source, channel.sourceChannelId, account, context);
  if (lookup.state !== 'found' || !isOurs(lookup.sender.webhookUrl, context.config)) return;
  const response = await writeWebhook(source, channel.sourceChannelId, lookup.sender.sid, '', account, context);
  if (response.status >= 300 && !isNotServed(response)) throw errorOf(response);
}

type Webhook = { state: 'set' | 'by hand'; problem?: string };

/** Points the number at us where Twilio lets us; else says what somebody has to do. */
async function setWebhook(
  source: TwilioSource,
  sourceChannelId: string,
  lookup: Lookup,
  account: Account,
  context: ConnectorContext,
): Promise<Webhook> {
  const problem = unreachable(context.config);
  if (problem) return { state: 'by hand', problem };
  if (lookup.state !== 'found') return { state: 'by hand' };
  const url = inboundUrl(context.config) + RETRY_OVERRIDES;
  const response = await writeWebhook(source, sourceChannelId, lookup.sender.sid, url, account, context);
  if (response.status < 300) return { state: 'set' };
  if (response.status === 404 || response.status === 405 || response.status === 501) return { state: 'by hand' };
  const refusal = errorOf(response);
  if (refusal.class === 'unauthorized' && response.status === 401) throw refusal;
  return {
    state: 'by hand',
    problem: `Twilio did not take our webhook address (${refusal.message}): paste ${inboundUrl(context.config)} into the number's settings`,
  };
}

/**
 * The number's own StatusCallback is for calls, so it is left alone: messages carry theirs. A WhatsApp sender has one for
 * messages.
 */
async function writeWebhook(
  source: TwilioSource,
  sourceChannelId: string,
  sid: string,
  url: string,
  account: Account,
  context: ConnectorContext,
): Promise<HttpResponse> {
  if (source === 'twilio.sms') {
    return await call(account, context, {
      method: 'POST',
      path: `/2010-04-01/Accounts/${account.accountSid}/IncomingPhoneNumbers/${sid}.json`,
      form: { SmsUrl: url, SmsMethod: 'POST' },
    });
  }
  const statuses = url ? statusUrl(context.config, sourceChannelId) + RETRY_OVERRIDES : '';
  return await call(account, context, {
    service: 'messaging',
    method: 'POST',
    path: `/v2/Channels/Senders/${sid}`,
    json: { webhook: { callback_url: url, callback_method: 'POST', status_callback_url: statuses, status_callback_method: 'POST' } },
  });
}

function isOurs(url: string | null, config: ProviderConfig): boolean {
  return url?.split('#')[0] === inboundUrl(config);
}

/** What to paste where, for numbers whose webhook we may not set. */
export function setup(channel: ChannelView, config: ProviderConfig): { label: string; value: string; help?: string }[] {
  const whatsapp = sourceOf(channel.sourceChannelId) === 'twilio.whatsapp';
  const place = whatsapp
    ? 'Messaging, Senders, WhatsApp senders, your number'
    : 'Phone Numbers, Manage, Active numbers, your number, Messaging';
  return [
    {
      label: whatsapp ? 'Webhook URL for incoming messages' : 'A message comes in: Webhook, HTTP POST',
      value: inboundUrl(config) + RETRY_OVERRIDES,
      help: `Twilio console: ${place}`,
    },
    ...(whatsapp
      ? [
          {
            label: 'Status callback URL, HTTP POST',
            value: statusUrl(config, channel.sourceChannelId) + RETRY_OVERRIDES,
            help: `Twilio console: ${place}`,
          },
        ]
      : []),
  ];
}

/** The account works, the number is still in it, and its webhook is ours. */
export async function health(source: TwilioSource, channel: ChannelView, context: ConnectorContext): Promise<HealthReport> {
  const checks: NonNullable<HealthReport['checks']> = [];
  try {
    const account = accountOfChannel(channel, context.config);
    const status = await accountStatus(account, context);
    checks.push({ name: 'account', ok: status === undefined || status === 'active', message: status ?? 'not told' });
    if (status && status !== 'active') return { status: 'failed', reason: `The Twilio account is ${status}`, checks };
    const lookup = await find(source, channel.sourceChannelId, account, context);
    const gone = lookup.state === 'absent' && source === 'twilio.sms' && (await listsNumbers(account, context));
    return judge(lookup, gone, channel, context.config, checks);
  } catch (error) {
    if (error instanceof ProviderError && error.class === 'unauthorized') {
      checks.push({ name: 'account', ok: false, message: error.message });
      const refused = error.status !== undefined;
      return {
        status: 'failed',
        reason: refused ? `Twilio refuses the account: ${error.message}. Enter the current auth token.` : error.message,
        checks,
      };
    }
    throw error;
  }
}

/** `gone`: the account lists other numbers, and this one no longer. */
function judge(
  lookup: Lookup,
  gone: boolean,
  channel: ChannelView,
  config: ProviderConfig,
  checks: NonNullable<HealthReport['checks']>,
): HealthReport {
  if (lookup.state === 'unavailable')
    return { status: 'active', checks: [...checks, { name: 'number', ok: true, message: lookup.reason }] };
  if (lookup.state === 'absent') {
    const tolerated = channel.sourceChannelId === WHATSAPP_SANDBOX;
    checks.push({ name: 'number', ok: tolerated, message: tolerated ? 'Twilio’s WhatsApp sandbox' : 'not in the account' });
    if (tolerated) return { status: 'active', checks };
    const reason = gone ? `The Twilio account no longer lists ${channel.sourceChannelId}` : absence(lookup, channel.sourceChannelId)!;
    return { status: gone ? 'failed' : 'warning', reason, checks };
  }
  checks.push({ name: 'number', ok: true });
  const { webhookUrl, details } = lookup.sender;
  const ours = isOurs(webhookUrl, config);
  const expected = inboundUrl(config);
  checks.push({ name: 'webhook', ok: ours, message: ours ? expected : `expected ${expected}, is ${webhookUrl || 'empty'}` });
  const offline = typeof details.sender_status === 'string' && details.sender_status.startsWith('OFFLINE');
  if (offline) return { status: 'failed', reason: 'The WhatsApp sender is offline at Twilio', details, checks };
  if (!ours) {
    return {
      status: 'warning',
      reason: `Incoming messages go to ${webhookUrl || 'no address'} and not to ${expected}: connect the number again, or correct it in the Twilio console`,
      details,
      checks,
    };
  }
  return { status: 'active', details, checks };
}
