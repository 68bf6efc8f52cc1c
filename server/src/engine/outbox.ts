/**
 * Hands messages to their providers: in order within each conversation, paced per channel, tried again by the class of
 * the error. A call whose outcome is unknown is never repeated blindly.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Connector, OutboundMessage } from '../connectors/connector.ts';
import type { ReceiptEvent } from '../connectors/events.ts';
import { ProviderError } from '../model/errors.ts';
import type { Message, MessageError } from '../model/message.ts';
import type { ChannelRow } from '../store/channels.ts';
import { getChannel } from '../store/channels.ts';
import { identitiesOf } from '../store/contacts.ts';
import { getConversation } from '../store/conversations.ts';
import type { Database } from '../store/database.ts';
import { appendEvents } from '../store/ingest-sql.ts';
import { getMessage } from '../store/messages.ts';
import { claimOutbox, nextDue, type OutboxJob, putBack, takeOut } from '../store/outbox.ts';
import { mergeThreadData } from '../store/threads.ts';
import type { Channels } from './channels.ts';
import type { Contexts } from './contexts.ts';
import type { Ingest } from './ingest.ts';
import { Pacer } from './pacer.ts';
import { routeOf } from './routes.ts';

const LEASE_SECONDS = 60;
const CONCURRENCY = 128;
/** Waits between tries, in seconds; after the last one the message has failed. */
const RETRY_SECONDS = [2, 10, 30, 120, 600, 1800, 3600, 7200];
/** While a channel's credentials do not work its messages wait, and are looked at again this often. */
const UNAUTHORIZED_SECONDS = 60;

export interface OutboxOptions {
  database: Database;
  channels: Channels;
  contexts: Contexts;
  ingest: Ingest;
  log: Logger;
}

export class Outbox {
  readonly #options: OutboxOptions;
  readonly #pacer = new Pacer();
  readonly #working = new Set<Promise<void>>();
  readonly #stopping = new AbortController();
  #wake: (() => void) | undefined;
  #awake = false;
  #loop: Promise<void> | undefined;
  #unlisten: (() => Promise<void>) | undefined;

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  start(): void {
    this.#unlisten = this.#options.database.listen('patchbay_outbox', () => this.wake());
    this.#loop = this.#run();
  }

  /** There may be something to do. */
  wake(): void {
    this.#awake = true;
    this.#wake?.();
  }

