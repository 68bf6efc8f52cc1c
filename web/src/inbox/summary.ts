import { textOf } from '../../../server/src/model/content.ts';
import type { Content } from '../api/types.ts';

const KINDS: Partial<Record<Content['type'], string>> = {
  image: 'Photo',
  video: 'Video',
  audio: 'Audio',
  file: 'File',
  sticker: 'Sticker',
  location: 'Place',
  contacts: 'Contact',
  cards: 'Card',
  order: 'Order',
  unsupported: 'A message that cannot be shown here',
};

/** One line that says what a message is, for lists. */
export function summaryOf(content: Content): string {
  const text = textOf(content).replace(/\s+/g, ' ').trim();
  const kind = KINDS[content.type];
  if (!kind) return text || 'A message';
  return text ? `${kind}: ${text}` : kind;
}
