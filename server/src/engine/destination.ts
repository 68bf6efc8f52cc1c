/** Where a message goes: the conversation that is named, or the one with an address on a channel, opened where there is none. */
import { type Connector, capabilitiesOf } from '../connectors/connector.ts';
import type { Content } from '../model/content.ts';
import type { Conversation } from '../model/conversation.ts';
import { notFound, PatchbayError } from '../model/errors.ts';
import { type ChannelRow, getChannel, getChannelsAcross } from '../store/channels.ts';
import { optedOutAcross } from '../store/consent.ts';
import { contactByIdentity, identitiesOf } from '../store/contacts.ts';
import { conversationsOfContact, findConversation, getConversationsAcross } from '../store/conversations.ts';
import type { Client } from '../store/database.ts';
import { appendEvents } from '../store/ingest-sql.ts';
import type { Channels } from './channels.ts';
import { resolveParties } from './parties.ts';
import { routeOf } from './routes.ts';

/** A conversation; or an address, or a known contact, on a channel. */
export type Recipient =
  | { conversationId: string }
  | { channelId: string; identity: { kind: string; value: string } }
  | { channelId: string; contactId: string };

export interface Destination {
  channel: ChannelRow;
  conversation: Conversation;
  /** The contact asked this channel not to write. */
  optedOut: boolean;
}

/** Conversations with what the gate needs to know of them, for many messages at once; undefined for those that are not there. */
export async function loadDestinations(
  client: Client,
  wanted: { workspaceId: string; conversationId: string }[],
): Promise<(Destination | undefined)[]> {
  const conversations = await getConversationsAcross(
    client,
    wanted.map(({ workspaceId, conversationId }) => ({ workspaceId, id: conversationId })),
  );
  const [channels, optedOut] = await Promise.all([
    getChannelsAcross(client, [
      ...new Map(conversations.map((row) => [row.channelId, { workspaceId: row.workspaceId, id: row.channelId }])).values(),
    ]),
    optedOutAcross(client, conversations),
  ]);
  const conversationOf = new Map(conversations.map((row) => [`${row.workspaceId} ${row.id}`, row]));
  const channelOf = new Map(channels.map((row) => [row.id, row]));
  return wanted.map(({ workspaceId, conversationId }) => {
    const conversation = conversationOf.get(`${workspaceId} ${conversationId}`);
    const channel = conversation && channelOf.get(conversation.channelId);
    if (!channel || channel.status === 'deleted') return undefined;
    return { channel, conversation, optedOut: optedOut.has(`${conversation.channelId} ${conversation.contactId}`) };
  });
}

/**
 * The conversation with an address or a contact on a channel. Throws `not-found`, `invalid` for what is no address, and
 * `not-supported` where nobody can be written to first.
 */
export async function openDestination(
  client: Client,
  channels: Channels,
  request: { workspaceId: string; to: Exclude<Recipient, { conversationId: string }>; content: Content; messageId: string },
): Promise<Destination> {
  const { workspaceId, to } = request;
  const channel = await getChannel(client, workspaceId, to.channelId);
  if (!channel || channel.status === 'deleted') throw notFound('channel');
  const conversationId = await findOrOpen(client, channels, channel, request);
  const [destination] = await loadDestinations(client, [{ workspaceId, conversationId }]);
  if (!destination) throw notFound('conversation');
  return destination;
}

async function findOrOpen(
  client: Client,
  channels: Channels,
  channel: ChannelRow,
  request: { workspaceId: string; to: Exclude<Recipient, { conversationId: string }>; content: Content; messageId: string },
): Promise<string> {
  const { workspaceId, to, content, messageId } = request;
  const connector = channels.connectorOf(channel.source);
  const capabilities = capabilitiesOf(connector, channels.view(channel));
  const known = 'contactId' in to ? await findConversation(client, workspaceId, { ...to, threadKey: '' }) : undefined;
  if (known) return known.id;
  const identity =
    'identity' in to
      ? addressed(connector, to.identity)
      : (await identitiesOf(client, workspaceId, [to.contactId])).find((own) => fits(connector, channel, own));
  if (!identity) throw new PatchbayError('not-supported', `the contact has no address on ${channel.name}`);
  if (capabilities.email && content.type !== 'email') {
    const last = await newestWith(client, workspaceId, channel.id, connector, identity);
    if (last) return last.id;
  }
  const resolution = await resolveParties(client, [
    {
      route: routeOf(channel, connector),
      party: { identities: [identity] },
      // A mail that answers none begins a thread of its own.
      thread: capabilities.email ? { key: messageId, ...(content.type === 'email' ? { subject: content.subject } : {}) } : undefined,
      create: capabilities.startsConversations,
      at: new Date(),
    },
  ]);
  const conversationId = resolution.found[0]?.conversationId;
  if (!conversationId) {
    throw new PatchbayError('not-supported', `${connector.title} does not let a business write first`, {
      problems: [{ field: 'receiver', message: 'has never written on this channel' }],
    });
  }
  await appendEvents(client, [
    ...resolution.newContacts.map((contact) => ({ workspaceId, type: 'contact.created', contactId: contact.id })),
    ...resolution.newConversations.map((row) => ({ ...row, type: 'conversation.created', conversationId: row.id })),
  ]);
  return conversationId;
}

function fits(connector: Connector, channel: ChannelRow, identity: { kind: string; scope: string }): boolean {
  const { kind, scoped } = connector.identity;
  return identity.kind === kind && (!scoped || identity.scope === channel.sourceChannelId);
}

/** The address as the channel's contacts are known by it. Throws `invalid` on what is none. */
function addressed(connector: Connector, identity: { kind: string; value: string }): { kind: string; value: string } {
  return connector.address && identity.kind === connector.identity.kind ? connector.address(identity.value) : identity;
}

/** The newest conversation with whoever has the address: what carries no subject of its own continues it. */
async function newestWith(
  client: Client,
  workspaceId: string,
  channelId: string,
  connector: Connector,
  identity: { kind: string; value: string; scope?: string },
): Promise<Conversation | undefined> {
  const scope = identity.scope ?? '';
  const contactId = connector.identity.scoped ? undefined : await contactByIdentity(client, workspaceId, { ...identity, scope });
  if (!contactId) return undefined;
  return (await conversationsOfContact(client, workspaceId, contactId)).find((conversation) => conversation.channelId === channelId);
}
