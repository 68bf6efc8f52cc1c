/**
 * Messenger and Instagram webhooks → what happened. Both speak the same language; `Dialect` holds what differs.
 * developers.facebook.com/docs/messenger-platform/webhooks, developers.facebook.com/docs/instagram-platform/webhooks
 */
import { createHash } from 'node:crypto';
import { isUuid } from '../../../model/ids.ts';
import type { RawEvent } from '../../connector.ts';
import type { InboundEvent, Party } from '../../events.ts';
import { compact, type Json, record, records, text, timeOfMs } from '../values.ts';
import { contentOf } from './content.ts';

export interface Dialect {
  /** Kind of the contacts' ids. */
  identity: 'psid' | 'igsid';
}

/** What an item is read with: who owns the account. */
interface Reading {
  dialect: Dialect;
  account: string;
}

const INSTAGRAM_FIELDS = new Set([
  'messages',
  'messaging_postbacks',
  'messaging_seen',
  'message_reactions',
  'messaging_referral',
  'message_edit',
]);
/** Kinds of items that are understood and need nothing done. */
const NOTHING_TO_DO = [
  'pass_thread_control',
  'take_thread_control',
  'request_thread_control',
  'app_roles',
  'account_linking',
  'game_play',
  'messaging_feedback',
  'payment',
  'pre_checkout',
  'checkout_update',
  'typing',
];

/** The parser of one source. It throws when the body is no webhook of Meta's at all. */
export function parserOf(dialect: Dialect): (event: RawEvent) => InboundEvent[] {
  return (event) => {
    const body = record(event.value ?? JSON.parse(event.body.toString('utf8')));
    if (!body || !Array.isArray(body.entry)) throw new Error('Not a webhook of Meta’s: entry is missing');
    const found: InboundEvent[] = [];
    for (const entry of records(body.entry)) {
      const reading = { dialect, account: text(entry.id) ?? '' };
      for (const item of records(entry.messaging)) found.push(...readItem(item, reading, false));
      for (const item of records(entry.standby)) found.push(...readItem(item, reading, true));
      for (const change of records(entry.changes)) found.push(...readChange(change, reading));
    }
    return found.length > 0 ? found : [{ kind: 'ignored', reason: 'The webhook says nothing' }];
  };
}

/** The dashboard’s test button sends messaging items as changes. */
function readChange(change: Json, reading: Reading): InboundEvent[] {
  const field = text(change.field) ?? 'unknown';
  const value = record(change.value);
  if (value && INSTAGRAM_FIELDS.has(field)) return readItem(value, reading, false);
  return [{ kind: 'ignored', reason: `Nothing to do for ${field.slice(0, 80)}` }];
}

function readItem(item: Json, reading: Reading, standby: boolean): InboundEvent[] {
  const message = record(item.message);
  if (message) return [readMessage(item, message, reading, standby)];
  const postback = record(item.postback);
  if (postback) return [readPostback(item, postback, reading, standby)];
  const reaction = record(item.reaction);
  if (reaction) return [readReaction(item, reaction, reading)];
  const edit = record(item.message_edit);
  if (edit) return [readEdit(item, edit)];
  const delivery = record(item.delivery);
  if (delivery) return readDelivery(item, delivery, reading);
  const read = record(item.read);
  if (read) return readSeen(item, read, reading);
  const referral = record(item.referral);
  if (referral)
    return [
      notice(item, 'referral', `Opened the conversation from ${text(referral.source)?.toLowerCase() ?? 'a link'}`, { referral }, reading),
    ];
  const optin = record(item.optin);
  if (optin) return [notice(item, 'optin', `Opted in${text(optin.title) ? `: ${text(optin.title)}` : ''}`, { optin }, reading)];
  const policy = record(item['policy-enforcement']) ?? record(item.policy_enforcement);
  if (policy) return [readPolicy(item, policy)];
  const known = NOTHING_TO_DO.find((kind) => item[kind] !== undefined);
  return [{ kind: 'ignored', reason: known ? `Nothing to do for ${known}` : 'An item of an unknown kind' }];
}

