/** One transaction applies a batch of inbound events: contacts, conversations, messages, states, and the log of it all. */
import type { AnswerEvent, InboundEvent, MessageEvent } from '../connectors/events.ts';
import { mediaOf } from '../model/content.ts';
import { uuidv7 } from '../model/ids.ts';
import { type ArrivingMessage, findImpostors, storeArriving } from '../store/arriving-sql.ts';
import type { Client } from '../store/database.ts';
import * as sql from '../store/ingest-sql.ts';
import { insertWaitingMedia, type WaitingMedia } from '../store/media.ts';
import { keepEarly, notifyWakes, takeEarly } from '../store/receipts-sql.ts';
import { insertThreadRefs, replaceThreadData, type ThreadDataRow } from '../store/threads.ts';
import { applyChange, applyReceipts, type Located, type Target } from './apply-changes.ts';
import { arrivingRow } from './arriving.ts';
import { claimEchoes } from './echoes.ts';
import { type Found, resolveParties, type Wanted } from './parties.ts';
import type { Route } from './routes.ts';

/** One event, and the channel that it came to. */
export interface Inbound {
  route: Route;
  event: InboundEvent;
  receivedAt: Date;
  /** The kept raw event that it was read from. */
  rawEventId?: string;
}

interface Incoming {
  inbound: Inbound & { event: MessageEvent };
  found: Found & { conversationId: string };
  row: ArrivingMessage;
  media: WaitingMedia[];
}

/**
 * Applies the events and appends to the log. Repeating an event changes nothing; any order ends in the same state.
 * The caller commits.
 */
export async function applyInbound(client: Client, arrived: Inbound[]): Promise<void> {
  const log: sql.NewEvent[] = [];
  const batch = await claimEchoes(client, arrived, log);
  const withParty = batch.flatMap((inbound) => {
    const wanted = wantedOf(inbound);
    return wanted ? [{ inbound, wanted }] : [];
  });
  const resolution = await resolveParties(
    client,
    withParty.map((item) => item.wanted),
  );
  const foundOf = new Map(withParty.map((item, n) => [item.inbound, resolution.found[n] ?? null]));
  for (const contact of resolution.newContacts) log.push({ ...contact, type: 'contact.created', contactId: contact.id });
  for (const conversation of resolution.newConversations) {
    log.push({ ...conversation, type: 'conversation.created', conversationId: conversation.id });
  }

  await storeMessages(client, batch, foundOf, log);
  const located: Located[] = batch.map((inbound) => ({ ...inbound, contact: foundOf.get(inbound) ?? null }));
  const named = await applyReceipts(client, located, log);
  await replayEarly(client, named, batch, log);
  for (const item of located) await applyChange(client, item, log);
  await notifyWakes(
    client,
    batch.flatMap(({ route, event }) => (event.kind === 'wake' ? [{ channelId: route.channelId, reason: event.reason }] : [])),
  );
  await sql.appendEvents(client, log);
}

function wantedOf(inbound: Inbound): Wanted | undefined {
  const { route, event, receivedAt } = inbound;
  switch (event.kind) {
    case 'message':
      if (event.own) return undefined;
      return { route, party: event.contact, thread: event.thread, ref: event.providerId, create: true, at: event.sentAt ?? receivedAt };
    case 'receipt':
      return event.upTo && { route, party: event.upTo.contact, thread: undefined, create: false, at: receivedAt };
    case 'typing':
    case 'consent':
    case 'contact':
      return { route, party: event.contact, thread: undefined, create: false, at: receivedAt };
    default:
      return undefined;
  }
}

async function storeMessages(client: Client, batch: Inbound[], foundOf: Map<Inbound, Found | null>, log: sql.NewEvent[]): Promise<void> {
  const incoming = batch.flatMap((inbound) => {
    const found = foundOf.get(inbound);
    if (inbound.event.kind !== 'message' || !found?.conversationId) return [];
    return [incomingOf(inbound as Incoming['inbound'], found as Incoming['found'])];
  });
  if (incoming.length === 0) return;
  await pointAtAnswered(client, incoming);
  const { stored, early } = await storeAll(
    client,
    incoming.map((item) => item.row),
    log.splice(0),
  );
  const fresh = incoming.filter((item) => stored.has(item.row.id));
  await keepThreads(client, fresh);
  const media = fresh.flatMap((item) => item.media);
  if (media.length > 0) await insertWaitingMedia(client, media);
  if (!early) return;
  await replayEarly(
    client,
    fresh.flatMap(({ row }) =>
      row.providerId ? [{ workspaceId: row.workspaceId, channelId: row.channelId, providerId: row.providerId }] : [],
    ),
    batch,
    log,
  );
}

