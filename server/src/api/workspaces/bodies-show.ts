/** Content as this surface's message bodies show it. What comes in the other way: bodies.ts. */
import type { Action, Content, ListContent, MediaContent, MediaRef, ReplyContent } from '../../model/content.ts';
import { textOf } from '../../model/content.ts';
import type { MediaAddresses } from './bodies.ts';
import { showTemplate } from './bodies-template.ts';
import type { BodyAction, MessageBody } from './schemas/body.ts';

/** Content → body. What has no body of its own is shown as the text that a person reads. */
export function bodyOf(content: Content, media: MediaAddresses): MessageBody {
  const addressOf = (ref: MediaRef) => (ref.id ? media.urlOf(ref.id) : (ref.url ?? ''));
  const attachments = (refs: MediaRef[] | undefined) =>
    refs?.length
      ? {
          attachments: refs.map((ref) => ({
            mediaUrl: addressOf(ref),
            ...(ref.mimeType ? { contentType: ref.mimeType } : {}),
            ...(ref.filename ? { filename: ref.filename } : {}),
            ...(ref.contentId ? { inline: true, contentId: ref.contentId } : {}),
          })),
        }
      : {};
  const caption = (own: MediaContent) => (own.caption ? { text: own.caption } : {});

  switch (content.type) {
    case 'image':
    case 'sticker':
      return {
        type: 'image',
        image: {
          ...caption(content),
          images: [{ mediaUrl: addressOf(content.media), ...(content.media.mimeType ? { contentType: content.media.mimeType } : {}) }],
        },
      };
    case 'video':
    case 'audio':
    case 'file':
      return {
        type: 'file',
        file: {
          ...caption(content),
          files: [
            {
              mediaUrl: addressOf(content.media),
              contentType: content.media.mimeType ?? (content.type === 'file' ? 'application/octet-stream' : `${content.type}/*`),
              ...(content.media.filename ? { filename: content.media.filename } : {}),
            },
          ],
        },
      };
    case 'location': {
      const { latitude, longitude, name, address } = content;
      return {
        type: 'location',
        location: { coordinates: { latitude, longitude }, ...(name ? { label: name } : {}), ...(address ? { address } : {}) },
      };
    }
    case 'choices':
      return {
        type: 'text',
        text: {
          text: content.text,
          ...attachments(content.media && [content.media]),
          actions: content.choices.map((choice) => ({
            type: 'reply',
            reply: { text: choice.title, payload: choice.id, ...(choice.imageUrl ? { mediaUrl: choice.imageUrl } : {}) },
          })),
        },
      };
    case 'list':
      return { type: 'list', list: showList(content) };
    case 'cards':
      return {
        type: 'carousel',
        carousel: {
          ...(content.text ? { text: content.text } : {}),
          items: content.cards.map((card) => ({
            ...(card.title ? { title: card.title } : {}),
            ...(card.text ? { description: card.text } : {}),
            ...(card.media ? { mediaUrl: addressOf(card.media) } : {}),
            ...(card.actions?.length ? { actions: card.actions.map(showAction) } : {}),
          })),
        },
      };
    case 'template':
      return { type: 'template', template: showTemplate(content) };
    case 'email': {
      const metadata = { subject: content.subject };
      if (content.html === undefined) return { type: 'text', text: { text: content.text, ...attachments(content.attachments), metadata } };
      return { type: 'html', html: { html: content.html, text: content.text, ...attachments(content.attachments), metadata } };
    }
    case 'reply':
      return { type: 'action', action: showReply(content) };
    default:
      return { type: 'text', text: { text: textOf(content) } };
  }
}

function showAction(action: Action): BodyAction {
  switch (action.type) {
    case 'reply':
      return { type: 'reply', reply: { text: action.text, payload: action.payload } };
    case 'url':
      return { type: 'link', link: { text: action.text, url: action.url } };
    case 'call':
      return { type: 'call', call: { text: action.text, phoneNumber: action.phone } };
    case 'location': {
      const { text, latitude, longitude, label } = action;
      if (latitude === undefined || longitude === undefined) return { type: 'locationRequest', locationRequest: { text } };
      return { type: 'location', location: { text, latitude, longitude, ...(label ? { label } : {}) } };
    }
  }
}

function showList(content: ListContent): NonNullable<MessageBody['list']> {
  return {
    text: content.text,
    ...(content.header ? { title: content.header } : {}),
    items: content.sections.flatMap((section) =>
      section.rows.map((row) => ({
        title: row.title,
        ...(row.description ? { description: row.description } : {}),
        payload: row.id,
        ...(section.title ? { section: section.title } : {}),
      })),
    ),
    metadata: { button: { label: content.button }, ...(content.footer ? { footer: content.footer } : {}) },
  };
}

function showReply(content: ReplyContent): NonNullable<MessageBody['action']> {
  return {
    text: content.title,
    type: content.via,
    payload: content.payload,
    ...(content.description ? { description: content.description } : {}),
    ...(content.data ? { data: content.data } : {}),
  };
}
