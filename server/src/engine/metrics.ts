/**
 * The figures at `/metrics` that are ours: counted where things happen, or asked of the database when somebody looks.
 * Labels are sources and classes only, so that the number of series does not grow with customers.
 */
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Database } from '../store/database.ts';
import { standing } from '../store/standing.ts';

/** What the database said is given again this long, however many look. */
const FRESH_MS = 5_000;

export class Metrics {
  readonly registry: Registry;
  readonly #inbound: Counter<'source' | 'outcome'>;
  readonly #batchEvents: Histogram;
  readonly #batchSeconds: Histogram;
  readonly #sends: Counter<'source' | 'outcome'>;
  readonly #callSeconds: Histogram<'source'>;
  readonly #sockets: (() => number)[] = [];

  constructor(registry: Registry = new Registry()) {
    this.registry = registry;
    const registers = [registry];
    this.#inbound = new Counter({
      name: 'patchbay_inbound_events_total',
      help: 'Raw events from providers that were stored, by what became of them',
      labelNames: ['source', 'outcome'],
      registers,
    });
    this.#batchEvents = new Histogram({
      name: 'patchbay_ingest_batch_events',
      help: 'Raw events that shared one transaction',
      buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256],
      registers,
    });
    this.#batchSeconds = new Histogram({
      name: 'patchbay_ingest_batch_seconds',
      help: 'From the start of an ingest transaction to its commit',
      buckets: [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5],
      registers,
    });
    this.#sends = new Counter({
      name: 'patchbay_sends_total',
      help: 'Answers of providers to messages handed over: accepted, or the class of the refusal',
      labelNames: ['source', 'outcome'],
      registers,
    });
    this.#callSeconds = new Histogram({
      name: 'patchbay_provider_call_seconds',
      help: 'How long a provider took to answer when a message was handed over',
      labelNames: ['source'],
      buckets: [0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30],
      registers,
    });
    const sockets = this.#sockets;
    new Gauge({
      name: 'patchbay_live_sockets',
      help: 'Open WebSockets of people and visitors',
      registers,
      collect() {
        this.set(sockets.reduce((sum, count) => sum + count(), 0));
      },
    });
  }

  /** Raw events that became durable, and what became of them. */
  stored(rows: { source: string; state: string }[]): void {
    for (const { source, state } of rows) this.#inbound.inc({ source, outcome: state });
  }

  batch(events: number, startedAt: number): void {
    this.#batchEvents.observe(events);
    this.#batchSeconds.observe((performance.now() - startedAt) / 1000);
  }

  /** A provider answered, or did not in time; `startedAt` by `performance.now()`. */
  sent(source: string, outcome: string, startedAt: number): void {
    this.#sends.inc({ source, outcome });
    this.#callSeconds.observe({ source }, (performance.now() - startedAt) / 1000);
  }

  watchSockets(count: () => number): void {
    this.#sockets.push(count);
  }

  /** Adds what stands in the database; while it is away these keep what they said last. */
  watchDatabase(database: Database): void {
    const registers = [this.registry];
    let asked: Promise<void> | undefined;
    let askedAt = 0;
    const look = async () => {
      const { outbox, rawEvents } = await standing(database);
      waiting.reset();
      oldest.reset();
      raw.reset();
      for (const { source, messages, oldestSeconds } of outbox) {
        waiting.set({ source }, messages);
        oldest.set({ source }, oldestSeconds);
      }
      for (const { state, events } of rawEvents) raw.set({ state }, events);
    };
    const fresh = async () => {
      if (!asked || Date.now() - askedAt > FRESH_MS) {
        askedAt = Date.now();
        asked = look();
      }
      // The readiness check tells of a database that is away; the other figures are wanted all the more then.
      await asked.catch(() => undefined);
    };
    const waiting = new Gauge({
      name: 'patchbay_outbox_messages',
      help: 'Messages that are due and not handed over yet',
      labelNames: ['source'],
      registers,
      collect: fresh,
    });
    const oldest = new Gauge({
      name: 'patchbay_outbox_oldest_seconds',
      help: 'How long the oldest of them is due',
      labelNames: ['source'],
      registers,
      collect: fresh,
    });
    const raw = new Gauge({
      name: 'patchbay_raw_events',
      help: 'Stored raw events that were not applied: waiting, failed, unrouted',
      labelNames: ['state'],
      registers,
      collect: fresh,
    });
  }
}
