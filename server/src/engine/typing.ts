/** Somebody on our side is writing: told to the far end, and to whoever else follows the conversation. */
import { isConnected } from '../model/channel.ts';
import { notFound, ProviderError } from '../model/errors.ts';
import { getChannel } from '../store/channels.ts';
import { identitiesOf } from '../store/contacts.ts';
import { getConversation } from '../store/conversations.ts';
import { appendEvents } from '../store/ingest-sql.ts';
import { newestInbound } from '../store/messages.ts';
import type { Engine } from './engine.ts';

/** `name`: who is writing, as the customer may see it; null tells nobody's. Throws `not-found`. */
export async function agentTyping(
  engine: Engine,
  workspaceId: string,
  conversationId: string,
  on: boolean,
  name: string | null = null,
): Promise<void> {
  const { database } = engine;
  const conversation = await getConversation(database, workspaceId, conversationId);
  if (!conversation) throw notFound('conversation');
  const { id, channelId, contactId } = conversation;
  const data = { by: 'agent', on, ...(name === null ? {} : { name }) };
  await database.transaction((client) =>
    appendEvents(client, [{ workspaceId, type: 'typing', channelId, contactId, conversationId: id, data }]),
  );
  const channel = await getChannel(database, workspaceId, channelId);
  if (!channel || !isConnected(channel.status)) return;
  const connector = engine.registry.connector(channel.source);
  if (!connector?.typing) return;
  const [identities, answered] = await Promise.all([
    identitiesOf(database, workspaceId, [contactId]),
    newestInbound(database, workspaceId, conversationId),
  ]);
  const target = {
    to: identities.map(({ kind, value }) => ({ kind, value })),
    on,
    ...(answered?.providerId ? { lastInboundProviderId: answered.providerId } : {}),
  };
  try {
    await connector.typing(target, engine.channels.view(channel), engine.contexts.for({ ...channel, channelId }));
  } catch (error) {
    // Nobody misses a typing mark that could not be shown.
    if (!(error instanceof ProviderError)) throw error;
    engine.log.debug({ channel: channelId, class: error.class }, `typing could not be told: ${error.message}`);
  }
}
