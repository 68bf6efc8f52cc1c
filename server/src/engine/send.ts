/**
 * The gate that everything goes out through, whoever sends: it finds the conversation, checks the rules (examine.ts), and
 * writes the message together with its job. The worker (outbox.ts) does the rest.
 */
import { isConnected } from '../model/channel.ts';
import type { Content } from '../model/content.ts';
import { notFound, PatchbayError } from '../model/errors.ts';
import { uuidv7 } from '../model/ids.ts';
import type { Message } from '../model/message.ts';
import { getChannel } from '../store/channels.ts';
import type { Client, Database } from '../store/database.ts';
import { keepFallback } from '../store/fallbacks.ts';
import { appendEvents, insertMessages, type NewEvent, touchConversations } from '../store/ingest-sql.ts';
import { getMessage, getMessagesAcross, reviveFailed } from '../store/messages.ts';
import { enqueue, type OutboxOptions } from '../store/outbox.ts';
import { templatesOfAccount } from '../store/provider-templates.ts';
import type { Channels } from './channels.ts';
import { type Destination, loadDestinations, openDestination, type Recipient } from './destination.ts';
import { type Examination, type ExamineParts, examine } from './examine.ts';
import { MicroBatch } from './micro-batch.ts';

export interface SendRequest {
  workspaceId: string;
  /** To a conversation, or to an address on a channel: a conversation is opened there. */
  to: Recipient;
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
  /** What happens to content that the channel cannot carry: refused (unless told), or made simpler by documented rules. */
  degrade?: 'reject' | 'degrade';
  /** Seconds that the message has to be delivered before it goes the next way of `fallback`; without it only a failure moves it on. */
  timeoutSeconds?: number;
  /** Of no use to anybody afterwards: not sent any more then, and the provider is told where it can give up by itself. */
  validitySeconds?: number;
  /** Other ways, in order, under the same message id; what became of each stands in `metadata.attempts`. */
  fallback?: FallbackStep[];
  /** Tried once: a provider that is too busy, or refuses the channel, makes it fail at once. For whoever waits for the answer. */
  once?: boolean;
  /** Channels of test keys only: as if the contact had just written. */
  ignoreWindow?: boolean;
}

export interface FallbackStep {
  to: Exclude<Recipient, { conversationId: string }>;
  timeoutSeconds?: number;
}

/** A way that a message may still go, with what it needs to be examined there. */
export interface PendingStep extends FallbackStep {
  content: Content;
  degrade: 'reject' | 'degrade';
  validUntil?: string;
}

/** What a send would do, without doing it. */
export interface Preview extends Examination {
  channelId: string;
  /** null when a new conversation would be opened. */
  conversationId: string | null;
  /** The same for each of the other ways. */
  fallback: Preview[];
}

export interface SenderOptions {
  database: Database;
  channels: Channels;
  mediaUrl(workspaceId: string, id: string): string;
  syncTemplates(destination: Pick<Destination, 'channel'>): Promise<void>;
  /** Called after the commit, so that the worker looks at once. */
  wake(): void;
}

/** A message that passed the gate. */
interface Accepted {
  request: SendRequest;
  id: string;
  destination: Destination;
  content: Content;
  changes: string[];
}

/** Ends a transaction of which nothing shall stay. */
class DryRun extends Error {
  readonly preview: Preview;

  constructor(preview: Preview) {
    super('nothing is written by a dry run');
    this.preview = preview;
  }
}

const BATCH = 128;

export class Sender {
  readonly #options: SenderOptions;
  readonly #reads: MicroBatch<{ workspaceId: string; conversationId: string }, Destination | undefined>;
  readonly #writes: MicroBatch<Accepted, Message>;

  constructor(options: SenderOptions) {
    this.#options = options;
    this.#reads = new MicroBatch(BATCH, (wanted) => loadDestinations(options.database, wanted));
    this.#writes = new MicroBatch(BATCH, (accepted) => options.database.transaction((client) => this.#store(client, accepted)));
  }

