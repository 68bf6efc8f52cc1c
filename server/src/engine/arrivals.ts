/** When each channel last took a message. Kept in memory and written every few seconds: a busy channel costs one update. */
import type { Logger } from 'pino';
import { noteReceived } from '../store/channels.ts';
import type { Database } from '../store/database.ts';
import { Worker } from './worker.ts';

const EVERY_MS = 3_000;

export class Arrivals {
  readonly #newest = new Map<string, { workspaceId: string; channelId: string; at: Date }>();
  readonly #database: Database;
  readonly #worker: Worker;

  constructor(database: Database, log: Logger) {
    this.#database = database;
    this.#worker = new Worker({
      name: 'arrivals',
      restMs: EVERY_MS,
      log,
      work: async () => {
        await this.#flush();
        return 0;
      },
    });
  }

  start(): void {
    this.#worker.start();
  }

  /** A message came in through a channel. */
  note({ workspaceId, channelId }: { workspaceId: string; channelId: string }): void {
    this.#newest.set(channelId, { workspaceId, channelId, at: new Date() });
  }

  async stop(): Promise<void> {
    await this.#worker.stop();
    await this.#flush();
  }

  async #flush(): Promise<void> {
    const rows = [...this.#newest.values()];
    this.#newest.clear();
    await noteReceived(this.#database, rows);
  }
}
