/** Events of the log → what goes over the WebSockets: airy.md 5.1 for agents, 6.2 for visitors. */
import type { LogEvent } from '../../model/event.ts';
import type { Message } from '../../model/message.ts';
import {
  type ConversationParts,
  channelMetadata,
  channelView,
  conversationMetadata,
  messageMetadata,
  messageView,
  type NativeWriter,
} from '../airy/views.ts';
import type { Hydrated } from './hydrate.ts';
import { visitorMessageView } from './visitor-view.ts';

/** What one event says to a visitor. */
export interface VisitorFrame {
  seq: number;
  queue: 'message' | 'events';
  body: string;
}

/** The JSON bodies that agents get for an event. */
export function agentFrames(event: LogEvent, loaded: Hydrated, write: NativeWriter): string[] {
  const conversation = event.conversationId ? loaded.conversations.get(event.conversationId) : undefined;
  const message = event.messageId ? loaded.messages.get(event.messageId) : undefined;
  switch (event.type) {
    case 'message.created':
      return [
        ...(message ? [messageFrame(message, write)] : []),
        ...(conversation && event.data.direction === 'in' ? [conversationFrame(event, conversation)] : []),
      ];
    case 'message.updated':
      if (!message) return [];
      return [
        // Changes of metadata alone are no change of the message in Airy's eyes.
        ...(event.data.state !== undefined || event.data.edit ? [messageFrame(message, write)] : []),
        ...messageMetadataFrames(event, message),
      ];
    case 'conversation.updated': {
      const read = Array.isArray(event.data.read) ? (event.data.read as string[]) : [];
      const marked = read.flatMap((id) => loaded.messages.get(id) ?? []);
      return [
        ...(conversation ? [conversationFrame(event, conversation)] : []),
        ...marked.flatMap((item) => messageMetadataFrames(event, item)),
      ];
    }
    case 'contact.updated': {
      const ids = loaded.conversationsOfContact.get(event.contactId ?? '') ?? [];
      return ids.flatMap((id) => {
        const parts = loaded.conversations.get(id);
        return parts ? [conversationFrame(event, parts)] : [];
      });
    }
    case 'channel.created':
    case 'channel.updated':
    case 'channel.deleted': {
      const channel = event.channelId ? loaded.channels.get(event.channelId) : undefined;
      if (!channel) return [];
      const payload = { ...channelView(channel), metadata: null };
      return [
        frame('channel.updated', null, { ...payload, connected: payload.connected && event.type !== 'channel.deleted' }),
        metadataFrame(event, 'channel', channel.id, channelMetadata(channel)),
      ];
    }
    case 'tag.updated':
      return event.data.deleted ? [] : [frame('tag.updated', null, event.data)];
    default:
      return [];
  }
}

/** What the visitor of the event's conversation gets. */
export function visitorFrames(event: LogEvent, loaded: Hydrated, write: NativeWriter): VisitorFrame[] {
  const { seq } = event;
  const message = event.messageId ? loaded.messages.get(event.messageId) : undefined;
  const said = (item: Message): VisitorFrame => ({
    seq,
    queue: 'message',
    body: JSON.stringify({ conversation_id: item.conversationId, channel_id: item.channelId, message: visitorMessageView(item, write) }),
  });
  const told = (body: object): VisitorFrame => ({ seq, queue: 'events', body: JSON.stringify(body) });
  switch (event.type) {
    case 'message.created':
      return message && message.state !== 'scheduled' ? [said(message)] : [];
    case 'message.updated':
      if (!message || event.data.state === undefined) return [];
      // What was scheduled is said when it is sent.
      if (event.data.state === 'sent' && message.metadata.scheduledFor !== undefined) return [said(message)];
      return [told({ type: 'state', message_id: message.id, delivery_state: event.data.state })];
    case 'conversation.updated': {
      const read = Array.isArray(event.data.read) ? (event.data.read as string[]) : [];
      return [
        ...read.map((id) => told({ type: 'state', message_id: id, delivery_state: 'read' })),
        ...(event.data.ended ? [told({ type: 'ended' })] : []),
      ];
    }
    case 'typing':
      if (event.data.by !== 'agent') return [];
      return [
        told({ type: 'typing', on: event.data.on === true, ...(typeof event.data.name === 'string' ? { name: event.data.name } : {}) }),
      ];
    default:
      return [];
  }
}

/** A message as `message.created` tells it. */
export function messageFrame(message: Message, write: NativeWriter): string {
  const { sender, ...view } = messageView(message, write);
  return frame('message.created', message.sentAt.getTime(), {
    conversation_id: message.conversationId,
    channel_id: message.channelId,
    message: { ...view, metadata: null, sender: { ...sender, name: null, avatar_url: null } },
  });
}

function messageMetadataFrames(event: LogEvent, message: Message): string[] {
  const metadata = messageMetadata(message);
  return Object.keys(metadata).length > 0 ? [metadataFrame(event, 'message', message.id, metadata)] : [];
}

function conversationFrame(event: LogEvent, parts: ConversationParts): string {
  return metadataFrame(event, 'conversation', parts.conversation.id, conversationMetadata(parts));
}

function metadataFrame(event: LogEvent, subject: string, identifier: string, metadata: unknown): string {
  return frame('metadata.updated', event.createdAt.getTime(), { subject, identifier, metadata });
}

/** Airy's order of members: some clients of its events were written by looking at them. */
export function frame(type: string, timestamp: number | null, payload: unknown): string {
  return JSON.stringify({ payload, timestamp, type });
}
