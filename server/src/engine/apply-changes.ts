/** What changes things that are already there: receipts, reactions, edits, typing, consent, profiles, templates, accounts. */
import { createHash } from 'node:crypto';
import type { InboundEvent, ReceiptEvent } from '../connectors/events.ts';
import { type Content, mediaOf } from '../model/content.ts';
import { uuidv7 } from '../model/ids.ts';
import { rankOf } from '../model/message.ts';
import { applyAccountChange } from '../store/account-changes.ts';
import { type Consent, setConsent } from '../store/consent.ts';
import { addIdentities, updateProfile } from '../store/contacts.ts';
import type { Client } from '../store/database.ts';
import type { NewEvent } from '../store/ingest-sql.ts';
import { canonicalJson } from '../store/json.ts';
import { insertWaitingMedia } from '../store/media.ts';
import * as sql from '../store/receipts-sql.ts';
import { applyTemplateChange } from '../store/template-changes.ts';
import { advanceToWatermarks, keepWatermark } from '../store/watermarks.ts';
import type { Inbound } from './apply.ts';
import type { Found } from './parties.ts';
import type { Route } from './routes.ts';
import { consentEvent } from './suppression.ts';

/** An event with the contact that it is about, where it names one that is known. */
export interface Located extends Inbound {
  contact: Found | null;
}

/** A message by the provider's id. */
export interface Target {
  workspaceId: string;
  channelId: string;
  providerId: string;
}

/**
 * Moves messages forward. What is not known yet is kept until it is. Answers the messages whose provider's id became
 * known here: what was kept for them can be applied now.
 */
export async function applyReceipts(client: Client, items: Located[], log: NewEvent[]): Promise<Target[]> {
  const told = items.flatMap(receiptChanges);
  const changes = strongest(told);
  const byId = changes.filter((change) => change.messageId);
  tellApart(byId);
  const outcomes = await sql.advanceById(client, byId);
  const settled = new Set(outcomes.map((outcome) => outcome.n));
  const byProviderId = changes.filter((change) => change.providerId && !settled.has(change.n));
  outcomes.push(...(await sql.advanceByProviderId(client, byProviderId)));
  const known = new Set(outcomes.map((outcome) => outcome.n));
  const unknown = new Set(changes.filter((change) => !known.has(change.n)).map(keyOf));

  await sql.removeFromOutbox(
    client,
    outcomes.flatMap((outcome) => {
      const change = changes[outcome.n]!;
      return change.messageId ? [{ workspaceId: change.workspaceId, messageId: outcome.messageId }] : [];
    }),
  );
  await sql.keepEarly(
    client,
    told.flatMap((change) => {
      if (!unknown.has(keyOf(change)) || !change.providerId) return [];
      const { workspaceId, channelId, providerId } = change;
      const event: ReceiptEvent = {
        kind: 'receipt',
        providerId,
        state: change.state as ReceiptEvent['state'],
        at: change.at,
        error: change.error as ReceiptEvent['error'],
        facts: change.facts,
      };
      return [{ workspaceId, channelId, providerId, eventKey: `receipt ${change.state}`, event }];
    }),
  );
  for (const outcome of outcomes) {
    const change = changes[outcome.n]!;
    if (outcome.advanced) log.push(stateEvent(change, outcome));
  }
  for (const item of items) await applyWatermark(client, item, log);
  await applyEarlierWatermarks(client, items, log);
  return byId.flatMap(({ n, workspaceId, channelId, providerId }) =>
    providerId && settled.has(n) ? [{ workspaceId, channelId, providerId }] : [],
  );
}

function receiptChanges(item: Located): sql.StateChange[] {
  const { event, route } = item;
  const base = { n: 0, workspaceId: route.workspaceId, channelId: route.channelId };
  if (event.kind === 'receipt' && !event.upTo) {
    return [
      {
        ...base,
        messageId: event.ourId ?? null,
        providerId: event.providerId ?? null,
        state: event.state,
        at: event.at ?? item.receivedAt,
        error: event.error ?? null,
        facts: event.facts ?? {},
      },
    ];
  }
  if (event.kind === 'message' && event.own) {
    return [
      {
        ...base,
        messageId: event.ourId ?? null,
        providerId: event.providerId,
        state: 'sent',
        at: event.sentAt ?? item.receivedAt,
        error: null,
        facts: {},
      },
    ];
  }
  return [];
}

