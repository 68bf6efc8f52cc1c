/**
 * What a number brings along when the phone's app shares it, and what customers decide in WhatsApp itself.
 * developers.facebook.com/docs/whatsapp/embedded-signup/onboarding-business-app-users, …/webhooks/reference/user_preferences
 */
import { createHash } from 'node:crypto';
import type { InboundEvent, ReceiptEvent } from '../../events.ts';
import { wordsOf } from '../errors.ts';
import { type Json, record, records, text, timeOfSeconds } from '../values.ts';
import { contentOf } from './content.ts';
import { e164, party } from './people.ts';

const STATES: Record<string, ReceiptEvent['state']> = { DELIVERED: 'delivered', READ: 'read', PLAYED: 'read', ERROR: 'failed' };

/** Messages from before the number was shared: kept without unread marks, in both directions. Files may follow later. */
export function history(value: Json): InboundEvent[] {
  const business = e164(text(record(value.metadata)?.display_phone_number));
  const found: InboundEvent[] = [];
  for (const chunk of records(value.history)) {
    for (const error of records(chunk.errors)) found.push({ kind: 'ignored', reason: `No history: ${wordsOf(error)}` });
    for (const thread of records(chunk.threads)) {
      for (const message of records(thread.messages)) found.push(...past(message, e164(text(thread.id)), business));
    }
  }
  for (const message of records(value.messages)) {
    const target = text(message.id);
    if (!target) continue;
    found.push(...past(message, undefined, business));
    const content = contentOf(message);
    if (content.type !== 'unsupported') {
      found.push({ kind: 'edit', target, content, completes: true, at: timeOfSeconds(message.timestamp), payload: message });
    }
  }
  return found.length > 0 ? found : [{ kind: 'ignored', reason: 'No history in it' }];
}

function past(message: Json, thread: string | undefined, business: string | undefined): InboundEvent[] {
  const id = text(message.id);
  const from = e164(text(message.from));
  const outbound = from !== undefined && (from === business || (thread !== undefined && from !== thread));
  const contact = party(outbound ? (thread ?? text(message.to)) : (text(message.from) ?? thread), text(message.from_user_id), undefined);
  if (!id || contact.identities.length === 0) return [{ kind: 'ignored', reason: 'An old message without a sender or an id' }];
  const state = STATES[text(record(message.history_context)?.status) ?? ''];
  const at = timeOfSeconds(message.timestamp);
  return [
    {
      kind: 'message',
      direction: outbound ? 'out' : 'in',
      providerId: id,
      contact,
      content: contentOf(message),
      payload: message,
      ...(at ? { sentAt: at } : {}),
      facts: { history: true },
      automatic: true,
    },
    ...(outbound && state ? [{ kind: 'receipt' as const, providerId: id, state, at }] : []),
  ];
}

/** Names from the phone's address book, for people who are contacts already. */
export function addressBook(value: Json): InboundEvent[] {
  const found = records(value.state_sync).flatMap((entry): InboundEvent[] => {
    const person = record(entry.contact);
    const contact = party(text(person?.phone_number), undefined, undefined);
    const name = text(person?.full_name) ?? text(person?.first_name);
    return text(entry.action) === 'remove' || !name || contact.identities.length === 0
      ? []
      : [{ kind: 'contact', contact: { ...contact, name }, payload: entry }];
  });
  return found.length > 0 ? found : [{ kind: 'ignored', reason: 'No names in it' }];
}

/**
 * A customer wants no marketing messages, or wants them again: a note in the conversation. Answers stay allowed, so this is
 * no opt-out; Meta refuses marketing templates by itself (131050).
 */
export function preferences(value: Json): InboundEvent[] {
  const found = records(value.user_preferences).map((preference): InboundEvent => {
    const contact = party(text(preference.wa_id), text(preference.user_id), text(preference.parent_user_id));
    if (contact.identities.length === 0) return { kind: 'ignored', reason: 'A preference of nobody' };
    const at = timeOfSeconds(preference.timestamp);
    const stops = text(preference.value) === 'stop';
    return {
      kind: 'message',
      direction: 'in',
      providerId: `preference:${createHash('sha256').update(JSON.stringify(preference)).digest('hex').slice(0, 40)}`,
      contact,
      content: {
        type: 'system',
        text: stops ? 'Wants no more marketing messages' : 'Wants marketing messages again',
        event: stops ? 'marketing_stopped' : 'marketing_resumed',
      },
      payload: preference,
      ...(at ? { sentAt: at } : {}),
      opensWindow: false,
      automatic: true,
    };
  });
  return found.length > 0 ? found : [{ kind: 'ignored', reason: 'No preferences in it' }];
}
