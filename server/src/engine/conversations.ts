/** What people do with conversations: each a change and its event in one transaction. */
import { isConnected } from '../model/channel.ts';
import type { Conversation } from '../model/conversation.ts';
import { notFound, ProviderError } from '../model/errors.ts';
import { getChannel } from '../store/channels.ts';
import { changeContact, identitiesOf, wantProfile } from '../store/contacts.ts';
import { type ConversationChange, changeConversation, getConversation, markRead } from '../store/conversations.ts';
import type { Client } from '../store/database.ts';
import { appendEvents } from '../store/ingest-sql.ts';
import { newestInbound } from '../store/messages.ts';
import type { Engine } from './engine.ts';

/** Read marks that one event names; older ones are found by loading the messages. */
const MAX_READ_IDS = 200;

/**
 * Changes a conversation and tells everybody. `change` may be worked out from what is there, with nobody in between.
 * Throws `not-found`.
 */
export async function updateConversation(
  engine: Engine,
  workspaceId: string,
  id: string,
  change: ConversationChange | ((conversation: Conversation) => ConversationChange),
  data: Record<string, unknown> = {},
): Promise<Conversation> {
  return engine.database.transaction(async (client) => {
    const before = typeof change === 'function' ? await lockConversation(client, workspaceId, id) : undefined;
    const changed = await changeConversation(client, workspaceId, id, typeof change === 'function' ? change(before!) : change);
    if (!changed) throw notFound('conversation');
    await appendEvents(client, [eventOf(changed, 'conversation.updated', data)]);
    return changed;
  });
}

/** Marks everything read, here and at the provider where it takes that. False when there is no such conversation. */
export async function markConversationRead(engine: Engine, workspaceId: string, id: string): Promise<boolean> {
  const conversation = await engine.database.transaction(async (client) => {
    const read = await markRead(client, workspaceId, id);
    if (!read) return undefined;
    const changed = (await getConversation(client, workspaceId, id))!;
    if (read.length === 0) return { changed, read };
    const data = { unreadCount: 0, read: read.slice(0, MAX_READ_IDS) };
    await appendEvents(client, [eventOf(changed, 'conversation.updated', data)]);
    return { changed, read };
  });
  if (!conversation) return false;
  if (conversation.read.length > 0) {
    // Nobody waits for a slow provider here: the marks are ours already.
    tellProviderOfRead(engine, conversation.changed).catch((error) =>
      engine.log.error({ err: error, conversation: id }, 'a read could not be passed on'),
    );
  }
  return true;
}

/** Gives the contact of a conversation a name that no provider overwrites. Throws `not-found`. */
export async function nameContact(engine: Engine, workspaceId: string, conversationId: string, displayName: string): Promise<void> {
  await engine.database.transaction(async (client) => {
    const conversation = await getConversation(client, workspaceId, conversationId);
    if (!conversation) throw notFound('conversation');
    const contact = await changeContact(client, workspaceId, conversation.contactId, { displayName });
    if (!contact) throw notFound('contact');
    await appendEvents(client, [{ workspaceId, type: 'contact.updated', contactId: contact.id }]);
  });
}

/** Has the contact's profile fetched from the provider again. Throws `not-found`. */
export async function refetchProfile(engine: Engine, workspaceId: string, conversationId: string): Promise<void> {
  await engine.database.transaction(async (client) => {
    const conversation = await getConversation(client, workspaceId, conversationId);
    if (!conversation) throw notFound('conversation');
    await wantProfile(client, workspaceId, conversation.contactId);
    await appendEvents(client, [{ workspaceId, type: 'contact.updated', contactId: conversation.contactId }]);
  });
}

/** A conversation that nobody else changes until the commit. Throws `not-found`. */
export async function lockConversation(client: Client, workspaceId: string, id: string): Promise<Conversation> {
  await client.query('select 1 from conversations where workspace_id = $1 and id = $2 for no key update', [workspaceId, id]);
  const conversation = await getConversation(client, workspaceId, id);
  if (!conversation) throw notFound('conversation');
  return conversation;
}

function eventOf(conversation: Conversation, type: string, data: Record<string, unknown>) {
  const { workspaceId, channelId, contactId, id } = conversation;
  return { workspaceId, type, channelId, contactId, conversationId: id, data };
}

async function tellProviderOfRead(engine: Engine, conversation: Conversation): Promise<void> {
  const { workspaceId, channelId, contactId } = conversation;
  const channel = await getChannel(engine.database, workspaceId, channelId);
  const connector = channel && engine.registry.connector(channel.source);
  if (!channel || !isConnected(channel.status) || !connector?.markRead) return;
  const newest = await newestInbound(engine.database, workspaceId, conversation.id);
  if (!newest?.providerId) return;
  const identities = await identitiesOf(engine.database, workspaceId, [contactId]);
  const target = { providerId: newest.providerId, to: identities.map(({ kind, value }) => ({ kind, value })) };
  try {
    await connector.markRead(target, engine.channels.view(channel), engine.contexts.for({ ...channel, channelId }));
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    engine.log.warn({ channel: channelId, class: error.class }, `the provider could not be told of a read: ${error.message}`);
  }
}
