/** Taking an outgoing message back: while it waits with us, while the provider keeps it, or before it was delivered. */
import { PatchbayError } from '../model/errors.ts';
import type { Message, MessageError } from '../model/message.ts';
import type { ChannelRow } from '../store/channels.ts';
import { identitiesOf } from '../store/contacts.ts';
import type { Client } from '../store/database.ts';
import { removeFallback } from '../store/fallbacks.ts';
import { removeWaiting } from '../store/outbox.ts';
import { applyInbound } from './apply.ts';
import type { Engine } from './engine.ts';
import { routeOf } from './routes.ts';

type Parts = Pick<Engine, 'channels' | 'contexts' | 'database'>;

/**
 * The message is not sent, or disappears again; it has then failed as `canceled`, and goes no other way. Throws
 * `conflict` when it is too late, `not-supported` where the source cannot, or what the provider says.
 */
export async function takeBack(parts: Parts, channel: ChannelRow, message: Message): Promise<void> {
  if (message.direction !== 'out') throw new PatchbayError('conflict', 'only messages of ours can be taken back');
  if (await takeFromLine(parts, channel, message)) return;
  if (message.state === 'scheduled' && message.providerId) await cancelAtProvider(parts, channel, message);
  else if (message.state === 'sent' || message.state === 'unknown') {
    if (!(await revokeAtProvider(parts, channel, message))) {
      throw new PatchbayError('not-supported', `${parts.channels.connectorOf(channel.source).title} cannot take back what was sent`);
    }
  } else throw tooLate(message);
  await parts.database.transaction((client) => settle(client, parts, channel, message, 'taken back before it was delivered'));
}

async function takeFromLine(parts: Parts, channel: ChannelRow, message: Message): Promise<boolean> {
  if (message.state !== 'scheduled' && message.state !== 'pending') return false;
  return parts.database.transaction(async (client) => {
    const taken = await removeWaiting(client, message.workspaceId, message.id);
    if (taken) await settle(client, parts, channel, message, 'canceled before it was sent');
    else if (message.state === 'pending') throw new PatchbayError('conflict', 'the message is just being sent');
    return taken;
  });
}

/** False where the source has no such call. Throws `ProviderError`. */
export async function revokeAtProvider(parts: Parts, channel: ChannelRow, message: Message): Promise<boolean> {
  const connector = parts.channels.connectorOf(channel.source);
  const providerId = message.providerId ?? (connector.idempotentSend ? message.id : undefined);
  if (!connector.revoke || !providerId) return false;
  await connector.revoke({ providerId, messageId: message.id, to: await addressesOf(parts, message) }, ...side(parts, channel));
  return true;
}

async function cancelAtProvider(parts: Parts, channel: ChannelRow, message: Message): Promise<void> {
  const connector = parts.channels.connectorOf(channel.source);
  if (!connector.cancel) throw new PatchbayError('not-supported', `${connector.title} cannot take back what it keeps for later`);
  const target = { providerId: message.providerId!, messageId: message.id, to: await addressesOf(parts, message) };
  await connector.cancel(target, ...side(parts, channel));
}

function side(parts: Parts, channel: ChannelRow) {
  return [parts.channels.view(channel), parts.contexts.for({ ...channel, channelId: channel.id })] as const;
}

function addressesOf({ database }: Parts, { workspaceId, contactId }: Message) {
  return identitiesOf(database, workspaceId, [contactId]);
}

async function settle(client: Client, parts: Parts, channel: ChannelRow, message: Message, words: string): Promise<void> {
  await removeFallback(client, message.workspaceId, message.id);
  const error: MessageError = { class: 'canceled', message: words };
  const event = { kind: 'receipt', ourId: message.id, state: 'failed', error } as const;
  const route = routeOf(channel, parts.channels.connectorOf(channel.source));
  await applyInbound(client, [{ route, event, receivedAt: new Date() }]);
}

function tooLate({ state }: Message): PatchbayError {
  return new PatchbayError('conflict', state === 'failed' ? 'the message has failed already' : 'the message has been delivered already');
}
