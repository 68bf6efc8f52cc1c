/** Somebody with a phone: writes to the business, and Twilio's webhook tells it. */
import { newSid, type SandboxAccount, type SandboxMessage } from './state.ts';
import type { Delivery } from './webhooks.ts';

export interface CustomerMessage {
  /** The customer's number; `whatsapp:+…` writes by WhatsApp. */
  from: string;
  /** The business's address, in the same form. */
  to: string;
  body?: string;
  media?: { type: string; data: Buffer }[];
  /** Where the webhook is told that the media are; Twilio's own host unless a stand-in shall be named. */
  mediaBase?: string;
  profileName?: string;
  button?: { text: string; payload: string };
  list?: { id: string; title: string; description?: string };
  location?: { latitude: number; longitude: number; label?: string; address?: string };
  forwarded?: 'once' | 'often';
  repliesTo?: string;
  referral?: Record<string, string>;
  /** Anything else that Twilio may add. */
  extra?: Record<string, string>;
}

const STOP = /^(stop|stopall|unsubscribe|cancel|end|quit|optout|revoke)$/i;
const START = /^(start|unstop|yes)$/i;

export class Customer {
  readonly #account: SandboxAccount;
  readonly #send: (address: string, parameters: Record<string, string>, token: string) => Promise<Delivery>;
  readonly #now: () => Date;

  constructor(
    account: SandboxAccount,
    send: (address: string, parameters: Record<string, string>, token: string) => Promise<Delivery>,
    now: () => Date,
  ) {
    this.#account = account;
    this.#send = send;
    this.#now = now;
  }

  /** Writes to the business. Gives the message, and the webhook's delivery where the number has one. */
  async writes(item: CustomerMessage): Promise<{ message: SandboxMessage; delivery: Delivery | undefined }> {
    const account = this.#account;
    const now = this.#now();
    const body = item.body ?? item.button?.text ?? item.list?.title ?? '';
    const media = (item.media ?? []).map((one) => ({ sid: newSid('ME'), ...one }));
    const message: SandboxMessage = {
      sid: newSid(media.length > 0 ? 'MM' : 'SM'),
      from: item.from,
      to: item.to,
      body,
      status: 'received',
      direction: 'inbound',
      created: now,
      sent: now,
      media,
      errorCode: null,
      errorMessage: null,
      messagingServiceSid: null,
      statusCallback: null,
      segments: 1,
    };
    account.messages.push(message);
    account.lastInbound.set(`${item.to}|${item.from}`, now);
    const whatsapp = item.to.startsWith('whatsapp:');
    const pair = `${item.to}|${item.from}`;
    if (!whatsapp && STOP.test(body.trim())) account.stopped.add(pair);
    if (!whatsapp && START.test(body.trim())) account.stopped.delete(pair);
    const address = whatsapp
      ? account.senders.find((sender) => sender.sender_id === item.to)?.webhook.callback_url
      : account.numbers.find((number) => number.phone_number === item.to)?.sms_url;
    const delivery = address ? await this.#send(address, this.#parameters(message, item), account.authToken) : undefined;
    return { message, delivery };
  }

  /** What the webhook says, in the order in which Twilio says it. */
  #parameters(message: SandboxMessage, item: CustomerMessage): Record<string, string> {
    const whatsapp = item.to.startsWith('whatsapp:');
    const base = `${item.mediaBase ?? 'https://api.twilio.com'}/2010-04-01/Accounts/${this.#account.sid}/Messages/${message.sid}/Media`;
    return {
      ...Object.fromEntries(message.media.map((media, index) => [`MediaContentType${index}`, media.type])),
      ...(whatsapp ? {} : { ToCountry: 'US', ToState: '', SmsMessageSid: message.sid }),
      ...(whatsapp ? { SmsMessageSid: message.sid } : {}),
      NumMedia: String(message.media.length),
      ...(whatsapp
        ? { ProfileName: item.profileName ?? 'Customer', WaId: item.from.replace(/\D/g, ''), MessageType: typeOf(item) }
        : { ToCity: '', FromZip: '' }),
      ...(item.button ? { ButtonText: item.button.text, ButtonPayload: item.button.payload } : {}),
      ...(item.list
        ? { ListId: item.list.id, ListTitle: item.list.title, ...(item.list.description ? { ListDescription: item.list.description } : {}) }
        : {}),
      ...(item.location ? placeOf(item.location) : {}),
      ...(item.forwarded === 'once' ? { Forwarded: 'true' } : {}),
      ...(item.forwarded === 'often' ? { FrequentlyForwarded: 'true' } : {}),
      ...(item.repliesTo ? { OriginalRepliedMessageSid: item.repliesTo, OriginalRepliedMessageSender: item.to } : {}),
      ...item.referral,
      ...item.extra,
      SmsSid: message.sid,
      SmsStatus: 'received',
      Body: message.body,
      ...(whatsapp ? {} : { FromCountry: 'US' }),
      To: message.to,
      ...(whatsapp ? {} : { ToZip: '' }),
      NumSegments: '1',
      MessageSid: message.sid,
      AccountSid: this.#account.sid,
      From: message.from,
      ...Object.fromEntries(message.media.map((media, index) => [`MediaUrl${index}`, `${base}/${media.sid}`])),
      ApiVersion: '2010-04-01',
    };
  }
}

function placeOf(place: NonNullable<CustomerMessage['location']>): Record<string, string> {
  return {
    Latitude: String(place.latitude),
    Longitude: String(place.longitude),
    ...(place.label ? { Label: place.label } : {}),
    ...(place.address ? { Address: place.address } : {}),
  };
}

function typeOf(item: CustomerMessage): string {
  if (item.button) return 'button';
  if (item.list) return 'interactive';
  if (item.location) return 'location';
  return item.media?.[0]?.type.split('/')[0] ?? 'text';
}
