/** What a connector is given to send, and what it tells about it. */
import type { Content } from '../model/content.ts';
import type { ThreadRef } from './events.ts';

export interface OutboundMessage {
  /** Our id; to be handed to the provider wherever it takes one of ours. */
  id: string;
  /** The contact's addresses on this source, best first: `{ kind: 'phonenumber', value: '+49…' }`. */
  to: { kind: string; value: string }[];
  content: Content;
  /** Which part of a message this is, where others follow it (`Connector.parts`): an echo is told apart by it. */
  part?: number;
  /** The provider's id of the message this one answers. */
  replyToProviderId?: string;
  /** The window tag to send with (`HUMAN_AGENT`). */
  tag?: string;
  /** When the provider should send it. */
  sendAt?: Date;
  /** When it is of no use any more: providers that can give up by then are told. */
  validUntil?: Date;
  /** When the call began whose outcome `settle` asks for; without it a provider's list that lags proves nothing. */
  calledAt?: Date;
  /** Our conversation, for sources that tell the far end about it. */
  conversation?: { id: string; createdAt: Date };
  /** Mail thread and other facts about the conversation that the connector itself put there. */
  thread?: ThreadRef;
}

/** The provider took the message. */
export interface SendReceipt {
  providerId: string;
  /** `sent` unless the provider knows more already; `scheduled` when it keeps the message until its time. */
  state?: 'scheduled' | 'sent' | 'delivered' | 'read';
  /** What was handed to the provider. */
  payload?: unknown;
  /** What the provider said about it; kept in the message's metadata. */
  details?: Record<string, unknown>;
  /** Merged into the conversation's thread data, for the messages that follow. */
  threadData?: Record<string, unknown>;
}

/** Which of a provider's ids belong to messages of the channel that are known. */
export type IsKnown = (providerIds: string[]) => Promise<Set<string>>;

/** What an unsettled message became, as the provider knows it now. */
export type Settlement =
  | { outcome: 'accepted'; providerId: string; state: 'sent' | 'delivered' | 'read' }
  | { outcome: 'failed'; code?: string; message: string }
  | { outcome: 'never-received' }
  | { outcome: 'unknown' };

/** What a message costs in parts, before it is sent. */
export interface Estimate {
  parts: number;
  /** The alphabet that it is sent in (`GSM-7`, `UCS-2`). */
  encoding: string;
  /** Units of that alphabet, and how many more fit before another part begins. */
  units: number;
  remaining: number;
  /** How it could be sent in fewer, in plain words. */
  notes: string[];
}

/** How fast a channel may be written to. */
export interface Pacing {
  /** Messages a second over the whole channel. */
  perSecond: number;
  /** To one recipient: a burst, then one each `everyMs`. */
  perRecipient?: { burst: number; everyMs: number };
}
