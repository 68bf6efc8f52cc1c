/** How the Airy surface shows things: channels, conversations, messages and their metadata documents. */
import { isConnected } from '../../model/channel.ts';
import type { Contact } from '../../model/contact.ts';
import { type Content, textOf } from '../../model/content.ts';
import type { Conversation } from '../../model/conversation.ts';
import type { Message, MessageState } from '../../model/message.ts';
import type { ChannelRow } from '../../store/channels.ts';

type Json = Record<string, unknown>;

/** Content of ours in the shape of a source, for messages that have no payload of the provider's (yet). */
export type NativeWriter = (source: string, content: Content, workspaceId: string) => unknown;

export interface MessageView {
  id: string;
  content: unknown;
  sent_at: string;
  delivery_state: string;
  from_contact: boolean;
  source: string;
  metadata: Json | null;
  sender: { id: string; name: string | null; avatar_url: string | null };
}

const DELIVERY_STATES: Record<MessageState, 'pending' | 'delivered' | 'failed'> = {
  scheduled: 'pending',
  pending: 'pending',
  unknown: 'pending',
  sent: 'delivered',
  delivered: 'delivered',
  read: 'delivered',
  failed: 'failed',
};

export function channelView(channel: ChannelRow) {
  return {
    id: channel.id,
    ...ownNames(channel),
    metadata: channelMetadata(channel),
    connected: isConnected(channel.status),
  };
}

/** A source that somebody brought has a name of its own, and names its channels as it likes. */
function ownNames({ source, sourceChannelId, details }: ChannelRow): { source: string; source_channel_id: string } {
  const own = objectOf(details.ownNames);
  return {
    source: typeof own?.source === 'string' ? own.source : source,
    source_channel_id: typeof own?.sourceChannelId === 'string' ? own.sourceChannelId : sourceChannelId,
  };
}

/** Never a token: only the ids that tell which account it is. */
export function channelMetadata(channel: ChannelRow): Json {
  const known: Json = { ...channel.details, ...channel.settings };
  return {
    ...objectOf(channel.metadata.given),
    name: channel.name,
    ...(channel.imageUrl === null ? {} : { image_url: channel.imageUrl }),
    ...pick(known, ['page_id', 'account_id']),
    ...pick(channel.metadata, ['user_data']),
  };
}

export function messageView(message: Message, write: NativeWriter): MessageView {
  return {
    id: message.id,
    content: contentOf(message, write),
    sent_at: message.sentAt.toISOString(),
    delivery_state: DELIVERY_STATES[message.state],
    from_contact: message.direction === 'in',
    source: message.source,
    metadata: messageMetadata(message),
    sender: { id: message.senderId ?? message.contactId, name: message.senderName, avatar_url: null },
  };
}

/** The provider's own payload wherever there is one. */
export function contentOf(message: Message, write: NativeWriter): unknown {
  if (message.payload !== null && message.payload !== undefined) return message.payload;
  return write(message.source, message.content, message.workspaceId) ?? { text: textOf(message.content) };
}

export function messageMetadata(message: Message): Json {
  const { metadata, error } = message;
  const source: Json = {
    ...(message.providerId !== null && message.providerId !== message.id ? { id: message.providerId } : {}),
    ...(message.direction === 'out' && message.state === 'delivered' ? { delivery_state: 'delivered' } : {}),
    ...(message.direction === 'out' && message.state === 'read' ? { delivery_state: 'seen' } : {}),
    ...(error?.raw === undefined ? {} : { error: JSON.stringify(error.raw) }),
  };
  return {
    ...metadata,
    ...(Object.keys(source).length > 0 ? { source } : {}),
    ...(error ? { error: error.message } : {}),
  };
}

/** What a conversation is shown with; `contact` is missing once it was deleted. */
export interface ConversationParts {
  conversation: Conversation;
  channel: ChannelRow;
  contact: Contact | undefined;
}

export function conversationView(parts: ConversationParts & { lastMessage: Message | undefined }, write: NativeWriter) {
  const { conversation, channel, lastMessage } = parts;
  return {
    id: conversation.id,
    created_at: conversation.createdAt.toISOString(),
    channel: channelView(channel),
    metadata: conversationMetadata(parts),
    last_message: lastMessage ? messageView(lastMessage, write) : null,
  };
}

export function conversationMetadata({ conversation, channel, contact }: ConversationParts): Json {
  const fetchState = contact?.profileState === 'ok' || contact?.profileState === 'failed' ? contact.profileState : undefined;
  return {
    contact: {
      display_name: contact?.displayName ?? defaultName(ownNames(channel).source, conversation.id),
      ...(contact?.avatarUrl ? { avatar_url: contact.avatarUrl } : {}),
      ...(fetchState ? { fetch_state: fetchState } : {}),
    },
    ...(conversation.tags.length > 0 ? { tags: Object.fromEntries(conversation.tags.map((tag) => [tag, ''])) } : {}),
    unread_count: conversation.unreadCount,
    ...(conversation.state === null ? {} : { state: conversation.state }),
    ...pick(conversation.metadata, ['user_data']),
  };
}

/** What somebody without a name is called: `Facebook 4ecb3`, `Sms 4ecb3`. */
export function defaultName(source: string, conversationId: string): string {
  const word = source.split('.').at(-1)!;
  return `${word.charAt(0).toUpperCase()}${word.slice(1)} ${conversationId.slice(-5)}`;
}

export function contactView(contact: Contact, conversations: Record<string, string>) {
  const { attributes } = contact;
  const address = objectOf(attributes.address);
  return {
    id: contact.id,
    display_name: contact.displayName,
    avatar_url: contact.avatarUrl,
    title: attributes.title ?? null,
    gender: attributes.gender ?? null,
    timezone: attributes.timezone ?? null,
    locale: attributes.locale ?? null,
    organization_name: attributes.organization_name ?? null,
    via: objectOf(attributes.via) ?? {},
    address: Object.fromEntries(ADDRESS_FIELDS.map((field) => [field, address?.[field] ?? null])),
    conversations,
    metadata: contact.metadata,
    created_at: contact.createdAt.getTime(),
    updated_at: contact.updatedAt.getTime(),
  };
}

export const ADDRESS_FIELDS = ['organization_name', 'address_line1', 'address_line2', 'postal_code', 'city', 'state', 'country'];

function pick(from: Json, names: string[]): Json {
  return Object.fromEntries(names.flatMap((name) => (from[name] === undefined || from[name] === null ? [] : [[name, from[name]]])));
}

function objectOf(value: unknown): Json | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : undefined;
}