/** Who is at the far end: the reader of an echo, else the writer. */
function partyOf(item: Json, reading: Reading, outbound: boolean): Party {
  const id = text(record(outbound ? item.recipient : item.sender)?.id);
  return { identities: id ? [{ kind: reading.dialect.identity, value: id }] : [] };
}

function readMessage(item: Json, message: Json, reading: Reading, standby: boolean): InboundEvent {
  const outbound = message.is_echo === true;
  const contact = partyOf(item, reading, outbound);
  const mid = text(message.mid);
  if (!mid || contact.identities.length === 0) return { kind: 'ignored', reason: 'A message without an id or a sender' };
  const at = timeOfMs(item.timestamp);
  if (message.is_deleted === true) return { kind: 'revoke', target: mid, at, payload: item };
  const replyTo = record(message.reply_to);
  const mark = outbound ? markIn(text(message.metadata)) : {};
  const app = text(message.app_id);
  const facts = compact({
    story: record(replyTo?.story),
    referral: record(message.referral) ?? record(item.referral),
    appId: outbound ? app : undefined,
    standby: standby ? true : undefined,
    metadata: mark.foreign,
  });
  return {
    kind: 'message',
    direction: outbound ? 'out' : 'in',
    providerId: mid,
    contact,
    content: contentOf(message),
    payload: item,
    ...(at ? { sentAt: at } : {}),
    ...(text(replyTo?.mid) ? { replyTo: text(replyTo?.mid) } : {}),
    ...(facts ? { facts } : {}),
    ...(mark.ourId ? { ourId: mark.ourId } : {}),
    ...(mark.ourPart === undefined ? {} : { ourPart: mark.ourPart }),
  };
}

/** What send.ts wrote along, or what somebody else did. */
function markIn(mark: string | undefined): { ourId?: string; ourPart?: number; foreign?: string } {
  const [, id, part] = /^([0-9a-f-]{36})(?:\.(\d))?$/i.exec(mark ?? '') ?? [];
  if (!id || !isUuid(id)) return mark === undefined ? {} : { foreign: mark };
  return { ourId: id.toLowerCase(), ...(part === undefined ? {} : { ourPart: Number(part) }) };
}

function readPostback(item: Json, postback: Json, reading: Reading, standby: boolean): InboundEvent {
  const contact = partyOf(item, reading, false);
  if (contact.identities.length === 0) return { kind: 'ignored', reason: 'A postback without a sender' };
  const at = timeOfMs(item.timestamp);
  const payload = text(postback.payload) ?? '';
  const facts = compact({ referral: record(postback.referral), standby: standby ? true : undefined });
  return {
    kind: 'message',
    direction: 'in',
    providerId: text(postback.mid) ?? nameOf('postback', item),
    contact,
    content: { type: 'reply', via: 'postback', title: text(postback.title) ?? payload, payload },
    payload: item,
    ...(at ? { sentAt: at } : {}),
    ...(facts ? { facts } : {}),
  };
}

/** Referrals and opt-ins: shown in the conversation, without the weight of something written. */
function notice(item: Json, event: string, words: string, facts: Json, reading: Reading): InboundEvent {
  const contact = partyOf(item, reading, false);
  if (contact.identities.length === 0) return { kind: 'ignored', reason: `${event} of somebody without an id` };
  const at = timeOfMs(item.timestamp);
  return {
    kind: 'message',
    direction: 'in',
    providerId: nameOf(event, item),
    contact,
    content: { type: 'system', text: words, event },
    payload: item,
    ...(at ? { sentAt: at } : {}),
    facts,
    opensWindow: false,
    automatic: true,
  };
}

/** A lasting id for an item that Meta gives none: the same bytes redelivered get the same one. */
function nameOf(kind: string, item: Json): string {
  return `${kind}:${createHash('sha256').update(JSON.stringify(item)).digest('hex').slice(0, 40)}`;
}

