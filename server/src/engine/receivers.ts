/**
 * Runs the `receive` of every channel that is asked rather than told (IMAP, Graph, Gmail): one node at a time, by a
 * lease that is renewed while the node lives. What ends with an error is begun anew, after a pause that grows.
 */
import { createHash } from 'node:crypto';
import type { ConnectorContext, HealthReport, ReceiveContext } from '../connectors/connector.ts';
import { uuidv7 } from '../model/ids.ts';
import { type ChannelRow, getChannel, receivingChannels } from '../store/channels.ts';
import { dropLeases, holdLeases, loadCursor, saveCursor } from '../store/receivers.ts';
import type { Engine } from './engine.ts';
import { statusAfter } from './health.ts';
import { Wakes } from './wakes.ts';
import { Worker } from './worker.ts';

type Parts = Pick<Engine, 'database' | 'registry' | 'channels' | 'contexts' | 'ingest' | 'spool' | 'log'>;

export interface ReceiverOptions {
  /** A node that is gone for so long loses its channels to the others. */
  leaseSeconds?: number;
  /** How often leases are renewed and channels looked for. */
  lookMs?: number;
  /** The first pause after a failure; it doubles up to `mostPauseMs`. */
  firstPauseMs?: number;
  mostPauseMs?: number;
}

/** `receive` ended by itself: there is nothing to listen to. Looked at again after a while, and when the channel changes. */
const IDLE_MS = 10 * 60_000;
/** How long a `receive` may take to end when it is told to. */
const STOP_MS = 3_000;

interface Run {
  key: { workspaceId: string; channelId: string };
  /** Of what `receive` works with; another one means that it must begin anew. */
  signature: string;
  stop: AbortController;
  wakes: Wakes;
  done: Promise<void>;
}

export class Receivers {
  readonly #parts: Parts;
  readonly #options: Required<ReceiverOptions>;
  readonly #node = uuidv7();
  readonly #runs = new Map<string, Run>();
  readonly #sources: string[];
  readonly #worker: Worker;
  #unlisten: (() => Promise<void>)[] = [];

  constructor(parts: Parts, options: ReceiverOptions = {}) {
    this.#parts = parts;
    this.#options = { leaseSeconds: 30, lookMs: 5_000, firstPauseMs: 1_000, mostPauseMs: 300_000, ...options };
    this.#sources = parts.registry.connectors.filter((connector) => connector.receive).map((connector) => connector.source);
    this.#worker = new Worker({ name: 'receivers', restMs: this.#options.lookMs, log: parts.log, work: () => this.#look() });
  }

