import type { MediaKind } from '../../../server/src/model/content.ts';
import type { Capabilities, Content, MessageBody, StoredMedia } from '../api/types.ts';

export interface Composed {
  body: MessageBody;
  /** The same, as it is shown until the server shows it. */
  content: Content;
}

/** What was written, as the messages that the channel can carry: files first, each with the text if it can hold it. */
export function compose(text: string, files: StoredMedia[], capabilities: Partial<Capabilities>, subject = ''): Composed[] {
  if (capabilities.email) return text || files.length > 0 ? [mail(text, files, subject)] : [];
  if (files.length === 0) return text ? [textMessage(text)] : [];
  const single = files.length === 1 ? files[0] : undefined;
  const room = single ? (capabilities.media?.[kindOf(single.mimeType)]?.caption ?? 0) : 0;
  if (single && text && text.length <= room) return [fileMessage(single, text)];
  return [...files.map((file) => fileMessage(file)), ...(text ? [textMessage(text)] : [])];
}

/** The kind of message that a file of this type travels as. */
export function kindOf(mimeType: string): Exclude<MediaKind, 'sticker'> {
  const [family] = mimeType.split('/');
  return family === 'image' || family === 'video' || family === 'audio' ? family : 'file';
}

function textMessage(text: string): Composed {
  return { body: { type: 'text', text: { text } }, content: { type: 'text', text } };
}

function mail(text: string, files: StoredMedia[], subject: string): Composed {
  const attachments = files.map(({ mediaUrl, filename }) => ({ mediaUrl, filename }));
  return {
    body: { type: 'text', text: { text, ...(files.length > 0 ? { attachments } : {}), ...(subject ? { metadata: { subject } } : {}) } },
    content: { type: 'email', subject, text, attachments: files.map(refOf) },
  };
}

function fileMessage(file: StoredMedia, caption?: string): Composed {
  const { mediaUrl, mimeType, filename } = file;
  const kind = kindOf(mimeType);
  const content: Content = { type: kind, media: refOf(file), ...(caption ? { caption } : {}) };
  if (kind === 'image') {
    return { body: { type: 'image', image: { text: caption, images: [{ mediaUrl, altText: filename }] } }, content };
  }
  return { body: { type: 'file', file: { text: caption, files: [{ mediaUrl, contentType: mimeType, filename }] } }, content };
}

function refOf({ id, mediaUrl, mimeType, size, filename }: StoredMedia) {
  return { id, url: mediaUrl, mimeType, size, filename };
}
