/**
 * The inbound way, for every source. Events that arrive at about the same time share one transaction, which keeps the
 * raw events and applies them; whoever handed them in is answered after its commit. When a batch cannot be applied, the
 * raw events alone are kept in one transaction, the callers are answered, and each event is then applied for itself:
 * one that nobody can read never holds up the others, and is kept, listed and replayable.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { InboundEvent, ProviderConfig, RawEvent, Spool } from '../connectors/connector.ts';
import { uuidv7 } from '../model/ids.ts';
import { type Client, type Database, isDatabaseAway } from '../store/database.ts';
import { getRawEvent, insertRawEvents, type RawEventRow, type RawEventView, waitingRawEvents } from '../store/raw-events.ts';
import { applyInbound, type Inbound } from './apply.ts';
import type { Arrivals } from './arrivals.ts';
import type { Metrics } from './metrics.ts';
import { type Prepared, takePlain } from './plain.ts';
import type { Route, Routes } from './routes.ts';

/** Events a transaction; larger ones make the first caller wait for the last. */
const BATCH = 256;
/** Transactions at a time, and how many events a second one needs to start. */
const LANES = 2;
const SECOND_LANE_FROM = 32;
const GATHER_MS = 1;
/** Bytes of raw events a transaction: mails can be large. */
const BATCH_BYTES = 32 * 1024 * 1024;

interface Job extends Prepared {
  resolve(): void;
  reject(error: unknown): void;
}

export interface IngestOptions {
  database: Database;
  routes: Routes;
  /** Where events are filed that belong to no channel of ours. */
  defaultWorkspaceId: string;
  /** The settings that an event is read with: the installation's, or those of sandbox channels. */
  config(sandbox: boolean): ProviderConfig;
  /** Where the bodies lie that are too large for the database. */
  spool: Spool;
  arrivals: Arrivals;
  metrics: Metrics;
  log: Logger;
}

export class Ingest {
  readonly #database: Database;
  readonly #routes: Routes;
  readonly #defaultWorkspaceId: string;
  readonly #config: (sandbox: boolean) => ProviderConfig;
  readonly #spool: Spool;
  readonly #log: Logger;
  readonly #arrivals: Arrivals;
  readonly #metrics: Metrics;
  #queue: Job[] = [];
  readonly #running = new Set<Promise<void>>();
  #gathering = false;

  constructor(options: IngestOptions) {
    this.#database = options.database;
    this.#routes = options.routes;
    this.#defaultWorkspaceId = options.defaultWorkspaceId;
    this.#config = options.config;
    this.#spool = options.spool;
    this.#log = options.log;
    this.#arrivals = options.arrivals;
    this.#metrics = options.metrics;
  }

