/** What a caller may see and touch within its workspace. A test key has the sandbox's channels and nothing else. */
import type { Engine } from '../../engine/engine.ts';
import type { Contact } from '../../model/contact.ts';
import type { Conversation } from '../../model/conversation.ts';
import { notFound } from '../../model/errors.ts';
import type { Message } from '../../model/message.ts';
import { type ChannelRow, getChannel } from '../../store/channels.ts';
import { getContact } from '../../store/contacts.ts';
import { getConversation } from '../../store/conversations.ts';
import type { Client } from '../../store/database.ts';
import { getMessage } from '../../store/messages.ts';
import { liveOnes } from '../../store/sandbox.ts';
import { maySee } from '../access.ts';
import type { Principal } from '../auth.ts';

/** A deleted channel can still be looked at for this long. */
const DELETED_FOR_MS = 30 * 24 * 3600 * 1000;

/** One channel, also for 30 days after it was deleted. Throws `not-found`. */
export async function channelFor(engine: Engine, principal: Principal, id: string): Promise<ChannelRow> {
  const row = await getChannel(engine.database, principal.workspaceId, id);
  if (!row || !maySee(principal, row)) throw notFound('channel');
  if (row.deletedAt && row.deletedAt.getTime() < Date.now() - DELETED_FOR_MS) throw notFound('channel');
  return row;
}

/** One channel that is not deleted. Throws `not-found`. */
export async function liveChannelFor(engine: Engine, principal: Principal, id: string): Promise<ChannelRow> {
  const row = await channelFor(engine, principal, id);
  if (row.status === 'deleted') throw notFound('channel');
  return row;
}

/** Throws `not-found`. */
export async function conversationFor(engine: Engine, principal: Principal, id: string): Promise<Conversation> {
  const conversation = await getConversation(engine.database, principal.workspaceId, id);
  if (!conversation) throw notFound('conversation');
  if (principal.sandbox) await channelFor(engine, principal, conversation.channelId);
  return conversation;
}

/** A contact. Throws `not-found`. */
export async function contactFor(client: Client, { workspaceId, sandbox }: Principal, id: string): Promise<Contact> {
  const contact = await getContact(client, workspaceId, id);
  if (!contact || (sandbox && (await liveOnes(client, workspaceId, [contact.id])).size > 0)) throw notFound('contact');
  return contact;
}

/** A message, of one channel where that is given. Throws `not-found`. */
export async function messageFor(engine: Engine, principal: Principal, id: string, channelId?: string): Promise<Message> {
  const message = await getMessage(engine.database, principal.workspaceId, id);
  if (!message || (channelId && message.channelId !== channelId.toLowerCase())) throw notFound('message');
  if (principal.sandbox) await channelFor(engine, principal, message.channelId);
  return message;
}