  start(): void {
    if (this.#sources.length === 0) return;
    this.#unlisten = [this.#parts.database.listen('patchbay_receivers', (payload) => this.#woken(payload))];
    this.#worker.start();
  }

  /** Look now: a channel was connected, changed or disconnected. */
  look(): void {
    this.#worker.wake();
  }

  /** Ends every `receive` and gives the channels to the other nodes. */
  async stop(): Promise<void> {
    await this.#worker.stop();
    await Promise.all(this.#unlisten.map((unlisten) => unlisten()));
    await Promise.all([...this.#runs.values()].map((run) => this.#end(run)));
    if (this.#sources.length > 0) await dropLeases(this.#parts.database, this.#node).catch(() => undefined);
  }

  #woken(payload: string | null): void {
    if (!payload) {
      for (const run of this.#runs.values()) run.wakes.add('look');
      return;
    }
    for (const [channelId, reason] of JSON.parse(payload) as [string, string][]) this.#runs.get(channelId)?.wakes.add(reason);
  }

  async #look(): Promise<number> {
    const { database } = this.#parts;
    const rows = await receivingChannels(database, this.#sources);
    const wanted = new Map(rows.map((row) => [row.id, row]));
    const over = [...this.#runs.values()].filter((run) => !wanted.has(run.key.channelId));
    await Promise.all(over.map((run) => this.#end(run)));
    await dropLeases(
      database,
      this.#node,
      over.map((run) => run.key),
    );
    const keys = rows.map((row) => ({ workspaceId: row.workspaceId, channelId: row.id }));
    const held = new Set((await holdLeases(database, this.#node, keys, this.#options.leaseSeconds)).map((key) => key.channelId));
    for (const row of rows) {
      const run = this.#runs.get(row.id);
      const signature = signatureOf(row);
      if (run && held.has(row.id) && run.signature === signature) continue;
      if (run) await this.#end(run);
      if (held.has(row.id)) this.#begin(row, signature);
    }
    return 0;
  }

  #begin(row: ChannelRow, signature: string): void {
    const stop = new AbortController();
    const wakes = new Wakes(stop.signal);
    const key = { workspaceId: row.workspaceId, channelId: row.id };
    const run: Run = { key, signature, stop, wakes, done: Promise.resolve() };
    this.#runs.set(row.id, run);
    run.done = this.#keepGoing(row, run).catch((error) =>
      this.#parts.log.error({ err: error, channel: row.id }, 'listening to a channel ended'),
    );
  }

  async #end(run: Run): Promise<void> {
    run.stop.abort();
    if (this.#runs.get(run.key.channelId) === run) this.#runs.delete(run.key.channelId);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, STOP_MS);
    });
    await Promise.race([run.done, late]);
    clearTimeout(timer);
  }

  async #keepGoing(row: ChannelRow, run: Run): Promise<void> {
    const { channels, log } = this.#parts;
    const connector = channels.connectorOf(row.source);
    const view = channels.view(row);
    const context = this.#contextOf(row, run);
    let failures = 0;
    while (!run.stop.signal.aborted) {
      try {
        await connector.receive!(view, context);
        failures = 0;
        if (!run.stop.signal.aborted) await run.wakes.wait(IDLE_MS);
      } catch (error) {
        if (run.stop.signal.aborted) return;
        const { firstPauseMs, mostPauseMs } = this.#options;
        const pauseMs = Math.min(mostPauseMs, firstPauseMs * 2 ** failures);
        failures += 1;
        log.warn({ err: error, channel: row.id, failures }, 'listening to a channel failed; beginning anew');
        await run.wakes.wait(pauseMs * (0.8 + Math.random() * 0.4));
      }
    }
  }

  #contextOf(row: ChannelRow, run: Run): ConnectorContext & ReceiveContext {
    const { database, contexts, ingest, spool } = this.#parts;
    const base = contexts.for({ workspaceId: row.workspaceId, channelId: row.id, sandbox: row.sandbox });
    return {
      ...base,
      signal: run.stop.signal,
      spool,
      cursor: {
        load: () => loadCursor(database, run.key),
        save: async (value) => {
          if (await saveCursor(database, this.#node, run.key, value)) return;
          run.stop.abort();
          throw new Error('another node listens to this channel now');
        },
      },
      // What these credentials fetched is for this channel alone, whoever else says to have the same address.
      deliver: (events) => ingest.submit(events.map((event) => ({ ...event, channel: { workspaceId: row.workspaceId, id: row.id } }))),
      wait: (ms) => run.wakes.wait(ms),
      report: (report) => this.#report(run, report),
    };
  }

  /** What `receive` tells becomes the channel's status, where that is news. */
  async #report(run: Run, report: HealthReport): Promise<void> {
    const { workspaceId, channelId } = run.key;
    const row = await getChannel(this.#parts.database, workspaceId, channelId);
    if (!row || run.stop.signal.aborted) return;
    const { status, statusReason } = statusAfter(row, report);
    if (status === row.status && statusReason === row.statusReason) return;
    await this.#parts.channels.report(workspaceId, channelId, {
      status,
      statusReason,
      ...(report.details ? { details: report.details } : {}),
      ...(status === 'active' ? { lastError: null } : {}),
    });
  }
}

function signatureOf(row: ChannelRow): string {
  return createHash('sha256')
    .update(JSON.stringify([row.sourceChannelId, row.settings, row.sandbox, row.credentialsKeyId]))
    .update(row.credentials ?? '')
    .digest('hex');
}