  /**
   * Makes raw events durable and applies them. Resolves after the commit; rejects when nothing could be
   * stored (`isDatabaseAway`), so that the provider is told to try again.
   */
  async submit(events: RawEvent[]): Promise<void> {
    const prepared = await Promise.all(events.map((event) => this.#prepare(event)));
    await Promise.all(prepared.flat().map((item) => this.#enqueue(item)));
  }

  /** Applies events that our own engine makes (the outcome of a send); there is no raw event behind them. */
  async settle(route: Route, events: InboundEvent[]): Promise<void> {
    const receivedAt = new Date();
    await this.#database.transaction((client) =>
      applyInbound(
        client,
        events.map((event) => ({ route, event, receivedAt })),
      ),
    );
  }

  /** Applies a kept raw event again, after a fix; answers its new state. Repeating one that was applied changes nothing. */
  async replay(workspaceId: string, id: string): Promise<string | undefined> {
    const kept = await getRawEvent(this.#database, workspaceId, id);
    if (!kept) return undefined;
    return this.#applyKept(kept);
  }

  /** Applies what an earlier process made durable and could not apply before it ended. */
  async recover(): Promise<number> {
    let done = 0;
    for (;;) {
      const rows = await waitingRawEvents(this.#database, 100);
      for (const row of rows) await this.#applyKept(row);
      done += rows.length;
      if (rows.length < 100) return done;
    }
  }

  /** Resolves when everything that was handed in is committed. */
  async drain(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }

  async #prepare(event: RawEvent, kept?: RawEventView): Promise<Prepared[]> {
    const receivedAt = kept?.receivedAt ?? new Date();
    const row = (workspaceId: string, state: RawEventRow['state'], error: string | null): RawEventRow => ({
      workspaceId,
      id: kept && kept.workspaceId === workspaceId ? kept.id : uuidv7(),
      source: event.source,
      sourceChannelId: event.sourceChannelId,
      contentType: event.contentType,
      body: event.body,
      state,
      error,
      receivedAt,
    });
    const fallback = kept?.workspaceId ?? event.channel?.workspaceId ?? this.#defaultWorkspaceId;
    const direct = await this.#directRoutes(event, kept);
    if (event.sourceChannelId !== null && direct.length === 0) {
      return [{ row: row(fallback, 'unrouted', `no connected ${event.source} channel ${event.sourceChannelId}`), inbound: [] }];
    }
    const connector = direct[0]?.connector ?? this.#routes.connectorOf(event.source);
    let parsed: InboundEvent[];
    try {
      if (!connector) throw new Error(`there is no source ${event.source}`);
      parsed = connector.read
        ? await connector.read(event, direct.length === 1 ? direct[0]!.view : undefined, this.#spool)
        : connector.parse(event, this.#config(typeof event.sandboxOf === 'string'));
    } catch (error) {
      const workspaces = [...new Set(direct.map((route) => route.workspaceId))];
      return (workspaces.length ? workspaces : [fallback]).map((workspaceId) => ({
        row: row(workspaceId, 'failed', messageOf(error)),
        inbound: [],
      }));
    }
    const routes = direct.length ? direct : (await this.#routesOfAccounts(event.source, parsed)).filter((route) => isMeant(event, route));
    const byWorkspace = new Map<string, Route[]>();
    for (const route of routes) byWorkspace.set(route.workspaceId, [...(byWorkspace.get(route.workspaceId) ?? []), route]);
    if (byWorkspace.size === 0) return [{ row: row(fallback, 'unrouted', 'no channel of ours is meant'), inbound: [] }];
    const everythingIgnored = parsed.every((item) => item.kind === 'ignored');
    const reason = everythingIgnored
      ? parsed.map((item) => (item.kind === 'ignored' ? item.reason : '')).join('; ') || 'nothing in it'
      : null;
    return [...byWorkspace].map(([workspaceId, own], index) => {
      const kept = row(workspaceId, everythingIgnored ? 'ignored' : 'applied', reason);
      return {
        row: kept,
        inbound: own.flatMap((route) =>
          (index === 0 && own.length === 1 ? parsed : structuredClone(parsed)).map((item) => ({
            route,
            event: item,
            receivedAt,
            rawEventId: kept.id,
          })),
        ),
      };
    });
  }

  /** The channels that the event names. What was kept for a workspace that still has the channel is replayed there alone. */
  async #directRoutes(event: RawEvent, kept: RawEventView | undefined): Promise<Route[]> {
    if (event.sourceChannelId === null) return [];
    const routes = (await this.#routes.find(event.source, event.sourceChannelId)).filter((route) => isMeant(event, route));
    if (event.channel) return routes.filter((route) => route.channelId === event.channel?.id);
    const own = kept ? routes.filter((route) => route.workspaceId === kept.workspaceId) : [];
    return own.length > 0 ? own : routes;
  }

  async #routesOfAccounts(source: string, events: InboundEvent[]): Promise<Route[]> {
    const accounts = new Set(events.flatMap((event) => ('account' in event && event.account ? [event.account] : [])));
    const routes = await Promise.all([...accounts].map((account) => this.#routes.findByAccount(source, account)));
    const first = new Map<string, Route>();
    for (const route of routes.flat()) {
      const key = `${route.workspaceId}\n${route.account}`;
      if (!first.has(key)) first.set(key, route);
    }
    return [...first.values()];
  }

  #enqueue(prepared: Prepared): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ ...prepared, resolve, reject });
      this.#pump();
    });
  }

  /**
   * What arrives within a millisecond shares a transaction. A second one starts beside it only once enough has gathered
   * to be worth a commit of its own: the database works on one while the other waits for its answer.
   */
  #pump(): void {
    if (this.#gathering || this.#running.size >= LANES) return;
    if (this.#queue.length < (this.#running.size === 0 ? 1 : SECOND_LANE_FROM)) return;
    this.#gathering = true;
    const work: Promise<void> = sleep(GATHER_MS)
      .then(() => {
        this.#gathering = false;
        const batch = this.#nextBatch();
        this.#pump();
        return this.#commit(batch);
      })
      .finally(() => {
        this.#running.delete(work);
        this.#pump();
      });
    this.#running.add(work);
  }

  #nextBatch(): Job[] {
    let bytes = 0;
    let count = 0;
    for (const { row } of this.#queue) {
      bytes += row.body.length;
      if (count > 0 && (count === BATCH || bytes > BATCH_BYTES)) break;
      count += 1;
    }
    return this.#queue.splice(0, count);
  }

  async #commit(batch: Job[]): Promise<void> {
    let left = batch;
    try {
      left = await this.#timed(batch, () => takePlain(this.#database, batch));
      if (left.length === 0) return;
      const rest = left;
      left = await this.#timed(rest, async () => {
        await this.#database.transaction((client) => this.#write(client, rest));
        return [];
      });
      return;
    } catch (error) {
      if (isDatabaseAway(error)) {
        for (const job of left) job.reject(error);
        return;
      }
      this.#log.error({ err: error, events: left.length }, 'a batch of inbound events could not be applied; applying one by one');
    }
    await this.#commitOneByOne(left);
  }

  /** Answers for those of the batch that `work` stored; gives back the ones that it left. */
  async #timed(batch: Job[], work: () => Promise<Job[]>): Promise<Job[]> {
    const startedAt = performance.now();
    const left = await work();
    const leftOver = new Set(left);
    const stored = batch.filter((job) => !leftOver.has(job));
    if (stored.length === 0) return left;
    for (const job of stored) job.resolve();
    this.#metrics.batch(stored.length, startedAt);
    this.#metrics.stored(stored.map((job) => job.row));
    this.#note(stored);
    return left;
  }

  #note(batch: Job[]): void {
    for (const { inbound } of batch) for (const { route, event } of inbound) if (event.kind === 'message') this.#arrivals.note(route);
  }

