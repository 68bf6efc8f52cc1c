/** Twilio's addresses: which source they belong to, and the webhook addresses that belong to a number. */
import { invalid } from '../../model/errors.ts';
import { isUuid } from '../../model/ids.ts';
import { isE164 } from '../../model/phone.ts';
import type { ProviderConfig } from '../connector.ts';
import { isTwilioItself } from './client.ts';

export type TwilioSource = 'twilio.sms' | 'twilio.whatsapp';

/** The source of an address of ours; undefined for Twilio's other channels (`rcs:`, `messenger:`). */
export function sourceOf(address: string): TwilioSource | undefined {
  if (address.startsWith('whatsapp:')) return 'twilio.whatsapp';
  return /^[a-z]+:/i.test(address) ? undefined : 'twilio.sms';
}

/** How a contact at this address is known. A WhatsApp user without a visible number has a business-scoped id. */
export function identityOf(address: string): { kind: string; value: string } {
  const value = address.replace(/^whatsapp:/, '');
  if (value.startsWith('+') || !address.startsWith('whatsapp:')) return { kind: 'phonenumber', value };
  return /^\d+$/.test(value) ? { kind: 'phonenumber', value: `+${value}` } : { kind: 'whatsappbsuid', value };
}

/** An address as a caller writes it, with or without `whatsapp:`. */
export function addressOf(value: string): { kind: string; value: string } {
  const identity = identityOf(value.trim());
  if (identity.kind === 'phonenumber' && !isE164(identity.value)) throw invalid('to', 'must be a phone number like +491234567');
  return identity;
}

/** What Twilio calls the recipient on this source. */
export function recipientOf(source: TwilioSource, identities: { kind: string; value: string }[]): string | undefined {
  const phone = identities.find(({ kind }) => kind === 'phonenumber');
  const known = phone ?? (source === 'twilio.whatsapp' ? identities.find(({ kind }) => kind === 'whatsappbsuid') : undefined);
  if (!known) return undefined;
  const bare = known.value.replace(/^whatsapp:/, '');
  return source === 'twilio.whatsapp' ? `whatsapp:${bare}` : bare;
}

/** The address for incoming messages, as pasted into Twilio's console. */
export function inboundUrl(config: ProviderConfig): string {
  return `${config.publicUrl.replace(/\/+$/, '')}/hooks/twilio`;
}

/**
 * Twilio does not repeat a failed webhook unless the address asks for it: two more tries, on any failure, against
 * another of our addresses where DNS has several (twilio.com/docs/usage/webhooks/webhooks-connection-overrides).
 */
export const RETRY_OVERRIDES = '#rc=2&rp=all';

/** Where Twilio reports what became of a message; the path says whose it was, so that no parameter is needed. */
export function statusUrl(config: ProviderConfig, sourceChannelId: string, messageId?: string): string {
  const kind = sourceOf(sourceChannelId) === 'twilio.whatsapp' ? 'whatsapp' : 'sms';
  const digits = sourceChannelId.replace(/\D/g, '');
  return `${inboundUrl(config)}/status/${kind}/${digits}${messageId ? `/${messageId}` : ''}`;
}

const STATUS_PATH = /\/status\/(sms|whatsapp)\/(\d{1,20})(?:\/([0-9a-f-]{36}))?\/?$/i;

/** Whose message a call to a status address is about. */
export function readStatusPath(path: string): { source: TwilioSource; sourceChannelId: string; messageId?: string } | undefined {
  const match = STATUS_PATH.exec(path);
  if (!match) return undefined;
  const [, kind, digits, named] = match;
  const messageId = named && isUuid(named) ? named : undefined;
  return kind === 'sms'
    ? { source: 'twilio.sms', sourceChannelId: `+${digits}`, messageId }
    : { source: 'twilio.whatsapp', sourceChannelId: `whatsapp:+${digits}`, messageId };
}

/** Why Twilio could not call us at PUBLIC_URL; undefined when it can, or when the stand-in is as local as we are. */
export function unreachable(config: ProviderConfig): string | undefined {
  const { hostname, protocol } = new URL(config.publicUrl);
  const local =
    hostname === 'localhost' ||
    hostname.endsWith('.localhost') ||
    /^(127\.|\[::1\]|0\.0\.0\.0|10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.)/.test(hostname);
  if (!isTwilioItself(config) || !(local || !/^https?:$/.test(protocol))) return undefined;
  return `Twilio cannot reach ${config.publicUrl}: set PUBLIC_URL to a public address, then connect the number again`;
}
