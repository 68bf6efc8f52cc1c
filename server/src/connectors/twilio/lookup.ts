/** What the account has: its numbers and its WhatsApp senders. */
import type { Candidate, ConnectorContext, HttpResponse } from '../connector.ts';
import type { TwilioSource } from './addresses.ts';
import { type Account, call, pathOfPage } from './client.ts';
import { errorOf } from './errors.ts';

/** The number or sender as the account lists it. */
export interface Sender {
  sid: string;
  name?: string;
  webhookUrl: string | null;
  details: Record<string, unknown>;
}

export type Lookup = { state: 'found'; sender: Sender } | { state: 'absent' } | { state: 'unavailable'; reason: string };

/** Looks one address up. Throws `ProviderError` when Twilio refuses the account or is away. */
export async function find(source: TwilioSource, sourceChannelId: string, account: Account, context: ConnectorContext): Promise<Lookup> {
  const listed = await listOf(source, account, context, source === 'twilio.sms' ? sourceChannelId : undefined);
  if (!Array.isArray(listed)) return listed;
  const found = listed.find((item) => addressOf(source, item) === sourceChannelId);
  if (!found) return { state: 'absent' };
  return { state: 'found', sender: source === 'twilio.sms' ? numberOf(found) : senderOf(found) };
}

/** Whether the account lists any number at all: one that lists none (a gateway may) says nothing about a number. */
export async function listsNumbers(account: Account, context: ConnectorContext): Promise<boolean> {
  const listed = await listOf('twilio.sms', account, context);
  return Array.isArray(listed) && listed.length > 0;
}

/** Twilio's word for the account's state; undefined where the API does not serve it. Throws `ProviderError` when it refuses. */
export async function accountStatus(account: Account, context: ConnectorContext): Promise<string | undefined> {
  const response = await call(account, context, { path: `/2010-04-01/Accounts/${account.accountSid}.json` });
  if (isNotServed(response)) return undefined;
  if (response.status >= 300) throw errorOf(response);
  return stringOf(objectOf(response.json()).status);
}

/** Every number or sender that could be connected. */
export async function explore(source: TwilioSource, account: Account, context: ConnectorContext): Promise<Candidate[]> {
  const listed = await listOf(source, account, context);
  if (!Array.isArray(listed)) return [];
  return listed.flatMap((item) => {
    const sourceChannelId = addressOf(source, item);
    if (!sourceChannelId) return [];
    const { name } = source === 'twilio.sms' ? numberOf(item) : senderOf(item);
    return [{ sourceChannelId, name: name ?? sourceChannelId, input: { phone_number: sourceChannelId.replace(/^whatsapp:/, '') } }];
  });
}

function addressOf(source: TwilioSource, item: Record<string, unknown>): string | undefined {
  return stringOf(source === 'twilio.sms' ? item.phone_number : item.sender_id);
}

async function listOf(source: TwilioSource, account: Account, context: ConnectorContext, number?: string) {
  if (source === 'twilio.whatsapp')
    return await list('/v2/Channels/Senders?Channel=whatsapp&PageSize=100', 'messaging', 'senders', account, context);
  const query = new URLSearchParams({ ...(number ? { PhoneNumber: number } : {}), PageSize: '100' });
  const path = `/2010-04-01/Accounts/${account.accountSid}/IncomingPhoneNumbers.json?${query}`;
  return await list(path, 'api', 'incoming_phone_numbers', account, context);
}

function numberOf(found: Record<string, unknown>): Sender {
  const told = Object.entries(objectOf(found.capabilities)).map(([name, able]) => [name.toLowerCase(), able]);
  const { sms, mms, voice } = Object.fromEntries(told) as Record<string, unknown>;
  return {
    sid: String(found.sid ?? ''),
    name: stringOf(found.friendly_name),
    webhookUrl: stringOf(found.sms_url) ?? null,
    details: told.length > 0 ? { capabilities: { sms: sms === true, mms: mms === true, voice: voice === true } } : {},
  };
}

function senderOf(found: Record<string, unknown>): Sender {
  const webhook = objectOf(found.webhook);
  const profile = objectOf(found.profile);
  const properties = objectOf(found.properties);
  return {
    sid: String(found.sid ?? ''),
    name: stringOf(profile.name),
    webhookUrl: stringOf(webhook.callback_url) ?? null,
    details: present({
      sender_status: stringOf(found.status),
      quality_rating: stringOf(properties.quality_rating),
      messaging_limit: stringOf(properties.messaging_limit),
      waba_id: stringOf(objectOf(found.configuration).waba_id),
      offline_reasons: Array.isArray(found.offline_reasons) && found.offline_reasons.length > 0 ? found.offline_reasons : undefined,
    }),
  };
}

/** A list over all its pages. An address that does not serve it does not stop a connect; refused credentials do. */
async function list(
  first: string,
  service: 'api' | 'messaging',
  key: string,
  account: Account,
  context: ConnectorContext,
): Promise<Record<string, unknown>[] | Extract<Lookup, { state: 'unavailable' }>> {
  const items: Record<string, unknown>[] = [];
  let path: string | undefined = first;
  while (path) {
    const response = await call(account, context, { service, path });
    if (isNotServed(response)) {
      return { state: 'unavailable', reason: `the account's list of numbers is not available (${response.status})` };
    }
    if (response.status >= 300) throw errorOf(response);
    const answer = objectOf(response.json());
    const page = answer[key];
    if (!Array.isArray(page)) return { state: 'unavailable', reason: "the account's list of numbers cannot be read" };
    items.push(...page.map(objectOf));
    path = pathOfPage(stringOf(answer.next_page_uri) ?? stringOf(objectOf(answer.meta).next_page_url));
  }
  return items;
}

/**
 * True when the address does not do what was asked: gateways and stand-ins serve a part of Twilio's API. Refused
 * credentials and a limit are no such answer.
 */
export function isNotServed({ status }: HttpResponse): boolean {
  return status === 501 || (status >= 400 && status < 500 && status !== 401 && status !== 403 && status !== 429);
}

export function objectOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

export function stringOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

export function present<T extends Record<string, unknown>>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== '')) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
