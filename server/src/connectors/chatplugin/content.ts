/** The widget's own message shapes (airy.md 4 and 6) and ours. */
import type { Action, Card, Content, MediaContent } from '../../model/content.ts';

type Json = Record<string, unknown>;

const KINDS: Record<string, MediaContent['type']> = { image: 'image', video: 'video', audio: 'audio', file: 'file' };

/** Reads a widget message; a shape that we do not know is kept as `unsupported`, never refused. */
export function readChatContent(message: unknown): Content {
  const payload = objectOf(message);
  if (!payload) return { type: 'unsupported', kind: typeof message };
  const attachment = objectOf(payload.attachment);
  if (attachment) return readAttachment(attachment, textOf(payload.text));
  const richCard = objectOf(payload.richCard);
  if (richCard) return readRichCard(richCard);
  if (payload.type === 'suggestionResponse') {
    return { type: 'reply', via: 'suggestion', title: textOf(payload.text) ?? '', payload: textOf(payload.postbackData) ?? '' };
  }
  const text = textOf(payload.text) ?? textOf(payload.fallback);
  if (Array.isArray(payload.quick_replies)) {
    return {
      type: 'choices',
      text: text ?? '',
      choices: payload.quick_replies.flatMap((item) => {
        const reply = objectOf(item);
        if (!reply) return [];
        const imageUrl = textOf(reply.image_url);
        return [{ id: textOf(reply.payload) ?? '', title: textOf(reply.title) ?? '', ...(imageUrl ? { imageUrl } : {}) }];
      }),
    };
  }
  if (text !== undefined) return { type: 'text', text };
  return { type: 'unsupported', kind: textOf(payload.type) ?? 'unknown' };
}

function readAttachment(attachment: Json, caption: string | undefined): Content {
  const url = textOf(objectOf(attachment.payload)?.url);
  const type = KINDS[textOf(attachment.type) ?? ''] ?? 'file';
  if (!url) return { type: 'unsupported', kind: `attachment ${textOf(attachment.type) ?? ''}`.trim() };
  return { type, media: { url }, ...(caption ? { caption } : {}) };
}

function readRichCard(richCard: Json): Content {
  const alone = objectOf(objectOf(richCard.standaloneCard)?.cardContent);
  const several = objectOf(richCard.carouselCard)?.cardContents;
  const contents = alone
    ? [alone]
    : Array.isArray(several)
      ? several.flatMap((item): Json[] => (objectOf(item) ? [item as Json] : []))
      : [];
  return { type: 'cards', cards: contents.map(readCard) };
}

function readCard(content: Json): Card {
  const media = textOf(objectOf(objectOf(content.media)?.contentInfo)?.fileUrl);
  const title = textOf(content.title);
  const text = textOf(content.description);
  const suggestions = Array.isArray(content.suggestions) ? content.suggestions : [];
  return {
    ...(title ? { title } : {}),
    ...(text ? { text } : {}),
    ...(media ? { media: { url: media } } : {}),
    actions: suggestions.flatMap((item) => readSuggestion(objectOf(item))),
  };
}

function readSuggestion(suggestion: Json | undefined): Action[] {
  const reply = objectOf(suggestion?.reply);
  if (reply) return [{ type: 'reply', text: textOf(reply.text) ?? '', payload: textOf(reply.postbackData) ?? '' }];
  const action = objectOf(suggestion?.action);
  const text = textOf(action?.text) ?? '';
  const url = textOf(objectOf(action?.openUrlAction)?.url);
  if (url) return [{ type: 'url', text, url }];
  const phone = textOf(objectOf(action?.dialAction)?.phoneNumber);
  return phone ? [{ type: 'call', text, phone }] : [];
}

/** Our content → the shape that the widget (and any Airy client) shows. */
export function writeChatContent(content: Content, mediaUrl: (id: string) => string): unknown {
  switch (content.type) {
    case 'native':
      return content.payload;
    case 'image':
    case 'video':
    case 'audio':
    case 'file':
    case 'sticker': {
      const url = content.media.id ? mediaUrl(content.media.id) : content.media.url;
      return {
        attachment: { type: content.type === 'sticker' ? 'image' : content.type, payload: { url, name: content.media.filename } },
        ...(content.caption ? { text: content.caption } : {}),
      };
    }
    case 'choices':
      return {
        text: content.text,
        quick_replies: content.choices.map((choice) => ({
          content_type: 'text',
          title: choice.title,
          payload: choice.id,
          ...(choice.imageUrl ? { image_url: choice.imageUrl } : {}),
        })),
      };
    case 'cards': {
      const cards = content.cards.map((card) => writeCard(card, mediaUrl));
      return {
        richCard:
          cards.length === 1
            ? { standaloneCard: { cardContent: cards[0] } }
            : { carouselCard: { cardWidth: 'MEDIUM', cardContents: cards } },
      };
    }
    case 'text':
      return { text: content.text };
    default:
      return { text: 'text' in content && content.text ? content.text : '' };
  }
}

function writeCard(card: Card, mediaUrl: (id: string) => string): Json {
  const url = card.media && (card.media.id ? mediaUrl(card.media.id) : card.media.url);
  return {
    title: card.title,
    description: card.text,
    ...(url ? { media: { height: 'MEDIUM', contentInfo: { altText: card.title ?? '', fileUrl: url, forceRefresh: 'false' } } } : {}),
    suggestions: (card.actions ?? []).map((action) =>
      action.type === 'reply'
        ? { reply: { text: action.text, postbackData: action.payload } }
        : { action: { text: action.text, ...actionOf(action), postbackData: action.text } },
    ),
  };
}

function actionOf(action: Exclude<Action, { type: 'reply' }>): Json {
  if (action.type === 'url') return { openUrlAction: { url: action.url } };
  if (action.type === 'call') return { dialAction: { phoneNumber: action.phone } };
  return { openUrlAction: { url: `https://www.openstreetmap.org/?mlat=${action.latitude}&mlon=${action.longitude}` } };
}

function objectOf(value: unknown): Json | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : undefined;
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
