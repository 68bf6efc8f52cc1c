/** How a simulated customer of each source speaks: the same payloads that the real far end sends, for the same door. */
import type { ChatEvent } from '../server/src/connectors/chatplugin/index.ts';
import type { RawEvent } from '../server/src/connectors/connector.ts';

/** What a simulated customer says, whatever they write through. */
export interface CustomerWords {
  /** The provider's id of the message: the same one again changes nothing. */
  id: string;
  /** Their address at the source. */
  address: string;
  /** The id that the conversation gets if it is their first. */
  conversation: string;
  name?: string;
  text?: string;
  attachment?: { type: 'image' | 'video' | 'audio' | 'file'; url: string; name?: string };
  at: Date;
}

/** One source's customers. A source without an entry has none yet. */
export interface Customers {
  writes(words: CustomerWords): unknown;
  reads(messageIds: string[], at: Date): unknown;
  types(address: string, on: boolean): unknown;
}

const chatplugin: Customers = {
  writes({ id, address, conversation, name, text, attachment, at }): ChatEvent {
    const message = {
      ...(text === undefined ? {} : { text }),
      ...(attachment
        ? { attachment: { type: attachment.type, payload: { url: attachment.url, ...(attachment.name ? { name: attachment.name } : {}) } } }
        : {}),
    };
    return { type: 'message', id, visitor: address, conversation, message, at: at.toISOString(), ...(name ? { name } : {}) };
  },
  reads: (messages, at): ChatEvent => ({ type: 'receipt', messages, state: 'read', at: at.toISOString() }),
  types: (visitor, on): ChatEvent => ({ type: 'typing', visitor, on }),
};

export const CUSTOMERS: Readonly<Record<string, Customers>> = { chatplugin };

/** A payload as it arrives from the source. */
export function rawEventOf(channel: { source: string; sourceChannelId: string }, payload: unknown): RawEvent {
  return {
    source: channel.source,
    sourceChannelId: channel.sourceChannelId,
    contentType: 'application/json',
    body: Buffer.from(JSON.stringify(payload)),
  };
}

/** What a customer says when nobody wrote them a script: polite, and never at a loss. */
export const POLITE_ANSWERS = [
  'Thank you for getting back to me so quickly!',
  'That sounds good. Could you tell me a little more?',
  'Great, that is just what I needed to know.',
  'Perfect. I will try that and let you know.',
  'Thanks again, have a lovely day!',
];
