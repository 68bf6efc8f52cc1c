/** Loads what belongs together, one query a kind, and shows it. */
import type { Engine } from '../../engine/engine.ts';
import type { Conversation } from '../../model/conversation.ts';
import type { Message } from '../../model/message.ts';
import { type ChannelRow, getChannels } from '../../store/channels.ts';
import { getContacts } from '../../store/contacts.ts';
import { getMessages } from '../../store/messages.ts';
import { type ConversationParts, conversationView, type MessageView, messageView, type NativeWriter } from './views.ts';

export class Show {
  readonly #engine: Engine;
  readonly write: NativeWriter;

  constructor(engine: Engine) {
    this.#engine = engine;
    this.write = (source, content, workspaceId) =>
      engine.registry.connector(source)?.writeNative?.(content, (id) => engine.media.signedUrl(workspaceId, id));
  }

  message(message: Message): MessageView {
    return messageView(message, this.write);
  }

  messages(messages: Message[]): MessageView[] {
    return messages.map((message) => this.message(message));
  }

  /** Conversations with their channel, contact and newest message, in the order given. */
  async conversations(workspaceId: string, conversations: Conversation[]) {
    const parts = await this.parts(workspaceId, conversations);
    const lastIds = conversations.flatMap((conversation) => (conversation.lastMessageId ? [conversation.lastMessageId] : []));
    const last = new Map((await getMessages(this.#engine.database, workspaceId, lastIds)).map((message) => [message.id, message]));
    return parts.map((part) => conversationView({ ...part, lastMessage: last.get(part.conversation.lastMessageId ?? '') }, this.write));
  }

  /** What a conversation's metadata is made of. */
  async parts(workspaceId: string, conversations: Conversation[]): Promise<ConversationParts[]> {
    const { database } = this.#engine;
    const [channels, contacts] = await Promise.all([
      getChannels(database, workspaceId, unique(conversations.map((conversation) => conversation.channelId))),
      getContacts(database, workspaceId, unique(conversations.map((conversation) => conversation.contactId))),
    ]);
    const channelOf = new Map<string, ChannelRow>(channels.map((channel) => [channel.id, channel]));
    const contactOf = new Map(contacts.map((contact) => [contact.id, contact]));
    return conversations.map((conversation) => ({
      conversation,
      channel: channelOf.get(conversation.channelId)!,
      contact: contactOf.get(conversation.contactId),
    }));
  }
}

function unique<T>(items: T[]): T[] {
  return [...new Set(items)];
}