  /** Takes no more and waits for the calls that are under way. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    this.wake();
    await this.#unlisten?.();
    await this.#loop;
    await Promise.all(this.#working);
  }

  async #run(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      this.#awake = false;
      try {
        const took = await this.#claim();
        if (took > 0) continue;
        await this.#rest(await nextDue(this.#options.database));
      } catch (error) {
        this.#options.log.warn({ err: error }, 'the outbox could not be read; trying again');
        await this.#rest(new Date(Date.now() + 1000));
      }
    }
  }

  async #claim(): Promise<number> {
    const room = CONCURRENCY - this.#working.size;
    if (room <= 0) {
      await Promise.race(this.#working);
      return 1;
    }
    const jobs = await claimOutbox(this.#options.database, room, LEASE_SECONDS, []);
    for (const job of jobs) {
      const work = this.#deliver(job)
        .catch((error) =>
          this.#options.log.error({ err: error, message: job.messageId }, 'a message could not be worked on; it stays in line'),
        )
        .finally(() => {
          this.#working.delete(work);
          this.wake();
        });
      this.#working.add(work);
    }
    return jobs.length;
  }

  async #rest(until: Date | null): Promise<void> {
    if (this.#awake) return;
    const ms = Math.max(5, Math.min(15_000, (until?.getTime() ?? Infinity) - Date.now()));
    await new Promise<void>((resolve) => {
      const timer = setTimeout(done, ms);
      this.#wake = done;
      function done() {
        clearTimeout(timer);
        resolve();
      }
    });
    this.#wake = undefined;
  }

  async #deliver(job: OutboxJob): Promise<void> {
    const { database, channels, contexts } = this.#options;
    const message = await getMessage(database, job.workspaceId, job.messageId);
    const channel = message && (await getChannel(database, job.workspaceId, job.channelId));
    if (!message || !channel || (message.state !== 'pending' && message.state !== 'scheduled')) {
      await takeOut(database, job.workspaceId, job.messageId);
      return;
    }
    const connector = channels.connectorOf(channel.source);
    if (job.interrupted && !connector.idempotentSend) {
      await this.#settleUnknown(message, channel, connector, job, 'Patchbay ended while the provider was being called');
      return;
    }
    const view = channels.view(channel);
    const outbound = await this.#outbound(message, job);
    const pacing = typeof connector.pacing === 'function' ? connector.pacing(view) : connector.pacing;
    const recipient = outbound.to[0]?.value ?? '';
    const waitMs = this.#pacer.take(channel.id, recipient, pacing);
    if (waitMs > LEASE_SECONDS * 500) {
      await putBack(database, job.workspaceId, job.messageId, new Date(Date.now() + waitMs));
      return;
    }
    if (waitMs > 0) await sleep(waitMs);
    try {
      const receipt = await connector.send!(outbound, view, contexts.for({ ...channel, channelId: channel.id }));
      // Before the lane goes on: the next message refers to this one.
      if (receipt.threadData) await mergeThreadData(database, message.workspaceId, message.conversationId, receipt.threadData);
      await this.#settle(channel, connector, {
        kind: 'receipt',
        ourId: message.id,
        providerId: receipt.providerId,
        state: receipt.state ?? 'sent',
        ...(receipt.details ? { facts: receipt.details } : {}),
      });
      if (receipt.payload !== undefined) await this.#keepPayload(message, receipt.payload);
      if (channel.lastError) await channels.change(channel.workspaceId, channel.id, { lastError: null });
    } catch (error) {
      await this.#refused(message, channel, connector, job, error instanceof ProviderError ? error : unexpected(error));
    }
  }

  async #outbound(message: Message, job: OutboxJob): Promise<OutboundMessage> {
    const { database } = this.#options;
    const conversation = (await getConversation(database, message.workspaceId, message.conversationId))!;
    const identities = await identitiesOf(database, message.workspaceId, [message.contactId]);
    return {
      id: message.id,
      to: identities.map(({ kind, value }) => ({ kind, value })),
      content: message.content,
      ...(job.options.replyToProviderId ? { replyToProviderId: job.options.replyToProviderId } : {}),
      ...(job.options.tag ? { tag: job.options.tag } : {}),
      thread: {
        key: conversation.threadKey,
        data: conversation.threadData,
        ...(conversation.subject ? { subject: conversation.subject } : {}),
      },
    };
  }

  async #refused(message: Message, channel: ChannelRow, connector: Connector, job: OutboxJob, error: ProviderError): Promise<void> {
    const { database, channels, log } = this.#options;
    log.warn({ message: message.id, channel: channel.id, class: error.class, code: error.code, attempts: job.attempts }, error.message);
    switch (error.class) {
      case 'unknown-outcome':
        if (!connector.idempotentSend) return this.#settleUnknown(message, channel, connector, job, error.message);
        return this.#later(message, channel, connector, job, error);
      case 'retry':
      case 'rate-limited':
        return this.#later(message, channel, connector, job, error);
      case 'unauthorized':
        await channels.change(channel.workspaceId, channel.id, {
          status: 'failed',
          statusReason: error.hint ? `${error.message} ${error.hint}` : error.message,
          lastError: { class: error.class, message: error.message, at: new Date().toISOString() },
        });
        await putBack(database, job.workspaceId, job.messageId, new Date(Date.now() + UNAUTHORIZED_SECONDS * 1000));
        return;
      default:
        await this.#settle(channel, connector, { kind: 'receipt', ourId: message.id, state: 'failed', error: explain(error) });
    }
  }

  async #later(message: Message, channel: ChannelRow, connector: Connector, job: OutboxJob, error: ProviderError): Promise<void> {
    const waitMs = (RETRY_SECONDS[job.attempts - 1] ?? 0) * 1000;
    if (waitMs === 0) {
      await this.#settle(channel, connector, { kind: 'receipt', ourId: message.id, state: 'failed', error: explain(error) });
      return;
    }
    const jittered = Math.max(error.retryAfterMs ?? 0, waitMs * (0.8 + Math.random() * 0.4));
    if (error.class === 'rate-limited' && error.scope !== 'recipient') this.#pacer.pause(channel.id, jittered);
    await putBack(this.#options.database, job.workspaceId, job.messageId, new Date(Date.now() + jittered));
  }

  /** Asks the provider where it can be asked; otherwise the message stays `unknown` until a receipt settles it. */
  async #settleUnknown(message: Message, channel: ChannelRow, connector: Connector, job: OutboxJob, why: string): Promise<void> {
    const { channels, contexts, database, log } = this.#options;
    if (connector.settle) {
      try {
        const context = contexts.for({ ...channel, channelId: channel.id });
        const settlement = await connector.settle(await this.#outbound(message, job), channels.view(channel), context);
        if (settlement.outcome === 'never-received') {
          await putBack(database, job.workspaceId, job.messageId, new Date());
          return;
        }
        if (settlement.outcome === 'accepted') {
          const { providerId, state } = settlement;
          await this.#settle(channel, connector, { kind: 'receipt', ourId: message.id, providerId, state });
          return;
        }
        if (settlement.outcome === 'failed') {
          const error: MessageError = {
            class: 'rejected',
            message: settlement.message,
            ...(settlement.code ? { providerCode: settlement.code } : {}),
          };
          await this.#settle(channel, connector, { kind: 'receipt', ourId: message.id, state: 'failed', error });
          return;
        }
      } catch (error) {
        if (!(error instanceof ProviderError)) throw error;
        log.warn({ message: message.id, class: error.class }, 'the provider could not be asked what became of a message');
      }
    }
    await database.transaction(async (client) => {
      await client.query(
        `update messages set state = 'unknown', state_at = now(), updated_at = now(), metadata = metadata || $3::jsonb
         where workspace_id = $1 and id = $2 and state in ('pending', 'scheduled')`,
        [message.workspaceId, message.id, JSON.stringify({ unknownBecause: why })],
      );
      await takeOut(client, message.workspaceId, message.id);
      await appendEvents(client, [{ ...message, type: 'message.updated', messageId: message.id, data: { state: 'unknown' } }]);
    });
  }

  async #settle(channel: ChannelRow, connector: Connector, event: ReceiptEvent): Promise<void> {
    await this.#options.ingest.settle(routeOf(channel, connector), [event]);
  }

  async #keepPayload(message: Message, payload: unknown): Promise<void> {
    await this.#options.database.query('update messages set payload = $3 where workspace_id = $1 and id = $2 and payload is null', [
      message.workspaceId,
      message.id,
      JSON.stringify(payload),
    ]);
  }
}

function explain(error: ProviderError): MessageError {
  return {
    class: error.class,
    message: error.message,
    ...(error.hint ? { hint: error.hint } : {}),
    ...(error.code ? { providerCode: error.code } : {}),
    providerMessage: error.message,
    ...(error.raw === undefined ? {} : { raw: error.raw }),
  };
}

/** A fault of ours: trying again would fail again, and hiding it would lose the message silently. */
function unexpected(error: unknown): ProviderError {
  const message = error instanceof Error ? error.message : String(error);
  return new ProviderError('rejected', `could not be sent: ${message}`, { cause: error });
}
