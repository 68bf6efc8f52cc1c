/** How often somebody may do something in a while. */
export interface BreakerOptions {
  /** How many in one window. */
  most: number;
  windowMs: number;
}

/** Counts per key (a sender, a client's address) in a sliding window. Keeps at most some ten thousand keys. */
export class Breaker {
  readonly #options: BreakerOptions;
  readonly #times = new Map<string, number[]>();

  constructor(options: BreakerOptions = { most: 5, windowMs: 3_600_000 }) {
    this.#options = options;
  }

  /** True and counted when one more is fine; false when the key had its share. */
  allows(key: string, now: Date): boolean {
    const since = now.getTime() - this.#options.windowMs;
    const recent = (this.#times.get(key) ?? []).filter((time) => time > since);
    const allowed = recent.length < this.#options.most;
    if (allowed) recent.push(now.getTime());
    this.#times.delete(key);
    this.#times.set(key, recent);
    if (this.#times.size > 10_000) this.#times.delete(this.#times.keys().next().value!);
    return allowed;
  }
}
