/** Lets one waiter sleep until somebody wakes it; what comes while it is awake is not lost. */
export class Wakes {
  readonly #signal: AbortSignal;
  #reasons = new Set<string>();
  #wake: (() => void) | undefined;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener('abort', () => this.#wake?.(), { once: true });
  }

  add(reason: string): void {
    this.#reasons.add(reason);
    this.#wake?.();
  }

  /** The reasons since the last wait; none when the time is over or the signal ended. */
  async wait(ms: number): Promise<string[]> {
    if (this.#reasons.size === 0 && !this.#signal.aborted) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.#wake = undefined;
    }
    const reasons = [...this.#reasons];
    this.#reasons = new Set();
    return reasons;
  }
}
