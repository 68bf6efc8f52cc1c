import type { Message } from '../api/types.ts';

/** Who else read the customer's newest mail: everybody in it but the customer and our own mailbox. */
export function otherReaders(messages: Message[], own: string, contact: string[]): string[] {
  const newest = messages.find(({ direction, content }) => direction === 'incoming' && content.type === 'email');
  if (newest?.content.type !== 'email') return [];
  const left = new Set([own, ...contact, newest.content.from?.address ?? ''].map((address) => address.toLowerCase()));
  const readers = [...(newest.content.to ?? []), ...(newest.content.cc ?? [])].map(({ address }) => address);
  return readers.filter((address) => {
    const known = left.has(address.toLowerCase());
    left.add(address.toLowerCase());
    return !known;
  });
}