function incomingOf(inbound: Incoming['inbound'], found: Incoming['found']): Incoming {
  const { route, event } = inbound;
  const { contactId, conversationId, guessed } = found;
  const row: ArrivingMessage = { ...arrivingRow(inbound), contactId, conversationId };
  if (guessed) row.metadata.threadedBy = 'subject';
  const media: WaitingMedia[] = [];
  for (const ref of mediaOf(event.content)) {
    if (ref.id || (!ref.url && !ref.providerRef)) continue;
    const mediaId = uuidv7();
    media.push({ workspaceId: route.workspaceId, id: mediaId, channelId: route.channelId, messageId: row.id, ref: { ...ref } });
    ref.id = mediaId;
  }
  return { inbound, found, row, media };
}

/** Turns the provider's id of the message that is answered into ours; one that is not known yet finds its answers later. */
async function pointAtAnswered(client: Client, incoming: Incoming[]): Promise<void> {
  const answers = incoming.filter((item) => item.inbound.event.replyTo);
  for (const { row, inbound } of answers) {
    const result = await client.query(
      `select id from messages where workspace_id = $1 and channel_id = $2 and provider_id = $3
       union all select message_id from message_parts where workspace_id = $1 and channel_id = $2 and provider_id = $3 limit 1`,
      [row.workspaceId, row.channelId, inbound.event.replyTo],
    );
    row.replyTo = (result.rows[0] as { id: string } | undefined)?.id ?? null;
    row.metadata.replyToProviderId = inbound.event.replyTo;
    if (row.replyTo || !row.providerId) continue;
    const { workspaceId, channelId, providerId: answer } = row;
    const event: AnswerEvent = { kind: 'answer', target: inbound.event.replyTo!, answer };
    await keepEarly(client, [{ workspaceId, channelId, providerId: event.target, eventKey: `answer ${answer}`, event }]);
  }
}

/** The ids of those that were new. A message whose id another one has, which says something else, gets an id of its own. */
async function storeAll(client: Client, rows: ArrivingMessage[], events: sql.NewEvent[]): Promise<{ stored: Set<string>; early: boolean }> {
  const { stored, early } = await storeArriving(client, rows, events);
  const refused = rows.filter((row) => row.fingerprint !== undefined && !stored.has(row.id));
  const impostors = await findImpostors(client, refused);
  const renamed = refused.filter((row) => impostors.has(row.id));
  if (renamed.length === 0) return { stored, early };
  for (const row of renamed) row.providerId = `${row.providerId}#${row.fingerprint}`;
  const again = await storeArriving(client, renamed, []);
  return { stored: stored.union(again.stored), early: early || again.early };
}

/** What later messages of the same threads will be found by, and what answers to them are built from. */
async function keepThreads(client: Client, fresh: Incoming[]): Promise<void> {
  const threaded = fresh.filter((item) => item.inbound.event.thread !== undefined);
  await insertThreadRefs(
    client,
    threaded.flatMap(({ row, inbound }) => {
      const { candidates, key } = inbound.event.thread!;
      const { workspaceId, channelId, conversationId } = row;
      return candidates ? [...candidates, key].map((ref) => ({ workspaceId, channelId, conversationId, ref })) : [];
    }),
  );
  const newest = new Map<string, ThreadDataRow>();
  for (const { row, inbound } of threaded) {
    const { data } = inbound.event.thread!;
    if (!data) continue;
    const key = `${row.workspaceId}\n${row.conversationId}`;
    const known = newest.get(key);
    if (known && known.at > row.sentAt) continue;
    newest.set(key, { workspaceId: row.workspaceId, conversationId: row.conversationId, data, at: row.sentAt });
  }
  await replaceThreadData(client, [...newest.values()]);
}

/**
 * Applies what was kept for messages of one channel that are known by now: their own transaction looked before the one
 * that kept it had committed. The caller commits.
 */
export async function applyEarly(client: Client, route: Route, providerIds: string[]): Promise<void> {
  const log: sql.NewEvent[] = [];
  const { workspaceId, channelId } = route;
  const known = providerIds.map((providerId) => ({ workspaceId, channelId, providerId }));
  await replayEarly(client, known, [{ route }], log);
  await sql.appendEvents(client, log);
}

/** Receipts, reactions and edits that were kept because they came before their message was known are applied now. */
async function replayEarly(client: Client, known: Target[], batch: Pick<Inbound, 'route'>[], log: sql.NewEvent[]): Promise<void> {
  const kept = await takeEarly(client, known);
  if (kept.length === 0) return;
  const routes = new Map(batch.map(({ route }) => [`${route.workspaceId}\n${route.channelId}`, route]));
  const located = kept.flatMap((early): Located[] => {
    const route = routes.get(`${early.workspaceId}\n${early.channelId}`);
    return route ? [{ route, event: reviveDates(early.event), receivedAt: new Date(), contact: null }] : [];
  });
  await applyReceipts(client, located, log);
  for (const item of located) await applyChange(client, item, log);
}

function reviveDates(event: unknown): InboundEvent {
  const revived = event as InboundEvent & { at?: string | Date };
  if (typeof revived.at === 'string') revived.at = new Date(revived.at);
  return revived as InboundEvent;
}