/** One change a message: the one that brings it furthest. Several in one batch would race each other in one statement. */
function strongest(changes: sql.StateChange[]): sql.StateChange[] {
  const best = new Map<string, sql.StateChange>();
  for (const change of changes) {
    const key = keyOf(change);
    const other = best.get(key);
    if (!other) best.set(key, { ...change });
    else if (rankOf(change.state as ReceiptEvent['state']) > rankOf(other.state as ReceiptEvent['state'])) {
      best.set(key, { ...change, providerId: change.providerId ?? other.providerId, facts: { ...other.facts, ...change.facts } });
    } else {
      other.providerId ??= change.providerId;
      other.facts = { ...change.facts, ...other.facts };
    }
  }
  const list = [...best.values()];
  list.forEach((change, n) => {
    change.n = n;
  });
  return list;
}

/** One provider id for two messages of one batch: the second gets an ending, as it would a batch later. */
function tellApart(changes: sql.StateChange[]): void {
  const seen = new Map<string, string>();
  for (const change of changes) {
    if (!change.providerId || !change.messageId) continue;
    const key = [change.workspaceId, change.channelId, change.providerId].join('\n');
    const other = seen.get(key);
    if (other && other !== change.messageId) change.providerId = `${change.providerId}#${change.messageId}`;
    else seen.set(key, change.messageId);
  }
}

function keyOf(change: sql.StateChange): string {
  return [change.workspaceId, change.channelId, change.messageId ?? change.providerId].join('\n');
}

function stateEvent(change: sql.StateChange, outcome: sql.StateOutcome): NewEvent {
  return {
    workspaceId: change.workspaceId,
    type: 'message.updated',
    channelId: change.channelId,
    conversationId: outcome.conversationId,
    contactId: outcome.contactId,
    messageId: outcome.messageId,
    data: { state: change.state, ...(change.error ? { error: change.error } : {}) },
  };
}

async function applyWatermark(client: Client, item: Located, log: NewEvent[]): Promise<void> {
  const { event, route, contact } = item;
  if (event.kind !== 'receipt' || !event.upTo) return;
  const { workspaceId, channelId } = route;
  const { state, upTo } = event;
  const address = upTo.contact.identities[0]?.value;
  if (route.connector.watermarks && address) await keepWatermark(client, { workspaceId, channelId, address, state, at: upTo.at });
  if (!contact) return;
  const moved = await sql.advanceUpTo(client, { workspaceId, channelId, contactId: contact.contactId, state, at: upTo.at });
  for (const message of moved) log.push(movedEvent(route, message, state));
}

/** Messages of ours that become known only now, by their echo, may have been seen before. */
async function applyEarlierWatermarks(client: Client, items: Located[], log: NewEvent[]): Promise<void> {
  const echoes = items.flatMap(({ event, route }) => {
    if (event.kind !== 'message' || event.direction !== 'out' || !event.sentAt || !route.connector.watermarks) return [];
    return [{ workspaceId: route.workspaceId, channelId: route.channelId, providerId: event.providerId, at: event.sentAt }];
  });
  if (echoes.length === 0) return;
  const routes = new Map(items.map(({ route }) => [route.channelId, route]));
  for (const { channelId, state, ...message } of await advanceToWatermarks(client, echoes)) {
    log.push(movedEvent(routes.get(channelId)!, message, state));
  }
}

function movedEvent(route: Route, message: { messageId: string; conversationId: string; contactId: string }, state: string): NewEvent {
  const { workspaceId, channelId } = route;
  return { workspaceId, type: 'message.updated', channelId, ...message, data: { state } };
}

