/**
 * WhatsApp webhooks → what happened. Meta's fields are read as they come: nothing is validated first, and what is not
 * known becomes `unsupported` content or `ignored` with a reason.
 * developers.facebook.com/docs/whatsapp/cloud-api/webhooks
 */

import { isUuid } from '../../../model/ids.ts';
import type { RawEvent } from '../../connector.ts';
import type { InboundEvent, Party, ReceiptEvent } from '../../events.ts';
import { messageErrorOf, treatmentOf, wordsOf } from '../errors.ts';
import { compact, type Json, number, record, records, text, timeOfSeconds } from '../values.ts';
import { accountChange } from './account-changes.ts';
import { contentOf } from './content.ts';
import { addressBook, history, preferences } from './past.ts';
import { party, personOf } from './people.ts';

/** All that one piece of a webhook says. Throws when it is no webhook of Meta's at all. */
export function parse(event: RawEvent): InboundEvent[] {
  const body = record(event.value ?? JSON.parse(event.body.toString('utf8')));
  if (!body || !Array.isArray(body.entry)) throw new Error('Not a WhatsApp webhook: entry is missing');
  const found: InboundEvent[] = [];
  for (const entry of records(body.entry)) {
    for (const change of records(entry.changes)) readChange(entry, change, found);
  }
  return found.length > 0 ? found : [{ kind: 'ignored', reason: 'The webhook says nothing' }];
}

function readChange(entry: Json, change: Json, found: InboundEvent[]): void {
  const account = text(entry.id) ?? '';
  const outer = record(change.value) ?? {};
  const value = record(outer.whatsapp_business_api_data) ?? outer;
  const field = text(change.field) ?? 'messages';
  if (field === 'messages' || field === 'standby') {
    const said = field === 'standby' ? { ...value, ...record(value.standby) } : value;
    const people = records(said.contacts);
    for (const message of records(said.messages)) readMessage(message, people, found);
    for (const status of records(said.statuses)) readStatus(status, people, found);
    for (const error of records(said.errors)) found.push(valueError(error));
  } else if (field === 'smb_message_echoes' || field === 'message_echoes') {
    for (const echo of records(value.message_echoes)) readEcho(echo, records(value.contacts), found);
  } else if (field === 'history') {
    found.push(...history(value));
  } else if (field === 'smb_app_state_sync') {
    found.push(...addressBook(value));
  } else if (field === 'user_preferences') {
    found.push(...preferences(value));
  } else {
    found.push(accountChange(field, account, value, timeOfSeconds(entry.time)));
  }
}

/** Something the customer did; `people` holds their names and other addresses. */
function readMessage(message: Json, people: Json[], found: InboundEvent[]): void {
  const contact = writer(message, people);
  const id = text(message.id);
  if (contact.identities.length === 0 || !id) {
    found.push({ kind: 'ignored', reason: 'A message without a sender or an id' });
    return;
  }
  if (!readChangeOfMessage(message, contact, 'contact', found)) {
    const content = contentOf(message);
    const group = text(message.group_id);
    found.push({
      kind: 'message',
      direction: 'in',
      providerId: id,
      contact,
      content: group ? { type: 'unsupported', kind: 'group', text: 'A message in a group' } : content,
      payload: message,
      sentAt: timeOfSeconds(message.timestamp),
      ...contextOf(message),
      ...(content.type === 'system' || group ? { opensWindow: false as const } : {}),
      ...(content.type === 'system' ? { automatic: true } : {}),
    });
    if (content.type === 'system') readNewAddress(message, contact, found);
  }
}

/** What was written in the WhatsApp Business app on the phone. */
function readEcho(echo: Json, people: Json[], found: InboundEvent[]): void {
  const id = text(echo.id);
  const contact = party(
    text(echo.to),
    text(echo.to_user_id),
    text(echo.to_parent_user_id),
    personOf(people, text(echo.to), text(echo.to_user_id)),
  );
  if (contact.identities.length === 0 || !id) {
    found.push({ kind: 'ignored', reason: 'An echo without a recipient or an id' });
    return;
  }
  if (readChangeOfMessage(echo, contact, 'us', found)) return;
  found.push({
    kind: 'message',
    direction: 'out',
    providerId: id,
    contact,
    content: contentOf(echo),
    payload: echo,
    sentAt: timeOfSeconds(echo.timestamp),
    ...contextOf(echo),
  });
}

