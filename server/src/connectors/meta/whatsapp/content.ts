/**
 * A WhatsApp message object → our words. The same shapes serve messages in both directions, so this also reads what
 * callers of the Airy surface send.
 * developers.facebook.com/docs/whatsapp/cloud-api/webhooks/payload-examples
 */
import type { Content, MediaKind, MediaRef } from '../../../model/content.ts';
import { type Json, number, record, records, text } from '../values.ts';
import { templateOf } from './template-content.ts';

const MEDIA: Record<string, MediaKind> = { image: 'image', video: 'video', audio: 'audio', document: 'file', sticker: 'sticker' };

/** The content of a message object; `unsupported` with the provider's name for a kind that we do not know. */
export function contentOf(message: Json): Content {
  const type = text(message.type) ?? kindOf(message) ?? 'unknown';
  const part = record(message[type]);
  switch (type) {
    case 'text':
      return { type: 'text', text: typeof part?.body === 'string' ? part.body : '' };
    case 'image':
    case 'video':
    case 'audio':
    case 'document':
    case 'sticker':
      return media(type, part ?? {});
    case 'location':
      return location(part ?? {});
    case 'contacts':
      return { type: 'contacts', contacts: records(message.contacts).map(addressCard) };
    case 'interactive':
      return interactive(part ?? {});
    case 'button':
      return { type: 'reply', via: 'button', title: text(part?.text) ?? '', payload: text(part?.payload) ?? text(part?.text) ?? '' };
    case 'order':
      return order(part ?? {});
    case 'system':
      return { type: 'system', text: text(part?.body) ?? 'The customer’s account changed', event: text(part?.type) };
    case 'template':
      return templateOf(part ?? {});
    default:
      return unsupported(type, message);
  }
}

/** The kind of a message that names none, from the one part that it has. */
export function kindOf(message: Json): string | undefined {
  for (const kind of ['text', 'image', 'video', 'audio', 'document', 'sticker', 'location', 'interactive', 'template', 'reaction']) {
    if (record(message[kind])) return kind;
  }
  return Array.isArray(message.contacts) ? 'contacts' : undefined;
}

function media(type: string, part: Json): Content {
  const ref: MediaRef = {
    ...(text(part.id) ? { providerRef: text(part.id) } : {}),
    ...(text(part.id) || !text(part.link) ? {} : { url: text(part.link) }),
    ...(text(part.mime_type) ? { mimeType: text(part.mime_type) } : {}),
    ...(hexOf(part.sha256) ? { sha256: hexOf(part.sha256) } : {}),
    ...(text(part.filename) ? { filename: text(part.filename) } : {}),
  };
  return {
    type: MEDIA[type]!,
    media: ref,
    ...(text(part.caption) ? { caption: text(part.caption) } : {}),
    ...(part.voice === true ? { voice: true } : {}),
  };
}

/** WhatsApp writes SHA-256 sums in base64. */
export function hexOf(sum: unknown): string | undefined {
  const written = text(sum);
  if (!written) return undefined;
  if (/^[0-9a-f]{64}$/i.test(written)) return written.toLowerCase();
  const bytes = Buffer.from(written, 'base64');
  return bytes.length === 32 ? bytes.toString('hex') : undefined;
}

function location(part: Json): Content {
  const latitude = number(part.latitude);
  const longitude = number(part.longitude);
  if (latitude === undefined || longitude === undefined) return { type: 'unsupported', kind: 'location' };
  return {
    type: 'location',
    latitude,
    longitude,
    ...(text(part.name) ? { name: text(part.name) } : {}),
    ...(text(part.address) ? { address: text(part.address) } : {}),
  };
}

function addressCard(card: Json): { name: string; phones?: string[]; emails?: string[]; raw: unknown } {
  const name = record(card.name);
  const phones = records(card.phones).flatMap((phone) => text(phone.phone) ?? text(phone.wa_id) ?? []);
  const emails = records(card.emails).flatMap((email) => text(email.email) ?? []);
  return {
    name: text(name?.formatted_name) ?? [text(name?.first_name), text(name?.last_name)].filter(Boolean).join(' '),
    ...(phones.length ? { phones } : {}),
    ...(emails.length ? { emails } : {}),
    raw: card,
  };
}

function interactive(part: Json): Content {
  const type = text(part.type) ?? 'interactive';
  const reply = record(part[type]);
  const title = text(reply?.title) ?? '';
  switch (type) {
    case 'button_reply':
      return { type: 'reply', via: 'button', title, payload: text(reply?.id) ?? title };
    case 'list_reply':
      return {
        type: 'reply',
        via: 'list',
        title,
        payload: text(reply?.id) ?? title,
        ...(text(reply?.description) ? { description: text(reply?.description) } : {}),
      };
    case 'nfm_reply': {
      const written = text(reply?.response_json) ?? '';
      const data = answersOf(written);
      return {
        type: 'reply',
        via: 'flow',
        title: text(reply?.body) ?? text(reply?.name) ?? '',
        payload: written,
        ...(data ? { data } : {}),
      };
    }
    case 'button':
    case 'list':
      return offered(type, part);
    default:
      return { type: 'unsupported', kind: `interactive.${type}`, ...bodyText(part) };
  }
}

/** Buttons and lists as businesses send them: seen in echoes and in payloads that callers pass through. */
function offered(type: 'button' | 'list', part: Json): Content {
  const action = record(part.action);
  const words = text(record(part.body)?.text) ?? '';
  if (type === 'button') {
    const choices = records(action?.buttons).map((button) => record(button.reply) ?? {});
    return { type: 'choices', text: words, choices: choices.map(({ id, title }) => ({ id: text(id) ?? '', title: text(title) ?? '' })) };
  }
  return {
    type: 'list',
    text: words,
    button: text(action?.button) ?? '',
    sections: records(action?.sections).map((section) => ({
      ...(text(section.title) ? { title: text(section.title) } : {}),
      rows: records(section.rows).map((row) => ({
        id: text(row.id) ?? '',
        title: text(row.title) ?? '',
        ...(text(row.description) ? { description: text(row.description) } : {}),
      })),
    })),
  };
}

function answersOf(written: string): Json | undefined {
  try {
    return record(JSON.parse(written));
  } catch {
    return undefined;
  }
}

function order(part: Json): Content {
  return {
    type: 'order',
    ...(text(part.catalog_id) ? { catalogId: text(part.catalog_id) } : {}),
    ...(text(part.text) ? { text: text(part.text) } : {}),
    items: records(part.product_items).map((item) => ({
      productId: text(item.product_retailer_id) ?? '',
      quantity: number(item.quantity) ?? 1,
      ...(number(item.item_price) === undefined ? {} : { price: number(item.item_price) }),
      ...(text(item.currency) ? { currency: text(item.currency) } : {}),
    })),
  };
}

function unsupported(type: string, message: Json): Content {
  const error = records(message.errors)[0];
  const why = error ? (text(record(error.error_data)?.details) ?? text(error.message) ?? text(error.title)) : undefined;
  const kind = text(record(message.unsupported)?.type) ?? type;
  return { type: 'unsupported', kind, ...(why ? { text: why } : {}) };
}

function bodyText(part: Json): { text?: string } {
  const words = text(record(part.body)?.text);
  return words ? { text: words } : {};
}
