/** Messages as this surface shows them; what they refer to is loaded once for all of them. */

import type { Engine } from '../../engine/engine.ts';
import type { Attempt } from '../../engine/fallback.ts';
import type { Contact, Identity } from '../../model/contact.ts';
import { mediaOf } from '../../model/content.ts';
import { sanitizeMailHtml } from '../../model/mail-html.ts';
import type { Message as Row } from '../../model/message.ts';
import { type ChannelRow, listChannels } from '../../store/channels.ts';
import { getContacts, identitiesOf } from '../../store/contacts.ts';
import { getManyMedia, type MediaRow } from '../../store/media.ts';
import type { MediaAddresses } from './bodies.ts';
import { bodyOf } from './bodies-show.ts';
import { connectorIdOf, identifierOf } from './channel-view.ts';
import { STATUSES } from './schemas/channel.ts';
import { iso } from './schemas/common.ts';
import type { MESSAGE_STATUSES, Message } from './schemas/message.ts';

type Status = (typeof MESSAGE_STATUSES)[number];

/** What messages and conversations refer to. */
export interface Surroundings {
  channels: Map<string, ChannelRow>;
  contacts: Map<string, Contact>;
  identities: Map<string, Identity[]>;
}

/** Loads the channels and contacts behind some rows, each once. */
export async function surroundingsOf(
  engine: Engine,
  workspaceId: string,
  rows: { channelId: string; contactId: string }[],
): Promise<Surroundings> {
  const channelIds = [...new Set(rows.map((row) => row.channelId))];
  const contactIds = [...new Set(rows.map((row) => row.contactId))];
  const [channels, contacts, identities] = await Promise.all([
    channelIds.length ? listChannels(engine.database, workspaceId, { ids: channelIds, statuses: [...STATUSES] }) : [],
    getContacts(engine.database, workspaceId, contactIds),
    identitiesOf(engine.database, workspaceId, contactIds),
  ]);
  return {
    channels: new Map(channels.map((row) => [row.id, row])),
    contacts: new Map(contacts.map((row) => [row.id, row])),
    identities: Map.groupBy(identities, (identity) => identity.contactId),
  };
}

/** The contact's address on a channel: the one of the channel's own kind, else the first there is. */
export function addressOn(engine: Engine, channel: ChannelRow | undefined, identities: Identity[] = []): Identity | undefined {
  const wanted = channel && engine.registry.connector(channel.source)?.identity;
  const own = identities.find(
    (identity) => identity.kind === wanted?.kind && (!wanted.scoped || identity.scope === channel?.sourceChannelId),
  );
  return own ?? identities[0];
}

/** Our addresses of stored files. */
export function mediaAddresses(engine: Engine, workspaceId: string): MediaAddresses {
  return {
    idOf: (url) => engine.media.idOf(workspaceId, url),
    urlOf: (id) => engine.media.signedUrl(workspaceId, id),
  };
}

export async function showMessages(engine: Engine, workspaceId: string, rows: Row[]): Promise<Message[]> {
  const mediaIds = rows.flatMap((row) => mediaOf(row.content).flatMap((ref) => (ref.id ? [ref.id] : [])));
  const [around, files] = await Promise.all([
    surroundingsOf(engine, workspaceId, rows),
    getManyMedia(engine.database, workspaceId, mediaIds),
  ]);
  const byId = new Map(files.map((file) => [file.id, file]));
  return rows.map((row) => showMessage(engine, row, around, byId));
}

export async function showMessageOf(engine: Engine, row: Row): Promise<Message> {
  return (await showMessages(engine, row.workspaceId, [row]))[0]!;
}

