/**
 * What pages and Instagram accounts can carry.
 * developers.facebook.com/docs/messenger-platform/send-messages, …/instagram-api-with-instagram-login/messaging-api
 */
import type { Capabilities } from '../../../model/capabilities.ts';
import type { Content } from '../../../model/content.ts';
import type { Pacing } from '../../connector.ts';

const MB = 1024 * 1024;

const shared = {
  choices: { max: 13, title: 20, text: 2000 },
  cards: { max: 10, title: 80, text: 80, actions: 3 },
  replies: true,
  revokes: false,
  startsConversations: false,
  window: { hours: 24, extended: { tag: 'HUMAN_AGENT', hours: 7 * 24 } },
  nodes: ['messaging', 'messaging.outgoing', 'messaging.outgoing.mms', 'messaging.incoming', 'messaging.incoming.mms'],
};

export const facebookCapabilities: Capabilities = {
  ...shared,
  text: { max: 2000 },
  media: {
    image: { maxBytes: 8 * MB, types: ['image/jpeg', 'image/png', 'image/gif', 'image/webp'], caption: 2000 },
    video: { maxBytes: 25 * MB, types: ['video/*'], caption: 2000 },
    audio: { maxBytes: 25 * MB, types: ['audio/*'], caption: 2000 },
    file: { maxBytes: 25 * MB, types: ['*'], caption: 2000 },
  },
  reactions: { in: true, out: true },
  receipts: { delivered: true, read: true },
  typing: { in: false, out: true },
  edits: false,
};

export const instagramCapabilities: Capabilities = {
  ...shared,
  text: { max: 1000, unit: 'bytes' },
  choices: { ...shared.choices, text: 1000 },
  media: {
    image: { maxBytes: 8 * MB, types: ['image/jpeg', 'image/png'], caption: 1000 },
    video: { maxBytes: 25 * MB, types: ['video/mp4', 'video/ogg', 'video/x-msvideo', 'video/quicktime', 'video/webm'], caption: 1000 },
    audio: { maxBytes: 25 * MB, types: ['audio/aac', 'audio/mp4', 'audio/x-m4a', 'audio/wav', 'audio/x-wav'], caption: 1000 },
  },
  reactions: { in: true, out: true },
  receipts: { delivered: false, read: true },
  typing: { in: false, out: true },
  edits: false,
};

/** 300 calls a second for a page or account. */
export const pacing: Pacing = { perSecond: 300 };

/** Limits that the capabilities cannot express, in plain words. `bytes` where the source counts them. */
export function checkOf(source: { title: string; textBytes?: number }): (content: Content) => string[] {
  return (content) => {
    const problems: string[] = [];
    if (content.type === 'choices') {
      if (content.header || content.footer) problems.push(`${source.title} shows no header or footer with choices`);
      if (content.choices.some(({ id }) => id.length > 1000)) problems.push('The id of a choice is longer than 1000 characters');
    }
    const words =
      'caption' in content ? content.caption : content.type === 'choices' || content.type === 'cards' ? content.text : undefined;
    if (source.textBytes && words && Buffer.byteLength(words) > source.textBytes)
      problems.push(`The text has more than ${source.textBytes} bytes`);
    if (content.type === 'cards') {
      for (const card of content.cards) {
        if (!card.title && !card.text) problems.push('A card needs a title');
        if (card.actions?.some(({ type }) => type === 'location')) problems.push(`${source.title} has no button for locations`);
        if (card.actions?.some((action) => action.text.length > 20)) problems.push('The text of a button is longer than 20 characters');
      }
    }
    return problems;
  };
}
