/**
 * The gate that everything goes out through, whoever sends: it checks the channel, the capability, the window and the
 * opt-out, and writes the message together with its job in one transaction. The worker (outbox.ts) does the rest.
 */
import { type Connector, capabilitiesOf } from '../connectors/connector.ts';
import { carries } from '../model/capabilities.ts';
import { isConnected } from '../model/channel.ts';
import type { Content } from '../model/content.ts';
import type { Conversation } from '../model/conversation.ts';
import { notFound, PatchbayError } from '../model/errors.ts';
import { uuidv7 } from '../model/ids.ts';
import type { Message } from '../model/message.ts';
import { type ChannelRow, getChannel } from '../store/channels.ts';
import { hasOptedOut } from '../store/consent.ts';
import { contactByIdentity, identitiesOf } from '../store/contacts.ts';
import { conversationsOfContact, findConversation, getConversation } from '../store/conversations.ts';
import type { Client, Database } from '../store/database.ts';
import { appendEvents, insertMessages, touchConversations } from '../store/ingest-sql.ts';
import { getMessage, reviveFailed } from '../store/messages.ts';
import { enqueue } from '../store/outbox.ts';
import type { Channels } from './channels.ts';
import { resolveParties } from './parties.ts';
import { routeOf } from './routes.ts';

export interface SendRequest {
  workspaceId: string;
  /** To a conversation, or to an address on a channel: a conversation is opened there. */
  to:
    | { conversationId: string }
    | { channelId: string; identity: { kind: string; value: string } }
    | { channelId: string; contactId: string };
  content: Content;
  /** Shown as who wrote it. */
  sender: { id: string; name: string | null };
  /** Our id of the message that is answered. */
  replyTo?: string;
  tag?: string;
  sendAt?: Date;
  metadata?: Record<string, unknown>;
  /** The caller's own id of this message: the same one again gives the same message and sends nothing. */
  messageId?: string;
}

export interface SenderOptions {
  database: Database;
  channels: Channels;
  /** Called after the commit, so that the worker looks at once. */
  wake(): void;
}

export class Sender {
  readonly #database: Database;
  readonly #channels: Channels;
  readonly #wake: () => void;

  constructor(options: SenderOptions) {
    this.#database = options.database;
    this.#channels = options.channels;
    this.#wake = options.wake;
  }