function showMessage(engine: Engine, row: Row, around: Surroundings, files: Map<string, MediaRow>): Message {
  const channel = around.channels.get(row.channelId);
  const contact = around.contacts.get(row.contactId);
  const address = addressOn(engine, channel, around.identities.get(row.contactId));
  const { reference, tags, meta, scheduledFor } = row.metadata;
  const content = withFiles(engine, row, files);
  const body = bodyOf(content, mediaAddresses(engine, row.workspaceId));
  const name = contact?.displayName ?? null;
  const party = {
    id: row.contactId,
    ...(address ? { identifierKey: address.kind, identifierValue: address.value } : {}),
    ...(name ? { annotations: { name } } : {}),
  };
  const connector = {
    id: connectorIdOf(row.channelId),
    identifierValue: channel ? identifierOf(channel) : '',
    ...(row.senderName ? { annotations: { name: row.senderName } } : {}),
  };
  const incoming = row.direction === 'in';
  const reaction = row.metadata.reaction as { emoji: string } | null | undefined;
  const ownReaction = row.metadata.ownReaction as { emoji: string } | null | undefined;
  return {
    id: row.id,
    channelId: row.channelId,
    conversationId: row.conversationId,
    direction: incoming ? 'incoming' : 'outgoing',
    sender: incoming ? { contact: party, displayName: name ?? address?.value ?? null } : { connector, displayName: row.senderName },
    receiver: incoming ? { connectors: [connector] } : { contacts: [party] },
    parts: row.providerId ? [{ platformReference: row.providerId }] : [],
    ...(typeof reference === 'string' ? { reference } : {}),
    ...(row.replyTo ? { replyTo: { id: row.replyTo, type: 'message' } } : {}),
    ...(body.type === 'template' ? { template: body.template } : { body }),
    status: statusOf(row),
    ...failureOf(row),
    ...(Array.isArray(tags) ? { tags: tags as string[] } : {}),
    ...(meta ? { meta: meta as Record<string, unknown> } : {}),
    ...(typeof scheduledFor === 'string' ? { scheduledFor } : {}),
    lastStatusAt: iso(row.stateAt),
    createdAt: iso(row.sentAt),
    updatedAt: iso(row.updatedAt),
    state: row.state,
    error: row.error && shownError(row.error),
    content: shownContent(content, row.metadata),
    reaction: reaction ? { emoji: reaction.emoji } : null,
    ownReaction: ownReaction ? { emoji: ownReaction.emoji } : null,
    ...(row.metadata.attempts ? { attempts: (row.metadata.attempts as Attempt[]).map(showAttempt) } : {}),
  };
}

function showAttempt({ providerId, ...attempt }: Attempt): NonNullable<Message['attempts']>[number] {
  return { ...attempt, ...(providerId ? { platformReference: providerId } : {}) };
}

/** What a mail's reader may want to know beside what it says: who vouches for its sender, and what was guessed about it. */
const MAIL_FACTS = ['auth', 'automatic', 'forwardedBy', 'calendar', 'problem', 'threadedBy', 'rejected'];

/** A mail's HTML is made safe before it leaves the house; `blockedImages` says how many pictures of others wait in `data-src`. */
function shownContent(content: Row['content'], metadata: Row['metadata']): Record<string, unknown> {
  if (content.type !== 'email') return { ...content };
  const known = MAIL_FACTS.filter((name) => metadata[name] !== undefined).map((name) => [name, metadata[name]]);
  const facts = known.length > 0 ? { facts: Object.fromEntries(known) } : {};
  if (content.html === undefined) return { ...content, ...facts };
  const inline = new Map(content.attachments?.flatMap((ref) => (ref.contentId && ref.url ? [[ref.contentId, ref.url] as const] : [])));
  return { ...content, ...facts, ...sanitizeMailHtml(content.html, { inline: (id) => inline.get(id) }) };
}

/** What was learnt about the files since, and their addresses. */
function withFiles(engine: Engine, row: Row, files: Map<string, MediaRow>): Row['content'] {
  const content = structuredClone(row.content);
  for (const ref of mediaOf(content)) {
    if (!ref.id) continue;
    const file = files.get(ref.id);
    if (file?.mimeType) ref.mimeType = file.mimeType;
    if (file?.size) ref.size = file.size;
    if (file?.filename) ref.filename = file.filename;
    if (file && file.state !== 'ready') ref.state = file.state;
    if (file?.error) ref.problem = file.error;
    ref.url = engine.media.signedUrl(row.workspaceId, ref.id);
    delete ref.providerRef;
  }
  return content;
}

/** Reading is an interaction here, never a status (B34). */
function statusOf(row: Row): Status {
  switch (row.state) {
    case 'scheduled':
    case 'sent':
    case 'delivered':
      return row.state;
    case 'read':
      return 'delivered';
    case 'pending':
      return 'accepted';
    case 'unknown':
      return 'processing';
    case 'failed':
      // With an id the provider had taken it, so what failed was the delivery.
      return row.providerId ? 'delivery_failed' : 'sending_failed';
  }
}

/** Our class of the failure as the number that Bird's clients branch on. */
const FAILURE_CODES: Record<string, number> = {
  retry: 12001,
  'rate-limited': 12001,
  'unknown-outcome': 12001,
  unauthorized: 11001,
  rejected: 11002,
  'window-closed': 15003,
  'recipient-unreachable': 15005,
  'opted-out': 14001,
};

function failureOf(row: Row): Pick<Message, 'reason' | 'details' | 'failure'> {
  const { error } = row;
  if (!error) return {};
  return {
    reason: error.providerMessage ?? error.message,
    ...(error.hint ? { details: error.hint } : {}),
    failure: {
      code: FAILURE_CODES[error.class] ?? 15000,
      description: error.message,
      source: { code: error.providerCode ?? '', name: row.source },
    },
  };
}

function shownError(error: NonNullable<Row['error']>): NonNullable<Message['error']> {
  const { raw: _raw, ...shown } = error;
  return shown;
}
