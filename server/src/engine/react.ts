/** Our own reaction to a message: told to the provider, then written down. */
import { isConnected } from '../model/channel.ts';
import { PatchbayError } from '../model/errors.ts';
import type { Message } from '../model/message.ts';
import type { ChannelRow } from '../store/channels.ts';
import { identitiesOf } from '../store/contacts.ts';
import { appendEvents } from '../store/ingest-sql.ts';
import { changeByProviderId } from '../store/receipts-sql.ts';
import type { Engine } from './engine.ts';

/**
 * Reacts to a message, or takes the reaction away (`null`). Throws `ProviderError`, `channel-inactive`, `not-supported`
 * where the source has no reactions, and `conflict` for a message that the provider does not have.
 */
export async function react(engine: Engine, channel: ChannelRow, message: Message, emoji: string | null): Promise<void> {
  const { workspaceId, id: channelId } = channel;
  const connector = engine.channels.connectorOf(channel.source);
  if (!connector.react) throw new PatchbayError('not-supported', `${connector.title} has no reactions`);
  if (!isConnected(channel.status)) throw new PatchbayError('channel-inactive', `${channel.name} is not connected`);
  const { providerId } = message;
  if (!providerId) throw new PatchbayError('conflict', 'the provider does not have this message');
  const identities = await identitiesOf(engine.database, workspaceId, [message.contactId]);
  const to = identities
    .filter(({ scope }) => scope === '' || scope === channel.sourceChannelId)
    .map(({ kind, value }) => ({ kind, value }));
  const context = engine.contexts.for({ workspaceId, channelId, sandbox: channel.sandbox });
  await connector.react({ providerId, emoji, to }, engine.channels.view(channel), context);
  const at = new Date();
  await engine.database.transaction(async (client) => {
    const change = { kind: 'ownReaction' as const, order: `${at.toISOString()} ${emoji ?? '\u{10ffff}'}` };
    const fact = emoji === null ? null : { emoji, sent_at: String(at.getTime()) };
    const touched = await changeByProviderId(client, { workspaceId, channelId, providerId }, { ...change, fact });
    if (!touched?.changed) return;
    const { changed: _changed, ...ids } = touched;
    await appendEvents(client, [{ workspaceId, type: 'message.updated', channelId, ...ids, data: { reaction: { emoji, by: 'us' } } }]);
  });
}
