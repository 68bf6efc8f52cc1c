/** Finding what a lost webhook or an unanswered call left open, by listing the account's messages. */
import { ProviderError } from '../../model/errors.ts';
import type { ChannelView, ConnectorContext, IsKnown, OutboundMessage, RawEvent, Settlement } from '../connector.ts';
import { recipientOf, type TwilioSource } from './addresses.ts';
import { type Account, accountOfChannel, call, callJson, formOf, messagesPath, pathOfPage } from './client.ts';
import { errorOf, messageErrorOf } from './errors.ts';
import { FOUND_DATE } from './inbound.ts';
import type { Credentials, Settings } from './schemas.ts';
import { listedAs } from './send.ts';

type Channel = ChannelView<Settings, Credentials>;

interface Listed {
  sid: string;
  status: string;
  direction: string;
  from: string | null;
  to: string | null;
  body: string | null;
  num_media?: string;
  num_segments?: string;
  date_created: string | null;
  error_code?: number | null;
  error_message?: string | null;
  messaging_service_sid?: string | null;
  api_version?: string;
}

/** A message that is being created may not be in the list yet: only after this time its absence means something. */
const LIST_DELAY_MS = 30_000;
/** Twilio's times are whole seconds, and clocks differ. */
const CLOCK_MS = 60_000;

/**
 * What became of a message whose send ended without an answer. Twilio takes no id of ours, so it is found by recipient,
 * text and time; two that look the same leave it unknown (its status callback, which carries our id, still settles it).
 */
export async function settle(
  source: TwilioSource,
  message: OutboundMessage,
  channel: Channel,
  context: ConnectorContext,
  isKnown: IsKnown,
): Promise<Settlement> {
  const to = recipientOf(source, message.to);
  if (!to) return { outcome: 'never-received' };
  const created = timeOf(message.id);
  const account = accountOfChannel(channel, context.config);
  const listed = await listMessages(account, context, { To: to, From: channel.sourceChannelId }, new Date(created - CLOCK_MS));
  if (!listed) return { outcome: 'unknown' };
  const expected = listedAs(message.content, context);
  const alike = listed.filter((item) => item.direction.startsWith('outbound') && looksLike(item, expected));
  const others = await isKnown(alike.map(({ sid }) => sid));
  const matches = alike.filter(({ sid }) => !others.has(sid));
  if (matches.length > 1) return { outcome: 'unknown' };
  const match = matches[0];
  if (!match) {
    const waited = message.calledAt ? context.now().getTime() - message.calledAt.getTime() : 0;
    return { outcome: waited < LIST_DELAY_MS ? 'unknown' : 'never-received' };
  }
  return settlementOf(match);
}

function looksLike(item: Listed, expected: ReturnType<typeof listedAs>): boolean {
  if (!expected) return true;
  return (item.body ?? '') === expected.body && (expected.files === undefined || Number(item.num_media ?? 0) === expected.files);
}

function settlementOf(match: Listed): Settlement {
  switch (match.status) {
    case 'failed':
    case 'undelivered':
    case 'canceled': {
      const error = messageErrorOf(codeOf(match), match.error_message ?? undefined);
      return { outcome: 'failed', code: error.providerCode, message: error.message };
    }
    case 'delivered':
    case 'partially_delivered':
      return { outcome: 'accepted', providerId: match.sid, state: 'delivered' };
    case 'read':
      return { outcome: 'accepted', providerId: match.sid, state: 'read' };
    default:
      return { outcome: 'accepted', providerId: match.sid, state: 'sent' };
  }
}

/**
 * Everything that came to this channel, and every final state of what it sent, since then: written as the webhooks that
 * should have come, so that known ones change nothing.
 */
export async function reconcile(channel: Channel, context: ConnectorContext, since: Date): Promise<RawEvent[]> {
  const account = accountOfChannel(channel, context.config);
  const received = (await listMessages(account, context, { To: channel.sourceChannelId }, since)) ?? [];
  const sent = (await listMessages(account, context, { From: channel.sourceChannelId }, since)) ?? [];
  const events: RawEvent[] = [];
  for (const item of received) {
    if (item.direction === 'inbound') events.push(rawOf(channel, await inboundForm(item, account, context)));
  }
  for (const item of sent) {
    if (item.direction !== 'inbound' && FINAL.has(item.status)) events.push(rawOf(channel, statusForm(item, account)));
  }
  return events;
}