function readReaction(item: Json, reaction: Json, reading: Reading): InboundEvent {
  const target = text(reaction.mid);
  const byUs = text(record(item.sender)?.id) === reading.account && reading.account !== '';
  const contact = partyOf(item, reading, byUs);
  if (!target || contact.identities.length === 0) return { kind: 'ignored', reason: 'A reaction that names no message or nobody' };
  const emoji = reaction.action === 'react' ? emojiOf(reaction) : null;
  const at = timeOfMs(item.timestamp);
  return { kind: 'reaction', target, contact, by: byUs ? 'us' : 'contact', emoji, ...(at ? { at } : {}), payload: item };
}

const NAMED_REACTIONS: Record<string, string> = {
  love: '❤️',
  like: '👍',
  dislike: '👎',
  smile: '😆',
  laugh: '😆',
  angry: '😠',
  sad: '😢',
  wow: '😮',
};

/** Meta writes emoji as they are, or as `\u{2764}\u{FE0F}` in so many characters. */
function emojiOf(reaction: Json): string {
  const written = text(reaction.emoji)?.replace(/\\u\{([0-9a-f]{1,6})\}/gi, (whole, hex: string) => {
    const point = Number.parseInt(hex, 16);
    return point <= 0x10ffff ? String.fromCodePoint(point) : whole;
  });
  const name = text(reaction.reaction) ?? '';
  return written ?? (Object.hasOwn(NAMED_REACTIONS, name) ? NAMED_REACTIONS[name]! : '👍');
}

function readEdit(item: Json, edit: Json): InboundEvent {
  const target = text(edit.mid);
  if (!target) return { kind: 'ignored', reason: 'An edit that names no message' };
  const at = timeOfMs(item.timestamp);
  return { kind: 'edit', target, content: { type: 'text', text: text(edit.text) ?? '' }, ...(at ? { at } : {}), payload: item };
}

/** `mids` are named where Meta knows them; the watermark covers all before it. */
function readDelivery(item: Json, delivery: Json, reading: Reading): InboundEvent[] {
  const mids = Array.isArray(delivery.mids) ? delivery.mids.flatMap((mid) => text(mid) ?? []) : [];
  const mark = timeOfMs(delivery.watermark);
  const at = timeOfMs(item.timestamp) ?? mark;
  const contact = partyOf(item, reading, false);
  const found: InboundEvent[] = mids.map((providerId) => ({ kind: 'receipt', providerId, state: 'delivered', at }));
  if (mark && contact.identities.length > 0) found.push({ kind: 'receipt', upTo: { contact, at: mark }, state: 'delivered', at });
  return found.length > 0 ? found : [{ kind: 'ignored', reason: 'A delivery that names no message' }];
}

/** Messenger tells a watermark, Instagram the message that was seen; all before it are seen too. */
function readSeen(item: Json, read: Json, reading: Reading): InboundEvent[] {
  const at = timeOfMs(item.timestamp);
  const mid = text(read.mid);
  const mark = timeOfMs(read.watermark) ?? (mid ? at : undefined);
  const contact = partyOf(item, reading, false);
  const found: InboundEvent[] = mid ? [{ kind: 'receipt', providerId: mid, state: 'read', at }] : [];
  if (mark && contact.identities.length > 0) found.push({ kind: 'receipt', upTo: { contact, at: mark }, state: 'read', at: at ?? mark });
  return found.length > 0 ? found : [{ kind: 'ignored', reason: 'A read mark that names no message' }];
}

function readPolicy(item: Json, policy: Json): InboundEvent {
  const blocked = policy.action === 'block';
  return {
    kind: 'account',
    status: blocked ? 'failed' : 'active',
    ...(blocked
      ? { reason: `Meta blocked the page from messaging: ${text(policy.reason) ?? 'no reason given'}. Appeal in the page’s Support Inbox.` }
      : {}),
    details: { policy_enforcement: text(policy.action) },
    payload: item,
  };
}
