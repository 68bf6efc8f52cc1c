/**
 * Messenger and Instagram carry a file or words, never both: a picture with a caption takes two calls. The file goes first,
 * since it is what may be refused; then nothing was sent yet.
 */
import { type Content, isMedia, type MediaKind, type MediaRef } from '../../../model/content.ts';
import { type Json, record, records } from '../values.ts';

/** What each call carries, in order. */
export function partsOf(content: Content): Content[] {
  if (isMedia(content)) {
    const { caption, more, ...file } = content;
    const words: Content[] = caption ? [{ type: 'text', text: caption }] : [];
    return [file, ...(more ?? []).map(fileOf), ...words];
  }
  if (content.type === 'choices' && content.media) {
    const { media, ...choices } = content;
    return [fileOf(media), choices];
  }
  if (content.type === 'cards' && content.text) {
    const { text, ...cards } = content;
    return [{ type: 'text', text }, cards];
  }
  return [content];
}

function fileOf(media: MediaRef): Content {
  const kind = media.mimeType?.split('/')[0];
  const type: MediaKind = kind === undefined || kind === 'image' ? 'image' : kind === 'video' || kind === 'audio' ? kind : 'file';
  return { type, media };
}

/** The calls as one message with words and a file, as those that come in are. */
export function joined(payloads: unknown[]): unknown {
  const bodies = records(payloads);
  const message: Json = Object.assign({}, ...bodies.map((body) => record(body.message)));
  return { ...bodies.at(-1), message };
}