/** Everything that is rare enough to be applied one by one. Messages and receipts are done elsewhere, for the whole batch. */
export async function applyChange(client: Client, item: Located, log: NewEvent[]): Promise<void> {
  const { event, route, contact } = item;
  const base = { workspaceId: route.workspaceId, channelId: route.channelId };
  switch (event.kind) {
    case 'reaction':
    case 'edit':
    case 'revoke':
      return changeMessage(client, item, log);
    case 'answer': {
      const found = await sql.pointAnswer(client, { ...base, providerId: event.answer }, event.target);
      if (found) log.push({ ...base, type: 'message.updated', ...found, data: { replyTo: true } });
      return;
    }
    case 'typing':
      if (contact?.conversationId) {
        log.push({ ...base, type: 'typing', ...contact, data: { by: 'contact', on: event.on } });
      }
      return;
    case 'contact': {
      if (!contact) return;
      const added = event.adds?.length ? await addIdentities(client, route.workspaceId, contact.contactId, event.adds) : 0;
      const changed = await updateProfile(client, route.workspaceId, contact.contactId, event.contact);
      if (changed || added > 0) log.push({ ...base, type: 'contact.updated', contactId: contact.contactId });
      return;
    }
    case 'consent': {
      const address = event.contact.identities[0];
      if (!address) return;
      const { wants, keyword = null, at = item.receivedAt } = event;
      const consent: Consent = { ...base, kind: address.kind, value: address.value, wants, keyword, by: event.by ?? 'contact', at };
      if (await setConsent(client, consent)) log.push(consentEvent(consent, contact?.contactId ?? null));
      return;
    }
    case 'template': {
      const changed = await applyTemplateChange(client, route.workspaceId, route.source, event, event.at ?? item.receivedAt);
      if (changed) log.push({ ...base, type: 'template.updated', data: changed });
      return;
    }
    case 'account': {
      const order = `${(event.at ?? item.receivedAt).toISOString()} ${digestOf(event.payload)}`;
      const ids = await applyAccountChange(client, route, event, order);
      for (const channelId of ids) log.push({ workspaceId: route.workspaceId, type: 'channel.updated', channelId });
      return;
    }
    case 'message':
    case 'receipt':
    case 'wake':
    case 'ignored':
      return;
  }
}

async function changeMessage(client: Client, item: Located, log: NewEvent[]): Promise<void> {
  const { event, route } = item;
  if (event.kind !== 'reaction' && event.kind !== 'edit' && event.kind !== 'revoke') return;
  const target = { workspaceId: route.workspaceId, channelId: route.channelId, providerId: event.target };
  const at = (event.at ?? item.receivedAt).toISOString();
  const change = messageChange(event, at);
  const files = event.kind === 'edit' ? filesOf(change.content as Content) : [];
  const touched = await sql.changeByProviderId(client, target, change);
  if (!touched) {
    await sql.keepEarly(client, [{ ...target, eventKey: `${event.kind} ${digestOf(event)}`, event: { ...event, at } }]);
    return;
  }
  const { changed, ...message } = touched;
  if (!changed) return;
  if (files.length > 0) {
    const { workspaceId, channelId } = route;
    await insertWaitingMedia(
      client,
      files.map(({ id, ref }) => ({ workspaceId, id, channelId, messageId: message.messageId, ref })),
    );
  }
  log.push({
    workspaceId: route.workspaceId,
    type: 'message.updated',
    channelId: route.channelId,
    ...message,
    data: { [event.kind]: event.kind === 'reaction' ? { emoji: event.emoji, by: event.by } : true },
  });
}

function messageChange(event: Extract<InboundEvent, { kind: 'reaction' | 'edit' | 'revoke' }>, at: string): sql.MessageChange {
  switch (event.kind) {
    case 'reaction':
      return {
        kind: event.by === 'contact' ? 'reaction' : 'ownReaction',
        // Of several within one tick of the provider's clock, taking it away counts last.
        order: `${at} ${event.emoji ?? '\u{10ffff}'}`,
        fact: event.emoji === null ? null : { emoji: event.emoji, sent_at: String(Date.parse(at)) },
      };
    case 'edit':
      return {
        kind: event.completes ? 'completed' : 'edited',
        order: `${at} ${digestOf(event.content)}`,
        fact: { at },
        content: structuredClone(event.content),
      };
    case 'revoke':
      return { kind: 'revoked', order: at, fact: { at } };
  }
}

/** Gives the files of an edited message ids of ours, under which they are going to be fetched. */
function filesOf(content: Content): { id: string; ref: Record<string, unknown> }[] {
  return mediaOf(content).flatMap((media) => {
    if (media.id || (!media.url && !media.providerRef)) return [];
    const ref = { ...media };
    media.id = uuidv7();
    return [{ id: media.id, ref }];
  });
}

function digestOf(value: unknown): string {
  return createHash('sha1').update(canonicalJson(value)).digest('hex');
}