  /**
   * Takes a message for sending and answers it as `pending` (or `scheduled`). Throws `PatchbayError`: `not-found`,
   * `channel-inactive`, `not-supported`, `window-closed` (with the expiry, and the templates that may be sent, in
   * `details`), `opted-out`, `invalid`.
   */
  async send(request: SendRequest): Promise<Message> {
    const { database, wake } = this.#options;
    const { workspaceId, to, messageId } = request;
    if (messageId) {
      const earlier = await getMessage(database, workspaceId, messageId);
      if (earlier) return earlier;
    }
    const id = messageId ?? uuidv7();
    await this.#fetchTemplates(request);
    const message =
      'conversationId' in to
        ? await this.#writes.add(await this.#accept(database, request, id, await this.#known(workspaceId, to.conversationId)))
        : await database.transaction(async (client) => {
            const destination = await openDestination(client, this.#options.channels, { ...request, to, messageId: id });
            const [stored] = await this.#store(client, [await this.#accept(client, request, id, destination)]);
            return stored!;
          });
    wake();
    return message;
  }

  /** What a send would do: the content as it would go out, what it costs, and everything that stands against it. Writes nothing. */
  async preview({ fallback: steps = [], ...request }: SendRequest): Promise<Preview> {
    const first = await this.#previewOne(request);
    const fallback: Preview[] = [];
    for (const { to } of steps) fallback.push(await this.#previewOne({ ...request, to }));
    return { ...first, fallback };
  }

  async #previewOne(request: SendRequest): Promise<Preview> {
    const { database, channels } = this.#options;
    const { to, workspaceId } = request;
    if ('conversationId' in to) {
      const destination = await this.#known(workspaceId, to.conversationId);
      const examination = await examine(this.#parts(database), destination, request);
      return { ...examination, channelId: destination.channel.id, conversationId: destination.conversation.id, fallback: [] };
    }
    await this.#fetchTemplates(request);
    try {
      return await database.transaction(async (client) => {
        const destination = await openDestination(client, channels, { ...request, to, messageId: uuidv7() });
        const examination = await examine(this.#parts(client), destination, request);
        const isNew = destination.conversation.lastMessageId === null;
        throw new DryRun({
          ...examination,
          channelId: destination.channel.id,
          conversationId: isNew ? null : destination.conversation.id,
          fallback: [],
        });
      });
    } catch (error) {
      if (error instanceof DryRun) return error.preview;
      throw error;
    }
  }

  /** Puts a failed message in line again. Throws `not-found`, or `conflict` when it is not failed. */
  async resend(workspaceId: string, messageId: string): Promise<Message> {
    const { database, wake } = this.#options;
    const revived = await database.transaction(async (client) => {
      const message = await reviveFailed(client, workspaceId, messageId);
      if (!message) {
        if (await getMessage(client, workspaceId, messageId)) throw new PatchbayError('conflict', 'Message is not in a failed state');
        throw notFound('message');
      }
      await enqueue(client, { ...message, messageId, runAt: null, options: {} });
      await appendEvents(client, [{ ...message, type: 'message.updated', messageId, data: { state: 'pending' } }]);
      return message;
    });
    wake();
    return revived;
  }

  /** Looks at a way that a message may go; the first problem is thrown by `send`. */
  examine(client: Client, destination: Destination, question: SendRequest | (PendingStep & { workspaceId: string })): Promise<Examination> {
    return examine(this.#parts(client), destination, question);
  }

  #parts(client: Client): ExamineParts {
    const { database, channels, mediaUrl, syncTemplates } = this.#options;
    return { client, channels, mediaUrl, ...(client === database ? { syncTemplates } : {}) };
  }

  /** A channel that is written to by address has its templates before the transaction begins. */
  async #fetchTemplates({ workspaceId, to, content }: SendRequest): Promise<void> {
    if (content.type !== 'template' || 'conversationId' in to) return;
    const { database, channels, syncTemplates } = this.#options;
    const channel = await getChannel(database, workspaceId, to.channelId);
    const operations = channel && channels.connectorOf(channel.source).templates;
    if (!operations || !isConnected(channel.status)) return;
    const account = operations.account(channels.view(channel));
    if ((await templatesOfAccount(database, workspaceId, channel.source, account)).length === 0) await syncTemplates({ channel });
  }

  async #known(workspaceId: string, conversationId: string): Promise<Destination> {
    const destination = await this.#reads.add({ workspaceId, conversationId });
    if (!destination) throw notFound('conversation');
    return destination;
  }

  async #accept(client: Client, request: SendRequest, id: string, destination: Destination): Promise<Accepted> {
    const { content, changes, problems } = await examine(this.#parts(client), destination, request);
    if (problems[0]) throw problems[0];
    return { request, id, destination, content, changes };
  }

  async #store(client: Client, accepted: Accepted[]): Promise<Message[]> {
    const keys = accepted.map(({ request, id }) => ({ workspaceId: request.workspaceId, id }));
    const answered = await this.#answered(client, accepted);
    const earlier = accepted.some(({ request }) => request.messageId) ? await getMessagesAcross(client, keys) : [];
    const known = new Set(earlier.map((message) => message.id));
    const fresh = [...new Map(accepted.filter(({ id }) => !known.has(id)).map((one) => [one.id, one])).values()];
    const now = new Date();
    await insertMessages(
      client,
      fresh.map((one) => rowOf(one, now)),
    );
    await touchConversations(client, touchesOf(fresh, now));
    await enqueue(client, ...fresh.map((one) => this.#jobOf(one, answered.get(one.id))));
    for (const one of fresh) await keepSteps(client, one);
    await appendEvents(client, fresh.map(createdEvent));
    const stored = new Map((await getMessagesAcross(client, keys)).map((message) => [message.id, message]));
    return accepted.map(({ id }) => stored.get(id)!);
  }

  /** The provider's ids of the messages that are answered. Throws `not-found` for one of another conversation. */
  async #answered(client: Client, accepted: Accepted[]): Promise<Map<string, string>> {
    const replies = accepted.filter(({ request }) => request.replyTo);
    const found = replies.length
      ? await getMessagesAcross(
          client,
          replies.map(({ request }) => ({ workspaceId: request.workspaceId, id: request.replyTo! })),
        )
      : [];
    const providerIds = new Map<string, string>();
    for (const { id, request, destination } of replies) {
      const answered = found.find((message) => message.id === request.replyTo && message.workspaceId === request.workspaceId);
      if (answered?.conversationId !== destination.conversation.id) throw notFound('message that is answered');
      if (answered.providerId) providerIds.set(id, answered.providerId);
    }
    return providerIds;
  }

  #jobOf({ request, id, destination }: Accepted, replyToProviderId: string | undefined) {
    const { channels } = this.#options;
    const { channel, conversation } = destination;
    const { sendAt, tag, once, workspaceId } = request;
    const connector = channels.connectorOf(channel.source);
    const theirs = sendAt !== undefined && (connector.schedules?.(sendAt, channels.view(channel)) ?? false);
    const options: OutboxOptions = {
      ...(tag ? { tag } : {}),
      ...(replyToProviderId ? { replyToProviderId } : {}),
      ...(theirs ? { sendAt: sendAt.toISOString() } : {}),
      ...(once ? { once } : {}),
      ...validityOf(request),
    };
    return {
      workspaceId,
      messageId: id,
      channelId: channel.id,
      conversationId: conversation.id,
      runAt: theirs ? null : (sendAt ?? null),
      options,
    };
  }
}

