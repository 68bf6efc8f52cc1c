/**
 * Events with the objects that they are about, as the stream sends them. Everybody who follows a workspace is handed
 * the same event objects, so each is filled in once, however many listen.
 */
import type { Engine } from '../../engine/engine.ts';
import type { LogEvent } from '../../model/event.ts';
import { allows } from '../../model/scopes.ts';
import { listChannels } from '../../store/channels.ts';
import { getConversations } from '../../store/conversations.ts';
import { getMessages } from '../../store/messages.ts';
import type { Principal } from '../auth.ts';
import { showDetails } from './channel-view.ts';
import { showConversations } from './conversation-view.ts';
import { showMessages } from './message-view.ts';
import { STATUSES } from './schemas/channel.ts';
import { iso } from './schemas/common.ts';
import type { Event } from './schemas/event.ts';

interface Filled {
  event: Event;
  sandbox: boolean;
  message?: unknown;
  conversation?: unknown;
  channel?: unknown;
  /** The finished frames, by what their readers may see. */
  frames: Map<string, string>;
}

const filled = new WeakMap<LogEvent, Promise<Filled>>();

export function showEvent(event: LogEvent): Event {
  const { seq, type, channelId, conversationId, contactId, messageId, data, createdAt } = event;
  return { seq, type, channelId, conversationId, contactId, messageId, data, createdAt: iso(createdAt) };
}

/** The frames that a caller gets for these events: its scopes decide what is filled in. */
export async function framesFor(engine: Engine, principal: Principal, events: LogEvent[]): Promise<string[]> {
  const missing = events.filter((event) => !filled.has(event));
  if (missing.length > 0) {
    const work = fill(engine, missing[0]!.workspaceId, missing);
    for (const [n, event] of missing.entries()) {
      const one = work.then((all) => all[n]!);
      filled.set(event, one);
      one.catch(() => filled.delete(event));
    }
  }
  const done = await Promise.all(events.map((event) => filled.get(event)!));
  return done.filter((item) => item.sandbox || !principal.sandbox).map((item) => frameOf(item, principal));
}

function frameOf(item: Filled, principal: Principal): string {
  const message = allows(principal.scopes, 'messages:read');
  const conversation = allows(principal.scopes, 'conversations:read');
  const channel = allows(principal.scopes, 'channels:read');
  const key = `${message} ${conversation && message} ${conversation} ${channel}`;
  let frame = item.frames.get(key);
  if (frame === undefined) {
    const data = {
      ...item.event,
      ...(message && item.message ? { message: item.message } : {}),
      ...(conversation && item.conversation ? { conversation: message ? item.conversation : withoutMessage(item.conversation) } : {}),
      ...(channel && item.channel ? { channel: item.channel } : {}),
    };
    frame = `id: ${item.event.seq}\nevent: ${item.event.type}\ndata: ${JSON.stringify(data)}\n\n`;
    item.frames.set(key, frame);
  }
  return frame;
}

function withoutMessage(conversation: unknown): unknown {
  const { lastMessage: _lastMessage, ...rest } = conversation as Record<string, unknown>;
  return rest;
}

async function fill(engine: Engine, workspaceId: string, events: LogEvent[]): Promise<Filled[]> {
  const wanted = (prefixes: string[], id: (event: LogEvent) => string | null) => [
    ...new Set(events.flatMap((event) => (prefixes.includes(event.type.split('.')[0]!) && id(event) ? [id(event)!] : []))),
  ];
  const { database } = engine;
  const channelIds = [...new Set(events.flatMap((event) => (event.channelId ? [event.channelId] : [])))];
  const [messages, conversations, channels] = await Promise.all([
    getMessages(
      database,
      workspaceId,
      wanted(['message', 'media'], (event) => event.messageId),
    ).then((rows) => showMessages(engine, workspaceId, rows)),
    getConversations(
      database,
      workspaceId,
      wanted(['message', 'conversation'], (event) => event.conversationId),
    ).then((rows) => showConversations(engine, workspaceId, rows)),
    channelIds.length ? listChannels(database, workspaceId, { ids: channelIds, statuses: [...STATUSES] }) : [],
  ]);
  const messageById = new Map(messages.map((message) => [message.id, message]));
  const conversationById = new Map(conversations.map((conversation) => [conversation.id, conversation]));
  const channelById = new Map(channels.map((channel) => [channel.id, channel]));
  return events.map((event) => {
    const row = channelById.get(event.channelId ?? '');
    const aboutChannel = event.type.startsWith('channel.') && row;
    return {
      event: showEvent(event),
      sandbox: row?.sandbox ?? false,
      message: messageById.get(event.messageId ?? ''),
      conversation: event.type === 'typing' ? undefined : conversationById.get(event.conversationId ?? ''),
      channel: aboutChannel ? showDetails(engine, row) : undefined,
      frames: new Map(),
    };
  });
}
