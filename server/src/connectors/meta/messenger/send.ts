/** Sending, reacting, marking seen, typing: all are `POST /{page-id}/messages` with the page's token. */
import { isMedia, type MediaRef, mediaOf } from '../../../model/content.ts';
import { ProviderError } from '../../../model/errors.ts';
import type { ConnectorContext, OutboundMessage, SendReceipt } from '../../connector.ts';
import { type Json, text } from '../values.ts';
import { type Channel, graphOf, nodeOf } from './account.ts';
import { messageOf, type SentMedia } from './body.ts';

/** Meta keeps re-usable attachments without a told end; asked for anew every month. */
const KEPT_SECONDS = 29 * 24 * 3600;

/** What differs between pages and Instagram accounts when sending. */
export interface Manner {
  identity: 'psid' | 'igsid';
  /** Files are uploaded to Meta; else Meta fetches them from us. */
  uploads: boolean;
  /** `message.metadata` comes back with the echo. */
  carriesOurId: boolean;
  /** The one reaction that may be sent; any emoji when absent. */
  onlyReaction?: string;
}

/** Our id, and which part it is where others follow: parse.ts reads it from the echo. */
function markOf({ id, part }: OutboundMessage): string {
  return part === undefined ? id : `${id}.${part}`;
}

export function senderOf(manner: Manner) {
  /**
   * Hands a message over; our id goes along where the echo brings it back, so that a lost answer settles itself. An upload
   * of before that Meta no longer takes is made anew once.
   */
  async function send(message: OutboundMessage, channel: Channel, context: ConnectorContext): Promise<SendReceipt> {
    try {
      return await attempt(message, channel, context, false);
    } catch (error) {
      const uploads = manner.uploads && mediaOf(message.content).some((ref) => ref.id);
      if (!uploads || !(error instanceof ProviderError) || error.class !== 'rejected' || !/attachment/i.test(error.message)) throw error;
      return attempt(message, channel, context, true);
    }
  }

  async function attempt(message: OutboundMessage, channel: Channel, context: ConnectorContext, fresh: boolean): Promise<SendReceipt> {
    const files = new Map<MediaRef, SentMedia>();
    for (const ref of mediaOf(message.content)) files.set(ref, await sendable(ref, message, channel, context, fresh));
    const content = messageOf(message.content, (ref) => files.get(ref)!);
    const ours = manner.carriesOurId && message.content.type !== 'native' ? { metadata: markOf(message) } : {};
    const body = {
      recipient: recipientOf(message.to),
      ...(message.tag ? { messaging_type: 'MESSAGE_TAG', tag: message.tag } : { messaging_type: 'RESPONSE' }),
      message: { ...content, ...ours },
      ...(message.replyToProviderId ? { reply_to: { mid: message.replyToProviderId } } : {}),
    };
    const answer = await post(channel, context, body, false);
    const providerId = text(answer.message_id);
    if (!providerId) throw new ProviderError('unknown-outcome', 'Meta took the message but gave no id for it', { raw: answer });
    return { providerId, state: 'sent', payload: body };
  }

  async function sendable(
    ref: MediaRef,
    message: OutboundMessage,
    channel: Channel,
    context: ConnectorContext,
    fresh: boolean,
  ): Promise<SentMedia> {
    if (!ref.id) {
      if (ref.url) return { url: ref.url, is_reusable: true };
      throw new ProviderError('rejected', 'The file to send has neither an id nor an address');
    }
    if (!manner.uploads || !isMedia(message.content)) return { url: context.mediaUrl(ref.id), is_reusable: true };
    const key = `upload:${ref.id}`;
    const remembered = fresh ? undefined : text(await context.memo.get(key));
    if (remembered) return { attachment_id: remembered };
    const id = await upload(ref, message.content.type === 'sticker' ? 'image' : message.content.type, channel, context);
    await context.memo.set(key, id, KEPT_SECONDS);
    return { attachment_id: id };
  }

  async function react(
    target: { providerId: string; emoji: string | null; to: OutboundMessage['to'] },
    channel: Channel,
    context: ConnectorContext,
  ): Promise<undefined> {
    const reaction = target.emoji === null ? undefined : reactionOf(target.emoji);
    await act(
      { sender_action: reaction ? 'react' : 'unreact', payload: { message_id: target.providerId, ...(reaction ? { reaction } : {}) } },
      target.to,
      channel,
      context,
    );
  }

  function reactionOf(emoji: string): string {
    if (!manner.onlyReaction) return emoji;
    if (emoji.replaceAll('\uFE0F', '') === '❤') return manner.onlyReaction;
    throw new ProviderError('rejected', 'Instagram takes no other reaction than ❤️ from a business');
  }

  async function markRead(target: { to: OutboundMessage['to'] }, channel: Channel, context: ConnectorContext): Promise<void> {
    await act({ sender_action: 'mark_seen' }, target.to, channel, context);
  }

  async function typing(target: { to: OutboundMessage['to']; on: boolean }, channel: Channel, context: ConnectorContext): Promise<void> {
    await act({ sender_action: target.on ? 'typing_on' : 'typing_off' }, target.to, channel, context);
  }

  async function act(action: Json, to: OutboundMessage['to'], channel: Channel, context: ConnectorContext): Promise<void> {
    await post(channel, context, { recipient: recipientOf(to), ...action }, true);
  }

  function recipientOf(to: OutboundMessage['to']): { id: string } {
    const id = to.find(({ kind }) => kind === manner.identity)?.value;
    if (!id)
      throw new ProviderError('recipient-unreachable', 'The contact has never written to this account, so Meta gives no id to write to', {
        scope: 'recipient',
      });
    return { id };
  }

  return { send, react, markRead, typing };
}

function post(channel: Channel, context: ConnectorContext, json: Json, repeatable: boolean): Promise<Json> {
  return graphOf(channel, context).call(`${nodeOf(channel)}/messages`, { method: 'POST', json, repeatable });
}

/** developers.facebook.com/docs/messenger-platform/reference/attachment-upload-api */
async function upload(ref: MediaRef, type: string, channel: Channel, context: ConnectorContext): Promise<string> {
  const file = await context.openMedia(ref.id!);
  if (!file) throw new ProviderError('rejected', 'The file to send is no longer stored');
  const form = new FormData();
  form.set('message', JSON.stringify({ attachment: { type, payload: { is_reusable: true } } }));
  form.set('filedata', new Blob([new Uint8Array(file.data)], { type: file.mimeType }), file.filename ?? ref.filename ?? 'file');
  const answer = await graphOf(channel, context).call(`${nodeOf(channel)}/message_attachments`, {
    method: 'POST',
    repeatable: true,
    form,
    timeoutMs: 120_000,
  });
  const id = text(answer.attachment_id);
  if (!id) throw new ProviderError('retry', 'Meta took the file but gave no id for it', { raw: answer });
  return id;
}
