/** Twilio's webhooks → what happened (twilio.com/docs/messaging/guides/webhook-request). */
import { consentWord } from '../../model/consent.ts';
import type { Content, MediaContent, MediaKind, MediaRef } from '../../model/content.ts';
import type { RawEvent } from '../connector.ts';
import type { ConsentEvent, InboundEvent, MessageEvent, Party, ReceiptEvent } from '../events.ts';
import { identityOf, sourceOf } from './addresses.ts';
import { messageErrorOf } from './errors.ts';

/** Parameters that we add to a stored request: our message id from the address, the time when a lost one was found. */
export const OUR_MESSAGE_ID = 'PatchbayMessageId';
export const FOUND_DATE = 'PatchbayDateCreated';

/** A stored webhook → its events. Throws when it is no webhook of Twilio's messaging. */
export function parse(event: RawEvent): InboundEvent[] {
  const raw = event.body.toString('utf8');
  const form = event.value instanceof URLSearchParams ? event.value : new URLSearchParams(raw);
  const sid = form.get('MessageSid') ?? form.get('SmsMessageSid') ?? form.get('SmsSid');
  if (!sid) throw new Error('Twilio webhook without MessageSid');
  const status = (form.get('MessageStatus') ?? form.get('SmsStatus') ?? 'received').toLowerCase();
  if (isInbound(form)) return inboundEvents(sid, form, raw);
  const told = receipt(sid, status, form);
  const blocked = form.get('ErrorCode') === UNSUBSCRIBED ? form.get('To') : null;
  return blocked ? [told, { kind: 'consent', contact: { identities: [identityOf(blocked)] }, wants: false, by: 'provider' }] : [told];
}

/** Twilio's own list says that the recipient has answered STOP, perhaps before we were there. */
const UNSUBSCRIBED = '21610';

/** A message of the contact's, and not the status of one of ours. */
export function isInbound(form: URLSearchParams): boolean {
  if (form.has('MessageStatus')) return form.get('MessageStatus') === 'received' && form.has('Body');
  const status = form.get('SmsStatus');
  return status === null || status === 'received';
}

function inboundEvents(sid: string, form: URLSearchParams, raw: string): InboundEvent[] {
  const from = form.get('From');
  if (!from) throw new Error('Twilio message without From');
  const contact: Party = { identities: identitiesOf(from, form) };
  const name = form.get('ProfileName');
  if (name) contact.name = name;
  const sentAt = dateOf(form.get(FOUND_DATE));
  const message: MessageEvent = {
    kind: 'message',
    direction: 'in',
    providerId: sid,
    contact,
    content: contentOf(form),
    payload: raw,
    facts: factsOf(form),
  };
  if (sentAt) message.sentAt = sentAt;
  const replyTo = form.get('OriginalRepliedMessageSid');
  if (replyTo) message.replyTo = replyTo;
  const consent = consentOf(form, contact);
  return consent ? [message, consent] : [message];
}

function identitiesOf(from: string, form: URLSearchParams): Party['identities'] {
  const first = identityOf(from);
  const waId = form.get('WaId');
  if (first.kind === 'phonenumber' || !waId || !/^\d{5,15}$/.test(waId)) return [first];
  return [{ kind: 'phonenumber', value: `+${waId}` }, first];
}

/** The contact's words → ours. Also reads what a client of the Airy surface may send back: the same parameters. */
export function contentOf(form: URLSearchParams): Content {
  const body = form.get('Body') ?? '';
  const buttonText = form.get('ButtonText');
  const buttonPayload = form.get('ButtonPayload');
  if (buttonPayload !== null || buttonText !== null) {
    return { type: 'reply', via: 'button', title: buttonText ?? body, payload: buttonPayload ?? buttonText ?? '' };
  }
  const listId = form.get('ListId');
  if (listId !== null) {
    const description = form.get('ListDescription') ?? undefined;
    return { type: 'reply', via: 'list', title: form.get('ListTitle') ?? body, payload: listId, ...(description ? { description } : {}) };
  }
  const place = placeOf(form, body);
  if (place) return place;
  const media = mediaOf(form);
  if (media.length > 0) return mediaContent(media, body, form);
  const flow = form.get('InteractiveData');
  if (flow && !body) return { type: 'reply', via: 'flow', title: body, payload: flow, data: objectOf(flow) };
  return { type: 'text', text: body };
}

