/** What can come in from a provider, whatever the provider: the only language that the engine's ingest understands. */
import type { Content } from '../model/content.ts';
import type { MessageError, MessageState } from '../model/message.ts';

/** Somebody at the far end, by every address that the provider told; best first. */
export interface Party {
  identities: { kind: string; value: string }[];
  name?: string;
  avatarUrl?: string;
}

/**
 * Which of a contact's conversations on a channel a message belongs to. The engine looks only among the conversations of
 * the same channel AND the same contact (people who answer one newsletter never meet in one thread), in this order:
 *
 * 1. for each of `candidates`, first to last: the conversation that holds a message whose provider id is the candidate,
 *    or whose own thread key is the candidate, or one of whose messages named it (also when we never saw that one);
 * 2. the conversation where a message named this one's own id (an answer that came first), then the one whose thread key
 *    is `key`;
 * 3. with `guess`: the newest conversation whose `thread_data.guess` equals it and whose last message is younger than
 *    seven days; the message's metadata then gets `threadedBy: 'subject'`, so that people can see it was a guess;
 * 4. else a new conversation with `key` as its thread key.
 *
 * `data` replaces the conversation's `thread_data` and comes back with every outbound message.
 */
export interface ThreadRef {
  key: string;
  /** The id that a new conversation gets, where the far end was told one already (live chat). */
  id?: string;
  /** Provider ids of messages (for mail: Message-IDs without brackets) that this one answers, best first. */
  candidates?: string[];
  /** Last resort: what messages of one exchange have in common although none names another. */
  guess?: string;
  subject?: string;
  data?: Record<string, unknown>;
}

/** The contact wrote, or our side wrote somewhere else (`echo`). */
export interface MessageEvent {
  kind: 'message';
  direction: 'in' | 'out';
  /** Unique within the channel; a second one with the same id changes nothing. */
  providerId: string;
  /**
   * What the message says, hashed, where ids are made by its sender (mail): one with a known id and another fingerprint
   * is another message, and is kept beside the first.
   */
  fingerprint?: string;
  /** The far end of the conversation: the writer, or the reader of an echo. */
  contact: Party;
  content: Content;
  /** The provider's own item, shown as it is by the Airy surface. */
  payload: unknown;
  /** The provider's time; when it tells none, the time the event was received is used. */
  sentAt?: Date;
  /** Several conversations with one contact on one channel: mail threads. Absent: one per contact. */
  thread?: ThreadRef;
  /** The provider's id of the message that this one answers. */
  replyTo?: string;
  /** Forwarded marks, ad referrals, story links and the like; kept in the message's metadata. */
  facts?: Record<string, unknown>;
  /** Our own message id where the provider hands it back with an echo. */
  ourId?: string;
  /** With `ourId`: the echo is of this part, and others follow it (`Connector.parts`). */
  ourPart?: number;
  /** An echo from our own app: known already, so it settles a send and is never shown as new. */
  own?: boolean;
  /** Does not open or refresh the service window (most system notices). */
  opensWindow?: false;
  /** An automatic answer: no unread mark, never answered by us. */
  automatic?: boolean;
}

/** What became of one of our messages. */
export interface ReceiptEvent {
  kind: 'receipt';
  /** The message; or, with `upTo`, every message of the contact sent until then. */
  providerId?: string;
  ourId?: string;
  upTo?: { contact: Party; at: Date };
  /** `scheduled`: the provider has it, and keeps it until its time. */
  state: Extract<MessageState, 'scheduled' | 'sent' | 'delivered' | 'read' | 'failed'>;
  at?: Date;
  error?: MessageError;
  /** Price, conversation category and the like; kept in the message's metadata. */
  facts?: Record<string, unknown>;
}

/** The contact (or our side, elsewhere) put an emoji on a message, or took it away (`null`). */
export interface ReactionEvent {
  kind: 'reaction';
  /** The provider's id of the message reacted to. */
  target: string;
  contact: Party;
  by: 'contact' | 'us';
  emoji: string | null;
  at?: Date;
  payload: unknown;
}

/** The contact changed a message. */
export interface EditEvent {
  kind: 'edit';
  target: string;
  content: Content;
  at?: Date;
  payload: unknown;
  /** The provider only now gives what it held back before (files of old messages): nobody changed anything. */
  completes?: true;
}

/** The contact took a message back. */
export interface RevokeEvent {
  kind: 'revoke';
  target: string;
  at?: Date;
  payload: unknown;
}

/** A message that was known before the one it answers: the engine's own note, kept until that one comes. */
export interface AnswerEvent {
  kind: 'answer';
  target: string;
  /** The provider's id of the answer. */
  answer: string;
}

export interface TypingEvent {
  kind: 'typing';
  contact: Party;
  on: boolean;
}

/** The contact has a new address, or a changed profile. */
export interface ContactEvent {
  kind: 'contact';
  contact: Party;
  /** Addresses to add to it. */
  adds?: { kind: string; value: string }[];
  payload: unknown;
}

/** The contact does not want messages any more, or wants them again. */
export interface ConsentEvent {
  kind: 'consent';
  contact: Party;
  wants: boolean;
  /** What they wrote. */
  keyword?: string;
  /** The provider said so while it refused a message of ours; else the contact did. */
  by?: 'provider';
  at?: Date;
}

/** Something about a template changed at the provider. Absent fields did not change. */
export interface TemplateEvent {
  kind: 'template';
  /** The account that shares it (WABA id). */
  account: string;
  name: string;
  language: string;
  providerRef?: string;
  status?: string;
  category?: string;
  quality?: string;
  reason?: string;
  /** Its words or buttons changed: they are read anew. */
  contentChanged?: true;
  at?: Date;
  payload: unknown;
}

/** Something about the connected account changed at the provider. */
export interface AccountEvent {
  kind: 'account';
  /** The one channel, or (with `account`) every channel of the account. */
  account?: string;
  /** With `account`: only its channels whose `details` hold this value. */
  where?: { detail: string; value: string };
  /** Merged into the channel's `details`. */
  details?: Record<string, unknown>;
  status?: 'active' | 'warning' | 'failed';
  reason?: string;
  /** What was told later counts, whatever order it comes in. Absent: the time it was received. */
  at?: Date;
  payload: unknown;
}

/**
 * The provider says that there is something new, not what: whoever runs the channel's `receive` looks now (its
 * `ReceiveContext.wait` resolves). Nothing else happens.
 */
export interface WakeEvent {
  kind: 'wake';
  /** Passed on to `ReceiveContext.wait`; the connector's own word. */
  reason: string;
}

/** Understood, and there is nothing to do: kept in the raw log, with the reason. */
export interface IgnoredEvent {
  kind: 'ignored';
  reason: string;
}

export type InboundEvent =
  | MessageEvent
  | ReceiptEvent
  | ReactionEvent
  | EditEvent
  | RevokeEvent
  | AnswerEvent
  | TypingEvent
  | ContactEvent
  | ConsentEvent
  | TemplateEvent
  | AccountEvent
  | WakeEvent
  | IgnoredEvent;