  async #write(client: Client, batch: Pick<Job, 'row' | 'inbound'>[]): Promise<void> {
    await Promise.all([
      insertRawEvents(
        client,
        batch.map((job) => job.row),
      ),
      applyInbound(
        client,
        batch.flatMap((job) => job.inbound),
      ),
    ]);
  }

  async #commitOneByOne(batch: Job[]): Promise<void> {
    try {
      await this.#database.transaction((client) =>
        insertRawEvents(
          client,
          batch.map((job) => ({ ...job.row, state: job.inbound.length > 0 ? 'waiting' : job.row.state })),
        ),
      );
    } catch (error) {
      for (const job of batch) job.reject(error);
      return;
    }
    for (const job of batch) job.resolve();
    for (const { row, inbound } of batch) this.#metrics.stored([{ source: row.source, state: await this.#applyOne(row, inbound) }]);
  }

  async #applyOne(row: RawEventRow, inbound: Inbound[]): Promise<string> {
    try {
      await this.#database.transaction((client) => this.#write(client, [{ row, inbound }]));
      return row.state;
    } catch (error) {
      if (isDatabaseAway(error)) return 'waiting';
      this.#log.error({ err: error, rawEvent: row.id, workspace: row.workspaceId }, 'an inbound event could not be applied; it is kept');
      await this.#database.transaction((client) => insertRawEvents(client, [{ ...row, state: 'failed', error: messageOf(error) }]));
      return 'failed';
    }
  }

  async #applyKept(kept: RawEventView): Promise<string> {
    const event: RawEvent = {
      source: kept.source,
      sourceChannelId: kept.sourceChannelId,
      contentType: kept.contentType,
      body: kept.body,
    };
    const prepared = await this.#prepare(event, kept);
    const states: string[] = [];
    for (const item of prepared) {
      states.push(item.inbound.length > 0 ? await this.#applyOne(item.row, item.inbound) : item.row.state);
      if (item.inbound.length === 0) await this.#database.transaction((client) => insertRawEvents(client, [item.row]));
    }
    if (prepared.every((item) => item.row.id !== kept.id)) {
      await this.#database.query(`update raw_events set state = 'applied', applied_at = now() where workspace_id = $1 and id = $2`, [
        kept.workspaceId,
        kept.id,
      ]);
    }
    return states[0] ?? 'ignored';
  }
}

function isMeant({ sandboxOf }: RawEvent, route: Route): boolean {
  if (sandboxOf === undefined) return true;
  return sandboxOf === null ? !route.sandbox : route.sandbox && route.workspaceId === sandboxOf;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
