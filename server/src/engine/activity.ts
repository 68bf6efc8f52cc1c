/** When each channel last took and gave a message. Kept in memory and written every few seconds: a busy channel costs one update. */
import type { Logger } from 'pino';
import { noteActivity } from '../store/channels.ts';
import type { Database } from '../store/database.ts';
import { Worker } from './worker.ts';

const EVERY_MS = 3_000;

interface Seen {
  workspaceId: string;
  channelId: string;
  inAt: Date | null;
  outAt: Date | null;
}

export class Activity {
  readonly #seen = new Map<string, Seen>();
  readonly #database: Database;
  readonly #worker: Worker;

  constructor(database: Database, log: Logger) {
    this.#database = database;
    this.#worker = new Worker({ name: 'activity', restMs: EVERY_MS, log, work: () => this.#flush() });
  }

  start(): void {
    this.#worker.start();
  }

  /** A message went through a channel. */
  note(channel: { workspaceId: string; channelId: string }, direction: 'in' | 'out', at: Date = new Date()): void {
    const key = `${channel.workspaceId} ${channel.channelId}`;
    const seen = this.#seen.get(key) ?? { workspaceId: channel.workspaceId, channelId: channel.channelId, inAt: null, outAt: null };
    if (direction === 'in') seen.inAt = at;
    else seen.outAt = at;
    this.#seen.set(key, seen);
  }

  async stop(): Promise<void> {
    await this.#worker.stop();
    await this.#flush();
  }

  async #flush(): Promise<number> {
    const rows = [...this.#seen.values()];
    this.#seen.clear();
    await noteActivity(this.#database, rows);
    return 0;
  }
}
