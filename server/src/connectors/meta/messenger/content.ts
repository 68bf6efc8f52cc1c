/**
 * A Messenger or Instagram message object → our words.
 * developers.facebook.com/docs/messenger-platform/reference/webhook-events/messages, …/instagram-platform/webhooks
 */
import type { Action, Card, Content, MediaRef } from '../../../model/content.ts';
import { type Json, number, record, records, text } from '../values.ts';

const FILES: Record<string, 'image' | 'video' | 'audio' | 'file'> = { image: 'image', video: 'video', audio: 'audio', file: 'file' };

/** Things of Instagram that are shared by their picture or film, in words. */
const SHARED: Record<string, string> = {
  story_mention: 'Mention in a story',
  share: 'Shared post',
  ig_post: 'Shared post',
  post: 'Shared post',
  ig_reel: 'Shared reel',
  reel: 'Shared reel',
  ig_story: 'Shared story',
};

/** The content of `message`: text, one file, or several things side by side in the order in which they came. */
export function contentOf(message: Json): Content {
  const words = typeof message.text === 'string' ? message.text : '';
  const quickReply = record(message.quick_reply);
  if (quickReply) return { type: 'reply', via: 'quick_reply', title: words, payload: text(quickReply.payload) ?? words };
  const attachments = Array.isArray(message.attachments) ? records(message.attachments) : records([message.attachment]);
  if (attachments.length === 1) return attached(attachments[0]!, words);
  if (attachments.length > 1) return { type: 'cards', ...(words ? { text: words } : {}), cards: attachments.flatMap(cardsOf) };
  const offered = records(message.quick_replies);
  if (offered.length > 0) return choices(words, offered);
  if (message.is_unsupported === true)
    return { type: 'unsupported', kind: 'unsupported', text: words || 'A message that Meta’s API does not show' };
  if (words) return { type: 'text', text: words };
  const kind = Object.keys(message).find((key) => !['mid', 'is_echo', 'app_id', 'metadata', 'reply_to', 'seq'].includes(key));
  return { type: 'unsupported', kind: kind ?? 'empty' };
}

function choices(words: string, offered: Json[]): Content {
  return {
    type: 'choices',
    text: words,
    choices: offered.map((reply) => ({ id: text(reply.payload) ?? text(reply.title) ?? '', title: text(reply.title) ?? '' })),
  };
}

function attached(attachment: Json, words: string): Content {
  const type = text(attachment.type) ?? 'unknown';
  const payload = record(attachment.payload) ?? {};
  const file = Object.hasOwn(FILES, type) ? FILES[type] : undefined;
  if (file) {
    const caption = words ? { caption: words } : {};
    const isSticker = file === 'image' && text(payload.sticker_id) !== undefined;
    return { type: isSticker ? 'sticker' : file, media: mediaOf(payload, file), ...caption };
  }
  if (type === 'location') {
    const coordinates = record(payload.coordinates);
    const latitude = number(coordinates?.lat);
    const longitude = number(coordinates?.long);
    if (latitude !== undefined && longitude !== undefined) {
      const name = text(attachment.title) ?? text(payload.title);
      return { type: 'location', latitude, longitude, ...(name ? { name } : {}) };
    }
  }
  if (type === 'fallback') {
    const link = text(payload.url) ?? text(attachment.url);
    const said =
      [words, link && !words.includes(link) ? link : ''].filter(Boolean).join('\n') || text(payload.title) || text(attachment.title);
    if (said) return { type: 'text', text: said };
  }
  const cards = cardsOf(attachment);
  if (cards.length > 0) return { type: 'cards', ...(words ? { text: words } : {}), cards };
  return { type: 'unsupported', kind: type, ...(words ? { text: words } : {}) };
}

function mediaOf(payload: Json, kind: string): MediaRef {
  const url = text(payload.url);
  const attachmentId = text(payload.attachment_id);
  const filename = text(payload.title) ?? text(payload.name) ?? (kind === 'file' && url ? fileNameIn(url) : undefined);
  return { ...(url ? { url } : attachmentId ? { providerRef: attachmentId } : {}), ...(filename ? { filename } : {}) };
}

function fileNameIn(url: string): string | undefined {
  if (!URL.canParse(url)) return undefined;
  const last = new URL(url).pathname.split('/').pop();
  try {
    return last ? decodeURIComponent(last) : undefined;
  } catch {
    return last;
  }
}

function cardsOf(attachment: Json): Card[] {
  const type = text(attachment.type) ?? 'unknown';
  const payload = record(attachment.payload) ?? {};
  if (type === 'template') return templateCards(payload);
  const link = text(payload.url) ?? text(attachment.url);
  const title = text(payload.title) ?? text(attachment.title);
  if (Object.hasOwn(SHARED, type)) {
    return [
      {
        title: title ?? SHARED[type],
        ...(link ? { media: { url: link }, actions: [{ type: 'url' as const, text: 'Open', url: link }] } : {}),
      },
    ];
  }
  if (Object.hasOwn(FILES, type)) return [{ ...(title ? { title } : {}), media: mediaOf(payload, type) }];
  if (!link && !title) return [];
  return [{ title: title ?? link, ...(link ? { actions: [{ type: 'url' as const, text: 'Open', url: link }] } : {}) }];
}

function templateCards(payload: Json): Card[] {
  const elements = Array.isArray(payload.elements) ? records(payload.elements) : records(record(payload.product)?.elements);
  if (elements.length === 0) {
    const words = text(payload.text);
    return words ? [{ text: words, actions: records(payload.buttons).flatMap(actionOf) }] : [];
  }
  return elements.map((element) => {
    const picture = text(element.image_url);
    return {
      ...(text(element.title) ? { title: text(element.title) } : {}),
      ...(text(element.subtitle) ? { text: text(element.subtitle) } : {}),
      ...(picture ? { media: { url: picture } } : {}),
      actions: records(element.buttons).flatMap(actionOf),
    };
  });
}

function actionOf(button: Json): Action[] {
  const title = text(button.title) ?? '';
  const payload = text(button.payload) ?? '';
  const url = text(button.url);
  if (button.type === 'postback') return [{ type: 'reply', text: title, payload }];
  if (button.type === 'phone_number') return [{ type: 'call', text: title, phone: payload }];
  return url ? [{ type: 'url', text: title, url }] : [];
}

/** What a payload in the Send API's shape says, where it can be read. */
export function readNative(payload: unknown): Content | undefined {
  const content = contentOf(record(payload) ?? {});
  return content.type === 'unsupported' ? undefined : content;
}
