/** Hands one message to its provider, and does what the class of the provider's answer asks for. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Connector, Pacing, SendReceipt } from '../connectors/connector.ts';
import type { ReceiptEvent } from '../connectors/events.ts';
import { isConnected } from '../model/channel.ts';
import { ProviderError } from '../model/errors.ts';
import type { MessageError } from '../model/message.ts';
import { type ChannelRow, pauseChannel } from '../store/channels.ts';
import type { Consent } from '../store/consent.ts';
import type { Database } from '../store/database.ts';
import { appendEvents } from '../store/ingest-sql.ts';
import { goOn, keepPart, knownProviderIds, type MessagePart } from '../store/message-parts.ts';
import { type OutboxJob, putBack, takeOut } from '../store/outbox.ts';
import { park } from '../store/unsettled.ts';
import type { Channels } from './channels.ts';
import type { Contexts } from './contexts.ts';
import type { Metrics } from './metrics.ts';
import { callsOf, type Outgoing } from './outgoing.ts';
import type { Pacer } from './pacer.ts';
import { routeOf } from './routes.ts';
import type { Sandboxes } from './sandboxes.ts';
import type { Outcome, Settling } from './settling.ts';
import { recordConsent } from './suppression.ts';

/** Waits between tries, in seconds; after the last one the message has failed. */
const RETRY_SECONDS = [2, 10, 30, 120, 600, 1800, 3600, 7200];
/** A channel that its provider did not let in is tried again this often; a health check or a repair comes sooner. */
const UNAUTHORIZED_MS = 60_000;
/** A sender that its provider turned away (spam limits, a number that may not send) rests this long. */
const REFUSED_SENDER_MS = 5 * 60_000;
/** When the provider is asked first what became of an unanswered call. */
export const FIRST_QUESTION_MS = 30_000;
/** A place that is further away than this is waited for in line, not in memory. */
const LONGEST_WAIT_MS = 2_000;

export interface DeliveryOptions {
  database: Database;
  channels: Channels;
  contexts: Contexts;
  sandboxes: Pick<Sandboxes, 'onlyPretends'>;
  settling: Settling;
  pacer: Pacer;
  metrics: Metrics;
  log: Logger;
}

export class Delivery {
  readonly #options: DeliveryOptions;

  constructor(options: DeliveryOptions) {
    this.#options = options;
  }

  /** Resolves when the job is dealt with; `answered` is false when the provider gave no answer in time. */
  async deliver(job: OutboxJob, outgoing: Outgoing | undefined): Promise<{ answered: boolean }> {
    const { database, channels, contexts, sandboxes, pacer, metrics } = this.#options;
    if (!outgoing || (outgoing.message.state !== 'pending' && outgoing.message.state !== 'scheduled')) {
      await takeOut(database, job.workspaceId, job.messageId);
      return { answered: true };
    }
    const { channel } = outgoing;
    const connector = channels.connectorOf(channel.source);
    if (job.interruptedAt && !connector.idempotentSend) {
      await this.settleUnknown(outgoing, connector, job, job.interruptedAt, 'Patchbay ended while the provider was being called');
      return { answered: true };
    }
    if (!isConnected(channel.status)) {
      await this.fail(outgoing, connector, { class: 'channel-inactive', message: `${channel.name} was disconnected before this was sent` });
      return { answered: true };
    }
    if (outgoing.optedOut) {
      await this.fail(outgoing, connector, { class: 'opted-out', message: 'the contact asked not to be written to before this was sent' });
      return { answered: true };
    }
    const { validUntil } = job.options;
    if (validUntil && new Date(validUntil) <= new Date()) {
      await this.fail(outgoing, connector, { class: 'expired', message: `was not sent by ${validUntil}, until when it was of use` });
      return { answered: true };
    }
    const view = channels.view(channel);
    const calls = await callsOf(database, connector, outgoing, job.options);
    const payloads = calls.done.map(({ payload }) => payload);
    for (const [n, outbound] of calls.left.entries()) {
      const place = pacer.take(channel.id, outbound.to[0]?.value ?? '', pacingOf(connector, view));
      const wait = 'later' in place ? place.later : place.wait;
      if ('later' in place || wait > LONGEST_WAIT_MS) {
        await putBack(database, job, new Date(Date.now() + wait), { uncounted: true });
        return { answered: true };
      }
      if (wait > 0) await sleep(wait);
      const calledAt = new Date();
      const startedAt = performance.now();
      let receipt: SendReceipt;
      try {
        receipt = sandboxes.onlyPretends(channel)
          ? { providerId: outbound.id }
          : await connector.send!(outbound, view, contexts.for({ ...channel, channelId: channel.id }));
      } catch (error) {
        const refusal = error instanceof ProviderError ? error : unexpected(error);
        metrics.sent(channel.source, refusal.class, startedAt);
        return this.#refused(outgoing, connector, job, calledAt, refusal, calls.done.length + n);
      }
      metrics.sent(channel.source, 'accepted', startedAt);
      payloads.push(receipt.payload);
      if (outbound.part === undefined) {
        const payload = payloads.length > 1 ? connector.parts!.join(payloads) : receipt.payload;
        await this.#accepted(outgoing, connector, { ...receipt, payload });
      } else await keepPart(database, partOf(outgoing, outbound.part, receipt.providerId, receipt.payload));
    }
    return { answered: true };
  }

