/** Everything that handing a batch of messages to their providers needs, loaded in a few set-based queries. */
import type { Connector, OutboundMessage } from '../connectors/connector.ts';
import type { Conversation } from '../model/conversation.ts';
import type { Message } from '../model/message.ts';
import { type ChannelRow, getChannelsAcross } from '../store/channels.ts';
import { optedOutAcross } from '../store/consent.ts';
import { identitiesAcross } from '../store/contacts.ts';
import { getConversationsAcross } from '../store/conversations.ts';
import type { Client, Database } from '../store/database.ts';
import { type MessagePart, partsOf } from '../store/message-parts.ts';
import { getMessagesAcross } from '../store/messages.ts';
import type { OutboxOptions } from '../store/outbox.ts';
import type { RowKey } from '../store/row-key.ts';

export interface Outgoing {
  message: Message;
  channel: ChannelRow;
  conversation: Conversation;
  /** The contact's addresses. */
  to: { kind: string; scope: string; value: string }[];
  /** The contact asked the channel not to write, perhaps since the message was taken. */
  optedOut: boolean;
}

/** By message id; messages that are gone are left out. */
export async function loadOutgoing(database: Database, jobs: { workspaceId: string; messageId: string }[]): Promise<Map<string, Outgoing>> {
  const messages = await getMessagesAcross(
    database,
    jobs.map(({ workspaceId, messageId }) => ({ workspaceId, id: messageId })),
  );
  const keys = (id: (message: Message) => string) =>
    unique(messages.map((message) => ({ workspaceId: message.workspaceId, id: id(message) })));
  const [channels, conversations, identities, optedOut] = await Promise.all([
    getChannelsAcross(
      database,
      keys((message) => message.channelId),
    ),
    getConversationsAcross(
      database,
      keys((message) => message.conversationId),
    ),
    identitiesAcross(
      database,
      keys((message) => message.contactId),
    ),
    optedOutAcross(database, messages),
  ]);
  const channelOf = new Map(channels.map((row) => [row.id, row]));
  const conversationOf = new Map(conversations.map((row) => [row.id, row]));
  const addresses = Map.groupBy(identities, (identity) => identity.contactId);
  return new Map(
    messages.flatMap((message) => {
      const channel = channelOf.get(message.channelId);
      const conversation = conversationOf.get(message.conversationId);
      if (!channel || !conversation) return [];
      const to = addresses.get(message.contactId) ?? [];
      const own = { message, channel, conversation, to, optedOut: optedOut.has(`${message.channelId} ${message.contactId}`) };
      return [[message.id, own] as const];
    }),
  );
}

function unique(keys: RowKey[]): RowKey[] {
  return [...new Map(keys.map((key) => [key.id, key])).values()];
}

/** The calls that a message takes: those that were made before, and what is left to be handed over (never nothing). */
export async function callsOf(
  client: Client,
  connector: Connector,
  outgoing: Outgoing,
  options: OutboxOptions,
  calledAt?: Date,
): Promise<{ done: MessagePart[]; left: OutboundMessage[] }> {
  const whole = outboundOf(outgoing, options, calledAt);
  const contents = connector.parts?.of(whole.content) ?? [whole.content];
  if (contents.length === 1) return { done: [], left: [whole] };
  const { workspaceId, id: messageId, channelId } = outgoing.message;
  const last = contents.length - 1;
  const done = (await partsOf(client, { workspaceId, messageId, channelId })).slice(0, last);
  const left = contents.slice(done.length).map((content, n): OutboundMessage => {
    const position = done.length + n;
    const { replyToProviderId, ...rest } = whole;
    return {
      ...rest,
      content,
      ...(position === 0 && replyToProviderId ? { replyToProviderId } : {}),
      ...(position < last ? { part: position } : {}),
    };
  });
  return { done, left };
}

/** The message as its connector sees it. `scoped`: an address that means something on another channel only is left out. */
export function outboundOf(outgoing: Outgoing, options: OutboxOptions, calledAt?: Date): OutboundMessage {
  const { message, channel, conversation, to } = outgoing;
  return {
    id: message.id,
    to: to.filter(({ scope }) => scope === '' || scope === channel.sourceChannelId).map(({ kind, value }) => ({ kind, value })),
    content: message.content,
    ...(options.replyToProviderId ? { replyToProviderId: options.replyToProviderId } : {}),
    ...(options.tag ? { tag: options.tag } : {}),
    ...(options.sendAt ? { sendAt: new Date(options.sendAt) } : {}),
    ...(options.validUntil ? { validUntil: new Date(options.validUntil) } : {}),
    ...(calledAt ? { calledAt } : {}),
    conversation: { id: conversation.id, createdAt: conversation.createdAt },
    thread: {
      key: conversation.threadKey,
      data: conversation.threadData,
      ...(conversation.subject ? { subject: conversation.subject } : {}),
    },
  };
}