  /**
   * Takes a message for sending and answers it as `pending` (or `scheduled`). Throws `PatchbayError`: `not-found`,
   * `channel-inactive`, `not-supported`, `window-closed` (with the expiry in `details`), `opted-out`, `invalid`.
   */
  async send(request: SendRequest): Promise<Message> {
    const message = await this.#database.transaction(async (client) => {
      if (request.messageId) {
        const earlier = await getMessage(client, request.workspaceId, request.messageId);
        if (earlier) return earlier;
      }
      const id = request.messageId ?? uuidv7();
      const { channel, conversation } = await this.#destination(client, request, id);
      await this.#check(client, channel, conversation, request);
      return this.#store(client, channel, conversation, request, id);
    });
    this.#wake();
    return message;
  }

  /** Puts a failed message in line again. Throws `not-found`, or `conflict` when it is not failed. */
  async resend(workspaceId: string, messageId: string): Promise<Message> {
    const revived = await this.#database.transaction(async (client) => {
      const message = await reviveFailed(client, workspaceId, messageId);
      if (!message) {
        if (await getMessage(client, workspaceId, messageId)) throw new PatchbayError('conflict', 'Message is not in a failed state');
        throw notFound('message');
      }
      await enqueue(client, { ...message, messageId, runAt: null, options: {} });
      await appendEvents(client, [{ ...message, type: 'message.updated', messageId, data: { state: 'pending' } }]);
      return message;
    });
    this.#wake();
    return revived;
  }

  async #destination(
    client: Client,
    request: SendRequest,
    messageId: string,
  ): Promise<{ channel: ChannelRow; conversation: Conversation }> {
    const { workspaceId, to, content } = request;
    if ('conversationId' in to) {
      const conversation = await getConversation(client, workspaceId, to.conversationId);
      if (!conversation) throw notFound('conversation');
      return { channel: await this.#channel(client, workspaceId, conversation.channelId), conversation };
    }
    const channel = await this.#channel(client, workspaceId, to.channelId);
    const capabilities = capabilitiesOf(this.#channels.connectorOf(channel.source), this.#channels.view(channel));
    const connector = this.#channels.connectorOf(channel.source);
    const known = 'contactId' in to ? await findConversation(client, workspaceId, { ...to, threadKey: '' }) : undefined;
    if (known) return { channel, conversation: known };
    const identity =
      'identity' in to
        ? addressed(connector, to.identity)
        : (await identitiesOf(client, workspaceId, [to.contactId])).find((own) => this.#fits(channel, own));
    if (!identity) throw new PatchbayError('not-supported', `the contact has no address on ${channel.name}`);
    if (capabilities.email && content.type !== 'email') {
      const last = await newestWith(client, workspaceId, channel.id, connector, identity);
      if (last) return { channel, conversation: last };
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
    return { channel, conversation: (await getConversation(client, workspaceId, conversationId))! };
  }

  #fits(channel: ChannelRow, identity: { kind: string; scope: string }): boolean {
    const { kind, scoped } = this.#channels.connectorOf(channel.source).identity;
    return identity.kind === kind && (!scoped || identity.scope === channel.sourceChannelId);
  }

  async #channel(client: Client, workspaceId: string, id: string): Promise<ChannelRow> {
    const channel = await getChannel(client, workspaceId, id);
    if (!channel || channel.status === 'deleted') throw notFound('channel');
    return channel;
  }

  async #check(client: Client, channel: ChannelRow, conversation: Conversation, request: SendRequest): Promise<void> {
    if (!isConnected(channel.status)) throw new PatchbayError('channel-inactive', `${channel.name} is not connected`);
    const connector = this.#channels.connectorOf(channel.source);
    if (!connector.send) throw new PatchbayError('not-supported', `${connector.title} does not send`);
    const view = this.#channels.view(channel);
    const capabilities = capabilitiesOf(connector, view);
    const { content } = request;
    if (!carries(capabilities, content.type)) {
      throw new PatchbayError('not-supported', `${connector.title} does not carry ${content.type} messages`, {
        problems: [{ field: 'body.type', message: `${content.type} is not carried by ${connector.title}` }],
      });
    }
    const problems = connector.check?.(content, view) ?? [];
    if (problems.length > 0) {
      throw new PatchbayError('invalid', problems[0]!, { problems: problems.map((message) => ({ field: 'body', message })) });
    }
    checkWindow(channel, conversation, content, request, capabilities.window);
    const addresses = await identitiesOf(client, request.workspaceId, [conversation.contactId]);
    if (await hasOptedOut(client, request.workspaceId, channel.id, addresses)) {
      throw new PatchbayError('opted-out', 'the contact asked not to be written to on this channel');
    }
  }

  async #store(client: Client, channel: ChannelRow, conversation: Conversation, request: SendRequest, id: string): Promise<Message> {
    const { workspaceId } = request;
    const sentAt = new Date();
    const answered = request.replyTo ? await getMessage(client, workspaceId, request.replyTo) : undefined;
    if (request.replyTo && answered?.conversationId !== conversation.id) throw notFound('message that is answered');
    const ids = { workspaceId, channelId: channel.id, conversationId: conversation.id, contactId: conversation.contactId };
    await insertMessages(client, [
      {
        ...ids,
        id,
        source: channel.source,
        direction: 'out',
        providerId: null,
        state: request.sendAt ? 'scheduled' : 'pending',
        content: request.content,
        payload: request.content.type === 'native' ? request.content.payload : null,
        senderId: request.sender.id,
        senderName: request.sender.name,
        replyTo: request.replyTo ?? null,
        metadata: { ...request.metadata, ...(request.sendAt ? { scheduledFor: request.sendAt.toISOString() } : {}) },
        sentAt,
      },
    ]);
    await touchConversations(client, [
      {
        workspaceId,
        id: conversation.id,
        unread: 0,
        lastMessageId: id,
        lastMessageAt: sentAt,
        lastInboundAt: null,
        windowExpiresAt: null,
        subject: null,
      },
    ]);
    await enqueue(client, {
      ...ids,
      messageId: id,
      runAt: request.sendAt ?? null,
      options: {
        ...(request.tag ? { tag: request.tag } : {}),
        ...(answered?.providerId ? { replyToProviderId: answered.providerId } : {}),
      },
    });
    await appendEvents(client, [{ ...ids, type: 'message.created', messageId: id, data: { direction: 'out' } }]);
    return (await getMessage(client, workspaceId, id))!;
  }
}

/** Free messages only inside the window; a template at any time; a person's tag inside the longer one. */
function checkWindow(
  channel: ChannelRow,
  conversation: Conversation,
  content: Content,
  request: SendRequest,
  rule: { hours: number; extended?: { tag: string; hours: number } } | null,
): void {
  if (!rule || content.type === 'template') return;
  const at = (request.sendAt ?? new Date()).getTime();
  if (conversation.windowExpiresAt && conversation.windowExpiresAt.getTime() > at) return;
  const extended = rule.extended;
  if (extended && request.tag === extended.tag && conversation.lastInboundAt) {
    if (conversation.lastInboundAt.getTime() + extended.hours * 3_600_000 > at) return;
  }
  const expiredAt = conversation.windowExpiresAt?.toISOString() ?? null;
  throw new PatchbayError(
    'window-closed',
    expiredAt
      ? `the service window of ${channel.name} closed at ${expiredAt}; send an approved template`
      : `the contact has not written to ${channel.name} yet; send an approved template`,
    { details: { serviceWindowExpireAt: expiredAt } },
  );
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
