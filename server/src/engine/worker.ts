import type { Logger } from 'pino';

/**
 * Does something again and again in the background: at once while there is work, else after a rest or when woken. What
 * fails is logged and tried again after the rest; the work itself takes its jobs in a way that several processes share.
 */
export class Worker {
  readonly #name: string;
  readonly #restMs: number;
  readonly #work: () => Promise<number>;
  readonly #log: Logger;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #again = false;
  #stopped = true;

  /** `work` answers how many jobs it did; more than none means that there may be more. */
  constructor(options: { name: string; restMs: number; log: Logger; work: () => Promise<number> }) {
    this.#name = options.name;
    this.#restMs = options.restMs;
    this.#log = options.log;
    this.#work = options.work;
  }

  start(): void {
    this.#stopped = false;
    this.wake();
  }

  wake(): void {
    if (this.#stopped) return;
    if (this.#running) {
      this.#again = true;
      return;
    }
    clearTimeout(this.#timer);
    this.#running = this.#round().finally(() => {
      this.#running = undefined;
      if (this.#stopped) return;
      if (this.#again) this.wake();
      else this.#timer = setTimeout(() => this.wake(), this.#restMs * (0.9 + Math.random() * 0.2));
    });
    this.#again = false;
  }

  /** Ends after the job that is under way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  async #round(): Promise<void> {
    try {
      while (!this.#stopped && (await this.#work()) > 0);
    } catch (error) {
      this.#log.warn({ err: error, worker: this.#name }, 'background work failed; trying again later');
    }
  }
}
