/**
 * The line in front of the providers: in order within each conversation, paced per channel, fair among channels. A
 * channel that is slow, paused or broken keeps only its own messages waiting. What happens to one message is in
 * delivery.ts.
 */
import type { Logger } from 'pino';
import type { Pacing } from '../connectors/connector.ts';
import type { Database } from '../store/database.ts';
import { claimOutbox, nextDue, type OutboxJob, type Places, renewLeases } from '../store/outbox.ts';
import type { Channels } from './channels.ts';
import type { Contexts } from './contexts.ts';
import { Delivery, pacingOf } from './delivery.ts';
import type { Metrics } from './metrics.ts';
import { loadOutgoing, type Outgoing } from './outgoing.ts';
import { Pacer } from './pacer.ts';
import type { Sandboxes } from './sandboxes.ts';
import { Settling } from './settling.ts';

const LEASE_SECONDS = 60;
const RENEW_MS = 20_000;
/** Messages under way at the same time: in all, on one channel, and on one whose provider does not answer in time. */
const CONCURRENCY = 512;
const PER_CHANNEL = 256;
const PER_TROUBLED_CHANNEL = 8;
/** Claims are at least this far apart: one that is worth it costs as much as one that finds a single message. */
const CLAIM_EVERY_MS = 5;
/** Messages are taken this long before their channel's pace has a place for them. */
const AHEAD_MS = 50;

export interface OutboxParts {
  database: Database;
  channels: Channels;
  contexts: Contexts;
  sandboxes: Pick<Sandboxes, 'onlyPretends'>;
  metrics: Metrics;
  log: Logger;
}

interface Lane {
  inFlight: number;
  pacing: Pacing | undefined;
  troubled: boolean;
}

export class Outbox {
  readonly #database: Database;
  readonly #channels: Channels;
  readonly #log: Logger;
  readonly #pacer = new Pacer();
  readonly #settling: Settling;
  readonly delivery: Delivery;
  readonly #lanes = new Map<string, Lane>();
  readonly #jobs = new Map<OutboxJob, Promise<void>>();
  readonly #stopping = new AbortController();
  #wake: (() => void) | undefined;
  #awake = false;
  #loop: Promise<void> | undefined;
  #unlisten: (() => Promise<void>) | undefined;
  #renewal: NodeJS.Timeout | undefined;

  constructor({ database, channels, contexts, sandboxes, metrics, log }: OutboxParts) {
    this.#database = database;
    this.#channels = channels;
    this.#log = log;
    this.#settling = new Settling(database);
    this.delivery = new Delivery({
      database,
      channels,
      contexts,
      sandboxes,
      metrics,
      log,
      pacer: this.#pacer,
      settling: this.#settling,
    });
  }

  start(): void {
    this.#unlisten = this.#database.listen('patchbay_outbox', () => this.wake());
    this.#renewal = setInterval(() => this.#renew(), RENEW_MS);
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
    await Promise.all(this.#jobs.values());
    clearInterval(this.#renewal);
    await this.#settling.drain();
  }

  async #run(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      this.#awake = false;
      const started = Date.now();
      try {
        const took = this.#jobs.size < CONCURRENCY ? await this.#claim() : 0;
        const soon = this.#nextPlaceMs();
        if (took > 0 || soon !== undefined) await this.#rest(soon ?? CLAIM_EVERY_MS, { atLeast: started + CLAIM_EVERY_MS - Date.now() });
        else {
          const due = await nextDue(this.#database);
          await this.#rest((due?.getTime() ?? Infinity) - Date.now(), { atLeast: started + CLAIM_EVERY_MS - Date.now() });
        }
      } catch (error) {
        this.#log.warn({ err: error }, 'the outbox could not be read; trying again');
        await this.#rest(1000, { atLeast: 1000 });
      }
    }
  }

  async #claim(): Promise<number> {
    const limit = CONCURRENCY - this.#jobs.size;
    const jobs = await claimOutbox(this.#database, { limit, usual: PER_CHANNEL / 4, leaseSeconds: LEASE_SECONDS, places: this.#places() });
    if (jobs.length === 0) return 0;
    const outgoing = await loadOutgoing(this.#database, jobs);
    for (const job of jobs) this.#start(job, outgoing.get(job.messageId));
    return jobs.length;
  }

  #start(job: OutboxJob, outgoing: Outgoing | undefined): void {
    const lane = this.#laneOf(job.channelId, outgoing);
    lane.inFlight++;
    const work = this.delivery
      .deliver(job, outgoing)
      .then(({ answered }) => {
        lane.troubled = !answered;
      })
      .catch((error) => this.#log.error({ err: error, message: job.messageId }, 'a message could not be worked on; it stays in line'))
      .finally(() => {
        lane.inFlight--;
        this.#jobs.delete(job);
        this.wake();
      });
    this.#jobs.set(job, work);
  }

  #laneOf(channelId: string, outgoing: Outgoing | undefined): Lane {
    let lane = this.#lanes.get(channelId);
    if (!lane) {
      lane = { inFlight: 0, pacing: undefined, troubled: false };
      this.#lanes.set(channelId, lane);
    }
    if (outgoing) lane.pacing = pacingOf(this.#channels.connectorOf(outgoing.channel.source), this.#channels.view(outgoing.channel));
    return lane;
  }

  /** What the channels in use may take now; one that is idle and at its full pace again is forgotten. */
  #places(): Places[] {
    const list: Places[] = [];
    for (const [channelId, { inFlight, pacing, troubled }] of this.#lanes) {
      const paced = this.#pacer.places(channelId, pacing, AHEAD_MS);
      const room = (troubled ? PER_TROUBLED_CHANNEL : PER_CHANNEL) - inFlight;
      if (inFlight === 0 && !troubled && paced >= (pacing?.perSecond ?? 0)) this.#lanes.delete(channelId);
      list.push({ channelId, places: Math.max(0, Math.min(room, paced)) });
    }
    return list;
  }

  /** Milliseconds until a channel that is at its pace or paused has a place again; undefined when none is. */
  #nextPlaceMs(): number | undefined {
    let soonest: number | undefined;
    for (const [channelId, { pacing }] of this.#lanes) {
      if (this.#pacer.places(channelId, pacing, AHEAD_MS) > 0) continue;
      const ms = Math.max(this.#pacer.pausedFor(channelId), AHEAD_MS / 2);
      if (soonest === undefined || ms < soonest) soonest = ms;
    }
    return soonest;
  }

  #renew(): void {
    renewLeases(this.#database, [...this.#jobs.keys()], LEASE_SECONDS).catch((error) =>
      this.#log.warn({ err: error }, 'the leases of messages under way could not be renewed'),
    );
  }

  async #rest(ms: number, { atLeast }: { atLeast: number }): Promise<void> {
    if (atLeast > 0) await new Promise((resolve) => setTimeout(resolve, atLeast));
    if (this.#awake) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(done, Math.max(1, Math.min(15_000, ms)));
      this.#wake = done;
      function done() {
        clearTimeout(timer);
        resolve();
      }
    });
    this.#wake = undefined;
  }
}
