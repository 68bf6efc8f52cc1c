/** What somebody's own source tells us: the body of Airy's `sources.webhook`, with receipts added. */
import type { Content, ContentType, MediaKind } from '../../model/content.ts';
import { isUuid } from '../../model/ids.ts';
import type { RawEvent } from '../connector.ts';
import type { InboundEvent, MessageEvent, Party, ReceiptEvent } from '../events.ts';

const KINDS = ['messages', 'metadata', 'receipts'] as const;

/**
 * A batch → its pieces, in order: messages, then metadata, then receipts.
 * @param channelOf the channel of a piece; undefined for pieces that no channel hears of
 * @throws when the body is no batch
 */
export function piecesOf(batch: unknown, channelOf: (piece: Record<string, unknown>) => string | null): RawEvent[] {
  if (!isObject(batch)) throw new Error('the body must be a JSON object with "messages", "metadata" or "receipts"');
  return KINDS.flatMap((kind) => {
    const items = batch[kind] ?? [];
    if (!Array.isArray(items)) throw new Error(`"${kind}" must be a list`);
    return items.map((item: unknown, index): RawEvent => {
      if (!isObject(item)) throw new Error(`${kind}[${index}] must be an object`);
      return {
        source: 'custom',
        sourceChannelId: channelOf(item),
        contentType: 'application/json',
        body: Buffer.from(JSON.stringify({ [kind]: [item] })),
      };
    });
  });
}

/** A stored piece → what happened. Throws, naming the field, on what cannot be read. */
export function parse(event: RawEvent): InboundEvent[] {
  const value: unknown = JSON.parse(event.body.toString('utf8'));
  if (!isObject(value)) throw new Error('not a JSON object');
  const list = (kind: string): Record<string, unknown>[] => (Array.isArray(value[kind]) ? value[kind].filter(isObject) : []);
  const events = [...list('messages').map(messageOf), ...list('metadata').map(metadataOf), ...list('receipts').map(receiptOf)];
  return events.length > 0 ? events : [{ kind: 'ignored', reason: 'no messages, metadata or receipts in it' }];
}

function messageOf(item: Record<string, unknown>): MessageEvent {
  const fromContact = item.from_contact !== false;
  const contact = partyOf(required(item, 'source_conversation_id'));
  if (fromContact && typeof item.sender_name === 'string') contact.name = item.sender_name;
  if (item.content === undefined || item.content === null) throw new Error('content is missing');
  const event: MessageEvent = {
    kind: 'message',
    direction: fromContact ? 'in' : 'out',
    providerId: required(item, 'source_message_id'),
    contact,
    content: contentOf(item.content),
    payload: item.content,
  };
  const sentAt = dateOf(item.sent_at, 'sent_at');
  if (sentAt) event.sentAt = sentAt;
  if (typeof item.source_sender_id === 'string') event.facts = { source_sender_id: item.source_sender_id };
  if (typeof item.reply_to === 'string') event.replyTo = item.reply_to;
  return event;
}

function metadataOf(item: Record<string, unknown>): InboundEvent {
  const id = required(item, 'source_id');
  const metadata = isObject(item.metadata) ? item.metadata : {};
  if (item.namespace !== 'conversation') return { kind: 'ignored', reason: `metadata of namespace "${String(item.namespace)}"` };
  const contact = partyOf(id);
  const told = isObject(metadata.contact) ? metadata.contact : {};
  if (typeof told.display_name === 'string') contact.name = told.display_name;
  if (typeof told.avatar_url === 'string') contact.avatarUrl = told.avatar_url;
  return { kind: 'contact', contact, payload: item };
}

const STATES: ReadonlySet<unknown> = new Set<ReceiptEvent['state']>(['sent', 'delivered', 'read', 'failed']);

function receiptOf(item: Record<string, unknown>): ReceiptEvent {
  if (!STATES.has(item.state)) throw new Error('state must be sent, delivered, read or failed');
  const state = item.state as ReceiptEvent['state'];
  const event: ReceiptEvent = { kind: 'receipt', state };
  if (item.message_id !== undefined) {
    if (typeof item.message_id !== 'string' || !isUuid(item.message_id)) throw new Error('message_id must be the id of a message of ours');
    event.ourId = item.message_id;
  }
  if (typeof item.source_message_id === 'string') event.providerId = item.source_message_id;
  if (!event.ourId && !event.providerId) throw new Error('a receipt needs message_id or source_message_id');
  const at = dateOf(item.at, 'at');
  if (at) event.at = at;
  if (state === 'failed') {
    event.error = {
      class: 'rejected',
      message: typeof item.error === 'string' && item.error ? item.error : 'the source could not deliver it',
    };
  }
  return event;
}

function partyOf(conversationId: string): Party {
  return { identities: [{ kind: 'custom', value: conversationId }] };
}

/** Text, our own kinds of content, and the shapes that Airy's sources use; anything else is kept as it is. */
export function contentOf(value: unknown): Content {
  if (typeof value === 'string') return { type: 'text', text: value };
  if (!isObject(value)) return { type: 'unsupported', kind: typeof value };
  const ours = typeof value.type === 'string' ? OURS[value.type as ContentType] : undefined;
  if (ours?.(value)) return value as unknown as Content;
  const attachment = isObject(value.attachment) ? value.attachment : undefined;
  const payload = isObject(attachment?.payload) ? attachment.payload : undefined;
  if (typeof payload?.url === 'string') {
    return { type: MEDIA.has(attachment?.type) ? (attachment!.type as MediaKind) : 'file', media: { url: payload.url } };
  }
  if (typeof value.text === 'string') return { type: 'text', text: value.text };
  return { type: 'unsupported', kind: typeof value.type === 'string' ? value.type : 'object' };
}

const MEDIA: ReadonlySet<unknown> = new Set<MediaKind>(['image', 'video', 'audio', 'file', 'sticker']);
type Check = (value: Record<string, unknown>) => boolean;
const hasMedia: Check = (value) =>
  isObject(value.media) &&
  typeof value.media.url === 'string' &&
  value.media.id === undefined &&
  (value.caption === undefined || typeof value.caption === 'string');

/** The kinds that a contact can send, and what makes each complete. Our own media ids are not for others to name. */
const OURS: Partial<Record<ContentType, Check>> = {
  text: (value) => typeof value.text === 'string',
  image: hasMedia,
  video: hasMedia,
  audio: hasMedia,
  file: hasMedia,
  sticker: hasMedia,
  location: (value) => typeof value.latitude === 'number' && typeof value.longitude === 'number',
  reply: (value) => typeof value.title === 'string' && typeof value.payload === 'string' && typeof value.via === 'string',
};

function required(item: Record<string, unknown>, field: string): string {
  const value = item[field];
  if (typeof value !== 'string' || value === '') throw new Error(`${field} is missing`);
  return value;
}

function dateOf(value: unknown, field: string): Date | undefined {
  if (value === undefined || value === null) return undefined;
  const date = typeof value === 'number' || typeof value === 'string' ? new Date(value) : new Date(Number.NaN);
  if (Number.isNaN(date.getTime())) throw new Error(`${field} must be milliseconds or an ISO date`);
  return date;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