  async #accepted(outgoing: Outgoing, connector: Connector, receipt: SendReceipt): Promise<void> {
    const { message, channel, conversation } = outgoing;
    const { providerId, payload, threadData } = receipt;
    await this.#settle(outgoing, connector, {
      event: {
        kind: 'receipt',
        ourId: message.id,
        providerId,
        state: receipt.state ?? 'sent',
        ...(receipt.details ? { facts: receipt.details } : {}),
      },
      ...(payload === undefined ? {} : { payload }),
      ...(threadData ? { thread: { conversationId: conversation.id, data: threadData } } : {}),
    });
    if (!channel.lastError) return;
    const oursToTakeBack = channel.statusReason === channel.lastError.message;
    await this.#options.channels.report(channel.workspaceId, channel.id, {
      lastError: null,
      // What it said before the trouble (a warning, perhaps) only the provider knows.
      ...(oursToTakeBack ? { status: 'active' as const, statusReason: null, askHealth: true as const } : {}),
    });
  }

  async #refused(
    outgoing: Outgoing,
    connector: Connector,
    job: OutboxJob,
    calledAt: Date,
    refusal: ProviderError,
    partsSent: number,
  ): Promise<{ answered: boolean }> {
    const { database, log } = this.#options;
    const { message, channel } = outgoing;
    const error = partsSent > 0 ? sentInPart(refusal) : refusal;
    const { class: errorClass, code } = error;
    log.warn({ message: message.id, channel: channel.id, class: errorClass, code, attempts: job.attempts }, error.message);
    switch (errorClass) {
      case 'unknown-outcome':
        if (connector.idempotentSend) await this.#later(outgoing, connector, job, error);
        else await this.settleUnknown(outgoing, connector, job, calledAt, error.message, partsSent);
        return { answered: false };
      case 'retry':
        await this.#later(outgoing, connector, job, error);
        return { answered: false };
      case 'rate-limited':
        await this.#later(outgoing, connector, job, error);
        return { answered: true };
      case 'unauthorized':
        await this.#troubled(channel, refusal, 'failed', UNAUTHORIZED_MS);
        if (job.options.once) await this.fail(outgoing, connector, explain(error));
        else await putBack(database, job, new Date(), { uncounted: true });
        return { answered: true };
      default:
        if (errorClass === 'opted-out' && error.scope === 'recipient') await this.#suppress(outgoing, connector, calledAt);
        if (error.scope === 'channel') await this.#troubled(channel, refusal, 'warning', error.retryAfterMs ?? REFUSED_SENDER_MS);
        await this.fail(outgoing, connector, explain(error));
        return { answered: true };
    }
  }

  /** The provider knows of an opt-out that we never heard of: from now on we refuse by ourselves. */
  async #suppress({ message, channel, to }: Outgoing, connector: Connector, at: Date): Promise<void> {
    const address = to.find(({ kind }) => kind === connector.identity.kind);
    if (!address) return;
    const { workspaceId, id: channelId } = channel;
    const { kind, value } = address;
    const consent: Consent = { workspaceId, channelId, kind, value, wants: false, keyword: null, by: 'provider', at };
    await this.#options.database.transaction((client) => recordConsent(client, consent, message.contactId));
  }

  /** The channel needs somebody's attention; what waits on it goes on by itself once it is repaired. */
  async #troubled(channel: ChannelRow, error: ProviderError, status: 'failed' | 'warning', pauseMs: number): Promise<void> {
    const { channels, database } = this.#options;
    const message = error.hint ? `${error.message} ${error.hint}` : error.message;
    await pauseChannel(database, channel.workspaceId, channel.id, new Date(Date.now() + pauseMs));
    if (channel.status === status && channel.statusReason === message) return;
    await channels.report(channel.workspaceId, channel.id, {
      status,
      statusReason: message,
      lastError: { class: error.class, message, at: new Date().toISOString() },
    });
  }

  async #later(outgoing: Outgoing, connector: Connector, job: OutboxJob, error: ProviderError): Promise<void> {
    const waitMs = (RETRY_SECONDS[job.attempts - 1] ?? 0) * 1000;
    if (waitMs === 0 || job.options.once) return this.fail(outgoing, connector, explain(error));
    const { channel } = outgoing;
    if (error.class === 'rate-limited' && error.scope === 'recipient') {
      // A provider's limit for one recipient eases slowly; Meta asks for 4^x seconds.
      const pairMs = Math.max(error.retryAfterMs ?? 0, Math.min(4 ** job.attempts, 3600) * 1000);
      await putBack(this.#options.database, job, new Date(Date.now() + pairMs));
      return;
    }
    const jittered = Math.max(error.retryAfterMs ?? 0, waitMs * (0.8 + Math.random() * 0.4));
    if (error.class === 'rate-limited') this.#options.pacer.pause(channel.id, error.retryAfterMs ?? Math.min(jittered, 30_000));
    await putBack(this.#options.database, job, new Date(Date.now() + jittered));
  }

  /** Asks the provider where it can be asked; else the message stays `unknown` until a receipt, or asking again, settles it. */
  async settleUnknown(
    outgoing: Outgoing,
    connector: Connector,
    job: OutboxJob,
    calledAt: Date,
    reason: string,
    partsSent?: number,
  ): Promise<void> {
    const { database } = this.#options;
    const { message } = outgoing;
    const { workspaceId, id: messageId } = message;
    const before = partsSent ?? (await callsOf(database, connector, outgoing, job.options)).done.length;
    const answer = await this.ask(outgoing, connector, job.options, calledAt);
    if (answer === 'goes-on') await putBack(database, job, new Date());
    if (answer) return;
    await database.transaction(async (client) => {
      const entry = { workspaceId, messageId, calledAt, reason, options: job.options };
      if (!(await park(client, entry, new Date(Date.now() + FIRST_QUESTION_MS)))) return;
      // The part's echo came before its answer got lost, or meanwhile: what follows may be sent.
      const { done } = await callsOf(client, connector, outgoing, job.options);
      if (done.length > before && (await goOn(client, { workspaceId, messageId }))) return;
      await appendEvents(client, [{ ...message, type: 'message.updated', messageId: message.id, data: { state: 'unknown' } }]);
    });
  }

  /**
   * What became of a call that got no answer: settles the message and gives `settled`; `goes-on` when it never arrived, or
   * was of a part that others follow, and the message may be worked on again; undefined while nobody knows.
   */
  async ask(
    outgoing: Outgoing,
    connector: Connector,
    options: OutboxJob['options'],
    calledAt: Date,
  ): Promise<'settled' | 'goes-on' | undefined> {
    const { channels, contexts, database, log } = this.#options;
    const { message, channel } = outgoing;
    if (!connector.settle) return undefined;
    try {
      const context = contexts.for({ ...channel, channelId: channel.id });
      const { left } = await callsOf(database, connector, outgoing, options, calledAt);
      const asked = left[0]!;
      const settlement = await connector.settle(asked, channels.view(channel), context, (ids) => knownProviderIds(database, message, ids));
      switch (settlement.outcome) {
        case 'never-received':
          return 'goes-on';
        case 'accepted': {
          const { providerId, state } = settlement;
          if (asked.part !== undefined) {
            await keepPart(database, partOf(outgoing, asked.part, providerId, null));
            return 'goes-on';
          }
          await this.#settle(outgoing, connector, { event: { kind: 'receipt', ourId: message.id, providerId, state } });
          return 'settled';
        }
        case 'failed':
          await this.fail(outgoing, connector, {
            class: 'rejected',
            message: settlement.message,
            ...(settlement.code ? { providerCode: settlement.code } : {}),
          });
          return 'settled';
        default:
          return undefined;
      }
    } catch (error) {
      if (!(error instanceof ProviderError)) throw error;
      log.warn({ message: message.id, class: error.class }, 'the provider could not be asked what became of a message');
      return undefined;
    }
  }

  /** The message is not going to be sent, and why. */
  fail(outgoing: Outgoing, connector: Connector, error: MessageError): Promise<void> {
    return this.#settle(outgoing, connector, { event: { kind: 'receipt', ourId: outgoing.message.id, state: 'failed', error } });
  }

  #settle(outgoing: Outgoing, connector: Connector, outcome: Omit<Outcome, 'route'> & { event: ReceiptEvent }): Promise<void> {
    return this.#options.settling.write({ route: routeOf(outgoing.channel, connector), ...outcome });
  }
}

/** How fast the channel may be written to. */
export function pacingOf(connector: Connector, view: ReturnType<Channels['view']>): Pacing | undefined {
  return typeof connector.pacing === 'function' ? connector.pacing(view) : connector.pacing;
}

function partOf({ message }: Outgoing, position: number, providerId: string, payload: unknown): MessagePart {
  return { workspaceId: message.workspaceId, messageId: message.id, channelId: message.channelId, position, providerId, payload };
}

/** The customer has the beginning of the message already, which whoever reads the error has to know. */
function sentInPart(error: ProviderError): ProviderError {
  const { class: errorClass, code, hint, retryAfterMs, scope, status, raw } = error;
  const words = `Only the first part of this message was sent, the rest was not: ${error.message}`;
  return new ProviderError(errorClass, words, { code, hint, retryAfterMs, scope, status, raw, cause: error });
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