function idsOf({ request, destination }: Accepted) {
  const { conversation } = destination;
  return {
    workspaceId: request.workspaceId,
    channelId: conversation.channelId,
    conversationId: conversation.id,
    contactId: conversation.contactId,
  };
}

function rowOf(accepted: Accepted, sentAt: Date) {
  const { request, id, destination, content, changes } = accepted;
  return {
    ...idsOf(accepted),
    id,
    source: destination.channel.source,
    direction: 'out' as const,
    providerId: null,
    state: request.sendAt ? 'scheduled' : 'pending',
    content,
    payload: content.type === 'native' ? content.payload : null,
    senderId: request.sender.id,
    senderName: request.sender.name,
    replyTo: request.replyTo ?? null,
    metadata: {
      ...request.metadata,
      ...(request.sendAt ? { scheduledFor: request.sendAt.toISOString() } : {}),
      ...(changes.length > 0 ? { degraded: changes } : {}),
    },
    sentAt,
  };
}

/** One touch a conversation: the newest of its messages counts. */
function touchesOf(accepted: Accepted[], lastMessageAt: Date) {
  const nothing = { unread: 0, lastInboundAt: null, windowExpiresAt: null, subject: null };
  return [
    ...new Map(
      accepted.map(({ request, id, destination }) => [
        destination.conversation.id,
        { ...nothing, workspaceId: request.workspaceId, id: destination.conversation.id, lastMessageId: id, lastMessageAt },
      ]),
    ).values(),
  ];
}

function createdEvent(accepted: Accepted): NewEvent {
  return { ...idsOf(accepted), type: 'message.created', messageId: accepted.id, data: { direction: 'out' } };
}

async function keepSteps(client: Client, { request, id }: Accepted): Promise<void> {
  if (!request.fallback?.length) return;
  const steps: PendingStep[] = request.fallback.map((step) => ({
    ...step,
    content: request.content,
    degrade: request.degrade ?? 'reject',
    ...validityOf(request),
  }));
  const started = request.sendAt ?? new Date();
  const runAt = request.timeoutSeconds === undefined ? null : new Date(started.getTime() + request.timeoutSeconds * 1000);
  await keepFallback(client, { workspaceId: request.workspaceId, messageId: id, steps }, runAt);
}

function validityOf({ validitySeconds, sendAt }: SendRequest): { validUntil?: string } {
  if (validitySeconds === undefined) return {};
  return { validUntil: new Date((sendAt ?? new Date()).getTime() + validitySeconds * 1000).toISOString() };
}
