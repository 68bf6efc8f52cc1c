/**
 * Our words → the body of `POST /{phone-number-id}/messages`. Pure; media are handed in as WhatsApp takes them.
 * developers.facebook.com/docs/whatsapp/cloud-api/reference/messages
 */

import {
  type Content,
  isMedia,
  type MediaKind,
  type MediaRef,
  type TemplateComponent,
  type TemplateParameter,
} from '../../../model/content.ts';
import { ProviderError } from '../../../model/errors.ts';
import { digitsOf, type Json, record } from '../values.ts';
import { kindOf } from './content.ts';

/** A file as WhatsApp takes it: uploaded before, or fetched by Meta. */
export type SentMedia = { id: string } | { link: string };
/** Gives each file of the content in WhatsApp's form. */
export type MediaOf = (ref: MediaRef) => SentMedia;

const NAMES: Record<MediaKind, string> = { image: 'image', video: 'video', audio: 'audio', file: 'document', sticker: 'sticker' };

/** The whole body: to whom, in answer to what, with our id in it. */
export function bodyOf(
  message: { id: string; to: { kind: string; value: string }[]; content: Content; replyToProviderId?: string },
  mediaOf: MediaOf,
): Json {
  const content = partsOf(message.content, mediaOf);
  return {
    ...content,
    messaging_product: 'whatsapp',
    recipient_type: 'individual',
    ...recipientOf(message.to),
    ...(message.replyToProviderId && content.context === undefined ? { context: { message_id: message.replyToProviderId } } : {}),
    biz_opaque_callback_data: message.id,
  };
}

/** The telephone number where there is one, else the business-scoped id. */
export function recipientOf(to: { kind: string; value: string }[]): Json {
  const phone = to.find(({ kind }) => kind === 'phonenumber');
  if (phone) return { to: digitsOf(phone.value) };
  const scoped = to.find(({ kind }) => kind === 'whatsappbsuid');
  if (scoped) return { recipient: scoped.value };
  throw new ProviderError('recipient-unreachable', 'The contact has neither a telephone number nor a WhatsApp user id', {
    scope: 'recipient',
  });
}

function partsOf(content: Content, mediaOf: MediaOf): Json {
  if (isMedia(content)) {
    const name = NAMES[content.type];
    const carriesCaption = content.type !== 'audio' && content.type !== 'sticker';
    return {
      type: name,
      [name]: {
        ...mediaOf(content.media),
        ...(content.caption && carriesCaption ? { caption: content.caption } : {}),
        ...(content.type === 'file' && content.media.filename ? { filename: content.media.filename } : {}),
        ...(content.type === 'audio' && content.voice ? { voice: true } : {}),
      },
    };
  }
  switch (content.type) {
    case 'text':
      return { type: 'text', text: { body: content.text, preview_url: content.previewUrl ?? false } };
    case 'location': {
      const { latitude, longitude, name, address } = content;
      return { type: 'location', location: { latitude, longitude, ...(name ? { name } : {}), ...(address ? { address } : {}) } };
    }
    case 'contacts':
      return { type: 'contacts', contacts: content.contacts.map(addressCard) };
    case 'choices':
      return {
        type: 'interactive',
        interactive: {
          type: 'button',
          ...(content.media ? { header: mediaHeader(content.media, mediaOf) } : headerOf(content.header)),
          body: { text: content.text },
          ...footerOf(content.footer),
          action: { buttons: content.choices.map(({ id, title }) => ({ type: 'reply', reply: { id, title } })) },
        },
      };
    case 'list':
      return {
        type: 'interactive',
        interactive: {
          type: 'list',
          ...headerOf(content.header),
          body: { text: content.text },
          ...footerOf(content.footer),
          action: { button: content.button, sections: content.sections },
        },
      };
    case 'template':
      return {
        type: 'template',
        template: {
          name: content.name,
          language: { code: content.language },
          ...(content.components.length
            ? { components: content.components.map((component) => templateComponent(component, mediaOf)) }
            : {}),
        },
      };
    case 'native':
      return nativeParts(content.payload);
    default:
      throw new ProviderError('rejected', `WhatsApp does not carry ${content.type} messages`);
  }
}

/** A payload in Meta's own shape: the caller's words count, only `type` is added where it is left out. */
function nativeParts(payload: unknown): Json {
  const parts = record(payload);
  if (!parts)
    throw new ProviderError('rejected', 'The message must be an object as WhatsApp’s API takes it, for example {"text":{"body":"…"}}');
  const type = parts.type ?? kindOf(parts);
  return type === undefined ? parts : { ...parts, type };
}

function headerOf(header: string | undefined): Json {
  return header ? { header: { type: 'text', text: header } } : {};
}

function footerOf(footer: string | undefined): Json {
  return footer ? { footer: { text: footer } } : {};
}

function mediaHeader(ref: MediaRef, mediaOf: MediaOf): Json {
  const kind = ref.mimeType?.startsWith('video/') ? 'video' : !ref.mimeType || ref.mimeType.startsWith('image/') ? 'image' : 'document';
  return { type: kind, [kind]: { ...mediaOf(ref), ...(kind === 'document' && ref.filename ? { filename: ref.filename } : {}) } };
}

function addressCard(contact: { name: string; phones?: string[]; emails?: string[]; raw?: unknown }): Json {
  const raw = record(contact.raw);
  if (raw) return raw;
  const [first, ...rest] = contact.name.split(' ');
  return {
    name: { formatted_name: contact.name, first_name: first, ...(rest.length ? { last_name: rest.join(' ') } : {}) },
    ...(contact.phones?.length ? { phones: contact.phones.map((phone) => ({ phone, type: 'CELL' })) } : {}),
    ...(contact.emails?.length ? { emails: contact.emails.map((email) => ({ email, type: 'WORK' })) } : {}),
  };
}

function templateComponent(component: TemplateComponent, mediaOf: MediaOf): Json {
  return {
    type: component.type,
    ...(component.subType ? { sub_type: component.subType } : {}),
    ...(component.type === 'button' ? { index: String(component.index ?? 0) } : {}),
    ...(component.parameters?.length ? { parameters: component.parameters.map((parameter) => templateParameter(parameter, mediaOf)) } : {}),
    ...(component.cards
      ? {
          cards: component.cards.map((card) => ({
            card_index: card.index,
            components: card.components.map((inner) => templateComponent(inner, mediaOf)),
          })),
        }
      : {}),
  };
}

function templateParameter(parameter: TemplateParameter, mediaOf: MediaOf): Json {
  const named = parameter.name ? { parameter_name: parameter.name } : {};
  switch (parameter.type) {
    case 'text':
      return { type: 'text', ...named, text: parameter.text ?? '' };
    case 'payload':
      return { type: 'payload', payload: parameter.text ?? '' };
    case 'coupon_code':
      return { type: 'coupon_code', coupon_code: parameter.text ?? '' };
    case 'image':
    case 'video':
    case 'document': {
      const { filename } = parameter.media ?? {};
      const file = parameter.media ? mediaOf(parameter.media) : {};
      return {
        type: parameter.type,
        [parameter.type]: { ...file, ...(parameter.type === 'document' && filename ? { filename } : {}), ...parameter.value },
      };
    }
    case 'location':
      return { type: 'location', location: { ...parameter.location, ...parameter.value } };
    case 'currency':
    case 'date_time':
      return {
        type: parameter.type,
        ...named,
        [parameter.type]: { ...(parameter.text ? { fallback_value: parameter.text } : {}), ...parameter.value },
      };
    default:
      return { type: parameter.type, ...named, [parameter.type]: parameter.value ?? {} };
  }
}
