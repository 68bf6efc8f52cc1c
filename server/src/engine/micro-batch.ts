/**
 * Lets callers that come at about the same time share one transaction: while one batch commits, the next gathers. Each
 * caller gets its own result; when a batch fails, each item is tried for itself, so that a bad one fails alone.
 */
import { isDatabaseAway } from '../store/database.ts';

interface Waiting<Item, Result> {
  item: Item;
  resolve(result: Result): void;
  reject(error: unknown): void;
}

export class MicroBatch<Item, Result> {
  readonly #work: (items: Item[]) => Promise<Result[]>;
  readonly #most: number;
  #queue: Waiting<Item, Result>[] = [];
  #running: Promise<void> | undefined;

  /** `work` does all of its items or none, and answers in their order. */
  constructor(most: number, work: (items: Item[]) => Promise<Result[]>) {
    this.#most = most;
    this.#work = work;
  }

  /** Resolves once the item's batch is done. */
  add(item: Item): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ item, resolve, reject });
      this.#running ??= this.#run();
    });
  }

  /** Resolves when everything that was handed in is done. */
  async drain(): Promise<void> {
    while (this.#running) await this.#running;
  }

  async #run(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#queue.length > 0) await this.#do(this.#queue.splice(0, this.#most));
    this.#running = undefined;
  }

  async #do(batch: Waiting<Item, Result>[]): Promise<void> {
    try {
      const results = await this.#work(batch.map(({ item }) => item));
      batch.forEach(({ resolve }, n) => {
        resolve(results[n]!);
      });
    } catch (error) {
      if (batch.length === 1 || isDatabaseAway(error)) {
        for (const { reject } of batch) reject(error);
        return;
      }
      for (const one of batch) await this.#do([one]);
    }
  }
}