const FINAL = new Set(['delivered', 'undelivered', 'failed', 'read', 'canceled', 'partially_delivered']);

function rawOf(channel: Channel, form: string): RawEvent {
  return {
    source: channel.sourceChannelId.startsWith('whatsapp:') ? 'twilio.whatsapp' : 'twilio.sms',
    sourceChannelId: channel.sourceChannelId,
    contentType: 'application/x-www-form-urlencoded',
    body: Buffer.from(form),
  };
}

/** In the order in which Twilio's webhook has them. */
async function inboundForm(item: Listed, account: Account, context: ConnectorContext): Promise<string> {
  const media = Number(item.num_media ?? 0) > 0 ? await listMedia(item.sid, account, context) : [];
  return formOf({
    SmsMessageSid: item.sid,
    NumMedia: String(media.length),
    SmsSid: item.sid,
    SmsStatus: 'received',
    Body: item.body ?? '',
    To: item.to ?? '',
    NumSegments: item.num_segments ?? '1',
    MessageSid: item.sid,
    AccountSid: account.accountSid,
    From: item.from ?? '',
    ...Object.fromEntries(
      media.flatMap((one, index) => [
        [`MediaContentType${index}`, one.type],
        [`MediaUrl${index}`, one.url],
      ]),
    ),
    ApiVersion: item.api_version ?? '2010-04-01',
    [FOUND_DATE]: isoOf(item.date_created),
  });
}

function statusForm(item: Listed, account: Account): string {
  return formOf({
    ErrorCode: codeOf(item),
    ErrorMessage: item.error_message ?? undefined,
    SmsSid: item.sid,
    SmsStatus: item.status,
    MessageStatus: item.status,
    To: item.to ?? '',
    MessageSid: item.sid,
    AccountSid: account.accountSid,
    From: item.from ?? '',
    ApiVersion: '2010-04-01',
  });
}

async function listMedia(sid: string, account: Account, context: ConnectorContext): Promise<{ url: string; type: string }[]> {
  const path = `${messagesPath(account)}/${sid}/Media`;
  const answer = await callJson<{ media_list?: { sid: string; content_type: string }[] }>(account, context, { path: `${path}.json` });
  return (answer.media_list ?? []).map((one) => ({ url: `https://api.twilio.com${path}/${one.sid}`, type: one.content_type }));
}

/** Messages created since then, over all pages; undefined where the API does not list messages. */
async function listMessages(
  account: Account,
  context: ConnectorContext,
  filter: { To?: string; From?: string },
  since: Date,
): Promise<Listed[] | undefined> {
  const query = new URLSearchParams({ ...filter, 'DateSent>': since.toISOString().slice(0, 10), PageSize: '200' });
  let path: string | undefined = `${messagesPath(account)}.json?${query}`;
  const found: Listed[] = [];
  while (path) {
    const response = await call(account, context, { path });
    if (response.status === 404 || response.status === 405) return undefined;
    if (response.status >= 300) throw errorOf(response);
    const answer = response.json() as { messages?: Listed[]; next_page_uri?: string | null } | undefined;
    if (!Array.isArray(answer?.messages)) throw new ProviderError('retry', 'Twilio’s list of messages cannot be read');
    for (const item of answer.messages) {
      // A message that waits in Twilio's queue has no date_sent yet, so the time that counts is date_created.
      if (!item.date_created || new Date(item.date_created).getTime() >= since.getTime() - 1000) found.push(item);
    }
    path = pathOfPage(answer.next_page_uri);
  }
  return found;
}

function codeOf(item: Listed): string | undefined {
  return item.error_code === null || item.error_code === undefined ? undefined : String(item.error_code);
}

function isoOf(date: string | null): string | undefined {
  return date ? new Date(date).toISOString() : undefined;
}

/** When a message was written: its id is a UUIDv7. */
function timeOf(id: string): number {
  return Number.parseInt(id.replace(/-/g, '').slice(0, 12), 16);
}