/** Reactions, edits and revokes are about an earlier message; true when it was one of them. */
function readChangeOfMessage(message: Json, contact: Party, by: 'contact' | 'us', found: InboundEvent[]): boolean {
  const type = text(message.type);
  if (type !== 'reaction' && type !== 'edit' && type !== 'revoke') return false;
  const part = record(message[type]) ?? {};
  const target = text(part.message_id) ?? text(part.original_message_id) ?? text(record(message.context)?.id);
  const at = timeOfSeconds(message.timestamp);
  if (!target) found.push({ kind: 'ignored', reason: `${type} that names no message` });
  else if (type === 'reaction')
    found.push({ kind: 'reaction', target, contact, by, emoji: text(part.emoji) ?? null, at, payload: message });
  else if (type === 'revoke') found.push({ kind: 'revoke', target, at, payload: message });
  else found.push({ kind: 'edit', target, content: contentOf(record(part.message) ?? part), at, payload: message });
  return true;
}

/** A changed number or user id: the contact is found under the old address and gets the new one. */
function readNewAddress(message: Json, contact: Party, found: InboundEvent[]): void {
  const system = record(message.system) ?? {};
  const type = text(system.type) ?? '';
  if (!type.endsWith('changed_number') && !type.includes('user_id')) return;
  const adds = party(text(system.new_wa_id) ?? text(system.wa_id), text(system.user_id), text(system.parent_user_id)).identities.filter(
    (identity) => !contact.identities.some((known) => known.kind === identity.kind && known.value === identity.value),
  );
  if (adds.length > 0) found.push({ kind: 'contact', contact, adds, payload: message });
}

function writer(message: Json, people: Json[]): Party {
  const phone = text(message.from);
  const userId = text(message.from_user_id);
  const person = personOf(people, phone, userId);
  return party(phone, userId, text(message.from_parent_user_id), person);
}

function contextOf(message: Json): { replyTo?: string; facts?: Json } {
  const context = record(message.context);
  const referral = record(message.referral);
  const group = text(message.group_id);
  if (!context && !referral && !group) return {};
  const replyTo = text(context?.id);
  const facts = compact({
    forwarded: context?.forwarded === true ? true : undefined,
    frequentlyForwarded: context?.frequently_forwarded === true ? true : undefined,
    referredProduct: record(context?.referred_product),
    referral,
    groupId: group,
  });
  return { ...(replyTo ? { replyTo } : {}), ...(facts ? { facts } : {}) };
}

const STATES: Record<string, ReceiptEvent['state']> = {
  sent: 'sent',
  delivered: 'delivered',
  read: 'read',
  played: 'read',
  failed: 'failed',
};

/**
 * A message that failed for the account's sake (an unpaid bill, a restriction) says something about the number too. And
 * Meta may tell the user id of somebody whose telephone number alone was known.
 */
function readStatus(status: Json, people: Json[], found: InboundEvent[]): void {
  const event = receipt(status);
  found.push(event);
  if (event.kind !== 'receipt') return;
  const code = number(records(status.errors)[0]?.code);
  if (event.error && code !== undefined && treatmentOf(code).scope === 'channel') {
    const { message, hint } = event.error;
    found.push({
      kind: 'account',
      status: event.error.class === 'unauthorized' ? 'failed' : 'warning',
      reason: hint ? `${message}. ${hint}` : message,
      ...(event.at ? { at: event.at } : {}),
      payload: status,
    });
  }
  const phone = text(status.recipient_id);
  const person = people.find((candidate) => phone && text(candidate.wa_id) === phone && text(candidate.user_id));
  if (!person) return;
  const [known, ...adds] = party(phone, undefined, undefined, person).identities;
  if (known) found.push({ kind: 'contact', contact: { identities: [known] }, adds, payload: person });
}

function receipt(status: Json): InboundEvent {
  const word = text(status.status) ?? '';
  const state = Object.hasOwn(STATES, word) ? STATES[word] : undefined;
  const providerId = text(status.id);
  const ours = text(status.biz_opaque_callback_data);
  if (!state || (!providerId && !ours)) return { kind: 'ignored', reason: `A status that changes nothing: ${word.slice(0, 50)}` };
  const error = state === 'failed' ? messageErrorOf(records(status.errors)[0] ?? {}) : undefined;
  const facts = compact({
    conversation: record(status.conversation),
    pricing: record(status.pricing),
    played: word === 'played' ? true : undefined,
    callbackData: ours && !isUuid(ours) ? ours : undefined,
  });
  return {
    kind: 'receipt',
    ...(providerId ? { providerId } : {}),
    ...(ours && isUuid(ours) ? { ourId: ours.toLowerCase() } : {}),
    state,
    at: timeOfSeconds(status.timestamp),
    ...(error ? { error } : {}),
    ...(facts ? { facts } : {}),
  };
}

/** An error that is about no message of ours: something went wrong with the number at Meta. */
function valueError(error: Json): InboundEvent {
  return { kind: 'account', details: { last_webhook_error: error }, reason: wordsOf(error), payload: error };
}
