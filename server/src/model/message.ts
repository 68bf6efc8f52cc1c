import type { Content } from './content.ts';

export type Direction = 'in' | 'out';

/**
 * Where a message stands. `unknown` is an outbound message whose provider call ended without an answer: it is settled
 * by the provider's receipt or by asking the provider, and never sent again blindly.
 */
export type MessageState = 'scheduled' | 'pending' | 'unknown' | 'sent' | 'failed' | 'delivered' | 'read';

const RANK: Record<MessageState, number> = {
  scheduled: 0,
  pending: 1,
  unknown: 2,
  sent: 3,
  failed: 4,
  delivered: 5,
  read: 6,
};

/** The place of a state in the order that states move through; a message only ever moves to a higher place. */
export function rankOf(state: MessageState): number {
  return RANK[state];
}

/** Why a message failed, in the provider's words and in plain ones. */
export interface MessageError {
  /** Our class of the failure (`window-closed`, `rejected`, …). */
  class: string;
  /** What a person should know. */
  message: string;
  /** What to do about it. */
  hint?: string;
  providerCode?: string;
  providerMessage?: string;
  /** The provider's whole answer. */
  raw?: unknown;
}

export interface Message {
  workspaceId: string;
  id: string;
  channelId: string;
  conversationId: string;
  contactId: string;
  source: string;
  direction: Direction;
  /** The provider's id; unique within the channel. */
  providerId: string | null;
  state: MessageState;
  content: Content;
  /** The provider's own payload: as received, or as handed to the provider. */
  payload: unknown;
  /** Who wrote an outbound message: an API key's or a user's id; null for the contact. */
  senderId: string | null;
  senderName: string | null;
  /** Our id of the message this one answers. */
  replyTo: string | null;
  error: MessageError | null;
  metadata: Record<string, unknown>;
  /** The provider's time for inbound, ours for outbound. */
  sentAt: Date;
  stateAt: Date;
  createdAt: Date;
  updatedAt: Date;
}
