/** Loads everything that a batch of events is about, one query a kind, once for all who listen. */
import type { Engine } from '../../engine/engine.ts';
import type { LogEvent } from '../../model/event.ts';
import type { Message } from '../../model/message.ts';
import { type ChannelRow, getChannels } from '../../store/channels.ts';
import { conversationsOfContacts, getConversations } from '../../store/conversations.ts';
import { getMessages } from '../../store/messages.ts';
import type { Show } from '../airy/show.ts';
import type { ConversationParts } from '../airy/views.ts';

export interface Hydrated {
  messages: Map<string, Message>;
  conversations: Map<string, ConversationParts>;
  channels: Map<string, ChannelRow>;
  /** The conversations of each contact that an event names. */
  conversationsOfContact: Map<string, string[]>;
}

/** `deep`: also what only agents are shown, conversations and channels. */
export async function hydrate(engine: Engine, show: Show, workspaceId: string, events: LogEvent[], deep: boolean): Promise<Hydrated> {
  const { database } = engine;
  const messages = await getMessages(database, workspaceId, idsOf(events, messageIds));
  const empty: Hydrated = {
    messages: byId(messages),
    conversations: new Map(),
    channels: new Map(),
    conversationsOfContact: new Map(),
  };
  if (!deep) return empty;
  const contactIds = idsOf(events, (event) => (event.type === 'contact.updated' && event.contactId ? [event.contactId] : []));
  const ofContacts = await conversationsOfContacts(database, workspaceId, contactIds);
  const conversationsOfContact = Map.groupBy(ofContacts, (item) => item.contactId);
  const conversationIds = new Set([
    ...idsOf(events, (event) => (event.conversationId ? [event.conversationId] : [])),
    ...ofContacts.map((item) => item.id),
  ]);
  const channelIds = idsOf(events, (event) => (event.type.startsWith('channel.') && event.channelId ? [event.channelId] : []));
  const [conversations, channels] = await Promise.all([
    getConversations(database, workspaceId, [...conversationIds]),
    getChannels(database, workspaceId, channelIds),
  ]);
  const parts = await show.parts(workspaceId, conversations);
  return {
    messages: empty.messages,
    conversations: new Map(parts.map((part) => [part.conversation.id, part])),
    channels: byId(channels),
    conversationsOfContact: new Map([...conversationsOfContact].map(([id, items]) => [id, items.map((item) => item.id)])),
  };
}

function messageIds(event: LogEvent): string[] {
  const read = Array.isArray(event.data.read) ? (event.data.read as string[]) : [];
  return event.messageId ? [event.messageId, ...read] : read;
}

function idsOf(events: LogEvent[], pick: (event: LogEvent) => string[]): string[] {
  return [...new Set(events.flatMap(pick))];
}

function byId<T extends { id: string }>(items: T[]): Map<string, T> {
  return new Map(items.map((item) => [item.id, item]));
}
