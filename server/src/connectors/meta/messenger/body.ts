/**
 * Our words → the `message` of the Send API. Pure; files are handed in as Meta takes them.
 * developers.facebook.com/docs/messenger-platform/reference/send-api
 */
import { type Action, type Card, type Content, isMedia, type MediaRef } from '../../../model/content.ts';
import { ProviderError } from '../../../model/errors.ts';
import { type Json, record } from '../values.ts';

/** A file as the Send API takes it. */
export type SentMedia = { attachment_id: string } | { url: string; is_reusable: boolean };
export type MediaOf = (ref: MediaRef) => SentMedia;

/** The `message` object; a payload in Meta's own shape passes as it is. */
export function messageOf(content: Content, mediaOf: MediaOf): Json {
  if (isMedia(content)) {
    const type = content.type === 'sticker' ? 'image' : content.type;
    return { attachment: { type, payload: mediaOf(content.media) } };
  }
  switch (content.type) {
    case 'text':
      return { text: content.text };
    case 'choices':
      return {
        text: content.text,
        quick_replies: content.choices.map(({ id, title, imageUrl }) => ({
          content_type: 'text',
          title,
          payload: id,
          ...(imageUrl ? { image_url: imageUrl } : {}),
        })),
      };
    case 'cards':
      return {
        attachment: {
          type: 'template',
          payload: { template_type: 'generic', elements: content.cards.map((card) => elementOf(card, mediaOf)) },
        },
      };
    case 'native': {
      const payload = record(content.payload);
      if (!payload) throw new ProviderError('rejected', 'The message must be an object as the Send API takes it, for example {"text":"…"}');
      return payload;
    }
    default:
      throw new ProviderError('rejected', `Messenger and Instagram do not carry ${content.type} messages`);
  }
}

function elementOf(card: Card, mediaOf: MediaOf): Json {
  const picture = card.media ? mediaOf(card.media) : undefined;
  return {
    title: card.title ?? card.text ?? '',
    ...(card.title && card.text ? { subtitle: card.text } : {}),
    ...(picture && 'url' in picture ? { image_url: picture.url } : {}),
    ...(card.actions?.length ? { buttons: card.actions.map(buttonOf) } : {}),
  };
}

function buttonOf(action: Action): Json {
  switch (action.type) {
    case 'reply':
      return { type: 'postback', title: action.text, payload: action.payload };
    case 'url':
      return { type: 'web_url', title: action.text, url: action.url };
    case 'call':
      return { type: 'phone_number', title: action.text, payload: action.phone };
    case 'location':
      throw new ProviderError('rejected', 'Messenger and Instagram have no button for locations');
  }
}