function placeOf(form: URLSearchParams, body: string): Content | undefined {
  const latitude = numberOf(form.get('Latitude'));
  const longitude = numberOf(form.get('Longitude'));
  if (latitude === undefined || longitude === undefined) return undefined;
  const name = form.get('Label') || body || undefined;
  const address = form.get('Address') || undefined;
  return { type: 'location', latitude, longitude, ...(name ? { name } : {}), ...(address ? { address } : {}) };
}

function mediaOf(form: URLSearchParams): MediaRef[] {
  const count = Math.min(numberOf(form.get('NumMedia')) ?? 0, 20);
  const media: MediaRef[] = [];
  for (let index = 0; index < count; index += 1) {
    const url = form.get(`MediaUrl${index}`);
    if (!url) continue;
    const mimeType = form.get(`MediaContentType${index}`) || undefined;
    media.push({ providerRef: url, ...(mimeType ? { mimeType } : {}) });
  }
  return media;
}

function mediaContent(media: MediaRef[], body: string, form: URLSearchParams): MediaContent {
  const [first, ...more] = media;
  const type = kindOf(first!.mimeType, sourceOf(form.get('To') ?? '') === 'twilio.whatsapp');
  return {
    type,
    media: first!,
    ...(body ? { caption: body } : {}),
    ...(form.get('MessageType') === 'voice' ? { voice: true } : {}),
    ...(more.length > 0 ? { more } : {}),
  };
}

function kindOf(mimeType: string | undefined, whatsapp: boolean): MediaKind {
  if (whatsapp && mimeType === 'image/webp') return 'sticker';
  const kind = mimeType?.split('/')[0];
  return kind === 'image' || kind === 'video' || kind === 'audio' ? kind : 'file';
}

/** Everything about the message that has no place of its own; names as Twilio's, since these facts are Twilio's. */
const FACTS =
  /^(Forwarded|FrequentlyForwarded|OriginalRepliedMessageSender|Referral\w+|OptOutType|MessagingServiceSid|NumSegments|From(City|State|Zip|Country)|To(City|State|Zip|Country)|MessageType|ChannelMetadata)$/;

function factsOf(form: URLSearchParams): Record<string, unknown> {
  const facts: Record<string, unknown> = {};
  for (const [name, value] of form) if (value !== '' && FACTS.test(name)) facts[name] = value === 'true' ? true : value;
  return facts;
}

function consentOf(form: URLSearchParams, contact: Party): ConsentEvent | undefined {
  const carrier = sourceOf(form.get('To') ?? '') === 'twilio.sms';
  const body = (form.get('Body') ?? '').trim();
  const word = form.get('OptOutType')?.toLowerCase() ?? consentWord(body, { carrier });
  if (word !== 'stop' && word !== 'start') return undefined;
  const at = dateOf(form.get(FOUND_DATE));
  return { kind: 'consent', contact, wants: word === 'start', keyword: body || word.toUpperCase(), ...(at ? { at } : {}) };
}

const STATES: Record<string, ReceiptEvent['state']> = {
  accepted: 'sent',
  scheduled: 'scheduled',
  queued: 'sent',
  sending: 'sent',
  sent: 'sent',
  delivered: 'delivered',
  partially_delivered: 'delivered',
  read: 'read',
  undelivered: 'failed',
  failed: 'failed',
  canceled: 'failed',
};

function receipt(sid: string, status: string, form: URLSearchParams): InboundEvent {
  const state = Object.hasOwn(STATES, status) ? STATES[status] : undefined;
  if (!state) return { kind: 'ignored', reason: `message status "${status}"` };
  const event: ReceiptEvent = { kind: 'receipt', providerId: sid, state, facts: { status } };
  const ourId = form.get(OUR_MESSAGE_ID);
  if (ourId) event.ourId = ourId;
  const carrierTime = form.get('RawDlrDoneDate');
  if (carrierTime) event.facts!.carrierTime = carrierTime;
  if (state === 'failed') {
    event.error =
      status === 'canceled'
        ? { class: 'rejected', message: 'canceled before it was sent' }
        : messageErrorOf(form.get('ErrorCode') || undefined, form.get('ErrorMessage') || form.get('ChannelStatusMessage') || undefined);
  }
  return event;
}

function numberOf(value: string | null): number | undefined {
  if (value === null || value.trim() === '') return undefined;
  const number = Number(value);
  return Number.isFinite(number) ? number : undefined;
}

function dateOf(value: string | null): Date | undefined {
  if (!value) return undefined;
  const date = new Date(value);
  return Number.isNaN(date.getTime()) ? undefined : date;
}

function objectOf(json: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
