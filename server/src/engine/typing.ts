/** Showing the contact that somebody of us is writing. */
import { notFound, ProviderError } from '../model/errors.ts';
import { getChannel } from '../store/channels.ts';
import { identitiesOf } from '../store/contacts.ts';
import { getConversation } from '../store/conversations.ts';
import { appendEvents } from '../store/ingest-sql.ts';
import type { Engine } from './engine.ts';

/**
 * Tells everybody who follows the conversation, and the provider where it has such a call. A provider that does not
 * take it is no failure: the next keystroke tries again. Throws `not-found`.
 */
export async function agentTyping(
  engine: Engine,
  workspaceId: string,
  conversationId: string,
  on: boolean,
  name: string | null,
): Promise<void> {
  const conversation = await getConversation(engine.database, workspaceId, conversationId);
  const channel = conversation && (await getChannel(engine.database, workspaceId, conversation.channelId));
  if (!channel) throw notFound('conversation');
  const { channelId, contactId } = conversation;
  await engine.database.transaction((client) =>
    appendEvents(client, [{ workspaceId, type: 'typing', channelId, conversationId, contactId, data: { by: 'agent', on, name } }]),
  );
  const connector = engine.channels.connectorOf(channel.source);
  if (!connector.typing) return;
  const lastInbound = await engine.database.query<{ providerId: string | null }>(
    `select provider_id as "providerId" from messages where workspace_id = $1 and conversation_id = $2 and direction = 'in'
     order by sent_at desc, id desc limit 1`,
    [workspaceId, conversationId],
  );
  const to = await identitiesOf(engine.database, workspaceId, [contactId]);
  const context = engine.contexts.for({ workspaceId, channelId, sandbox: channel.sandbox });
  const lastInboundProviderId = lastInbound.rows[0]?.providerId;
  try {
    await connector.typing({ to, on, ...(lastInboundProviderId ? { lastInboundProviderId } : {}) }, engine.channels.view(channel), context);
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error;
    context.log.warn({ class: error.class, err: error }, 'the provider was not told that somebody is writing');
  }
}
