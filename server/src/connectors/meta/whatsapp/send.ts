/** Sending, reacting, marking read, typing: all are `POST /{phone-number-id}/messages`. */
import { type MediaRef, mediaOf } from '../../../model/content.ts';
import { ProviderError } from '../../../model/errors.ts';
import type { ConnectorContext, OutboundMessage, SendReceipt } from '../../connector.ts';
import { type Json, records, text } from '../values.ts';
import { type Channel, graphOf } from './account.ts';
import { bodyOf, recipientOf, type SentMedia } from './body.ts';
import { sendable } from './media.ts';

/**
 * Hands a message over. Our id goes along as `biz_opaque_callback_data`, so that the status webhook settles a send whose
 * answer was lost. An upload that Meta no longer takes is made anew once.
 */
export async function send(message: OutboundMessage, channel: Channel, context: ConnectorContext): Promise<SendReceipt> {
  try {
    return await attempt(message, channel, context, false);
  } catch (error) {
    const uploads = mediaOf(message.content).some((ref) => ref.id);
    if (!uploads || !(error instanceof ProviderError) || (error.code !== '131052' && error.code !== '131053')) throw error;
    return attempt(message, channel, context, true);
  }
}

async function attempt(message: OutboundMessage, channel: Channel, context: ConnectorContext, fresh: boolean): Promise<SendReceipt> {
  const files = new Map<MediaRef, SentMedia>();
  for (const ref of mediaOf(message.content)) files.set(ref, await sendable(ref, channel, context, fresh));
  const body = bodyOf(message, (ref) => files.get(ref)!);
  return receiptOf(await post(channel, context, body), body);
}

function receiptOf(answer: Json, body: Json): SendReceipt {
  const sent = records(answer.messages)[0];
  const providerId = text(sent?.id);
  if (!providerId) throw new ProviderError('unknown-outcome', 'Meta took the message but gave no id for it', { raw: answer });
  const status = text(sent?.message_status);
  return { providerId, state: 'sent', payload: body, ...(status ? { details: { message_status: status } } : {}) };
}

function post(channel: Channel, context: ConnectorContext, json: Json, repeatable = false): Promise<Json> {
  return graphOf(channel, context).call(`${channel.sourceChannelId}/messages`, { method: 'POST', json, repeatable });
}

/** Puts an emoji on a message, or takes it away. */
export async function react(
  target: { providerId: string; emoji: string | null; to: OutboundMessage['to'] },
  channel: Channel,
  context: ConnectorContext,
): Promise<SendReceipt> {
  const body = {
    messaging_product: 'whatsapp',
    recipient_type: 'individual',
    ...recipientOf(target.to),
    type: 'reaction',
    reaction: { message_id: target.providerId, emoji: target.emoji ?? '' },
  };
  return receiptOf(await post(channel, context, body), body);
}

/** The customer's message, and all before it, get blue ticks. */
export async function markRead(target: { providerId: string }, channel: Channel, context: ConnectorContext): Promise<void> {
  await post(channel, context, { messaging_product: 'whatsapp', status: 'read', message_id: target.providerId }, true);
}

/** Shows “typing…” for up to 25 seconds; needs the message that is being answered and cannot be switched off. */
export async function typing(
  target: { on: boolean; lastInboundProviderId?: string },
  channel: Channel,
  context: ConnectorContext,
): Promise<void> {
  if (!target.on || !target.lastInboundProviderId) return;
  const json = {
    messaging_product: 'whatsapp',
    status: 'read',
    message_id: target.lastInboundProviderId,
    typing_indicator: { type: 'text' },
  };
  await post(channel, context, json, true);
}
