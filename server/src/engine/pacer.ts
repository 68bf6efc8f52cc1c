/** Keeps each channel below the speed that its provider allows. One process paces for itself. */
import type { Pacing } from '../connectors/connector.ts';

interface Bucket {
  tokens: number;
  at: number;
}

/** Buckets that were not used for this long are forgotten. */
const IDLE_MS = 10 * 60_000;

export class Pacer {
  readonly #buckets = new Map<string, Bucket>();
  readonly #paused = new Map<string, number>();
  readonly #now: () => number;
  #swept = 0;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /**
   * Takes a place for one message; answers how many milliseconds to wait before sending it. Where the recipient has to
   * wait, no place is taken: ask again after `later`.
   */
  take(channelId: string, recipient: string, pacing: Pacing | undefined): { wait: number } | { later: number } {
    const now = this.#now();
    this.#sweep(now);
    const paused = Math.max(0, (this.#paused.get(channelId) ?? 0) - now);
    if (!pacing) return { wait: paused };
    if (pacing.perRecipient) {
      const { burst, everyMs } = pacing.perRecipient;
      const key = `${channelId} ${recipient}`;
      const bucket = this.#fill(key, burst, everyMs, now);
      if (bucket.tokens < 1) return { later: (1 - bucket.tokens) * everyMs };
      bucket.tokens -= 1;
    }
    const bucket = this.#fill(channelId, Math.max(1, pacing.perSecond), 1000 / pacing.perSecond, now);
    bucket.tokens -= 1;
    return { wait: Math.max(paused, bucket.tokens >= 0 ? 0 : (-bucket.tokens * 1000) / pacing.perSecond) };
  }

  /** How many messages the channel could start within `withinMs`. */
  places(channelId: string, pacing: Pacing | undefined, withinMs: number): number {
    const now = this.#now();
    if ((this.#paused.get(channelId) ?? 0) > now) return 0;
    if (!pacing) return Number.POSITIVE_INFINITY;
    const { tokens } = this.#fill(channelId, Math.max(1, pacing.perSecond), 1000 / pacing.perSecond, now);
    return Math.max(0, Math.floor(tokens + (pacing.perSecond * withinMs) / 1000));
  }

  /** Milliseconds until the channel may be written to again. */
  pausedFor(channelId: string): number {
    return Math.max(0, (this.#paused.get(channelId) ?? 0) - this.#now());
  }

  /** The provider says that the channel is too fast: nothing for this long. */
  pause(channelId: string, ms: number): void {
    this.#paused.set(channelId, Math.max(this.#paused.get(channelId) ?? 0, this.#now() + ms));
  }

  #fill(key: string, burst: number, everyMs: number, now: number): Bucket {
    const bucket = this.#buckets.get(key) ?? { tokens: burst, at: now };
    bucket.tokens = Math.min(burst, bucket.tokens + (now - bucket.at) / everyMs);
    bucket.at = now;
    this.#buckets.set(key, bucket);
    return bucket;
  }

  #sweep(now: number): void {
    if (now - this.#swept < 60_000) return;
    this.#swept = now;
    for (const [key, bucket] of this.#buckets) if (now - bucket.at > IDLE_MS && bucket.tokens >= 0) this.#buckets.delete(key);
    for (const [key, until] of this.#paused) if (until < now) this.#paused.delete(key);
  }
}
