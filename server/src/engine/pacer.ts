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

  /** Takes a place for one message; answers how many milliseconds to wait before sending it. */
  take(channelId: string, recipient: string, pacing: Pacing | undefined): number {
    const now = this.#now();
    this.#sweep(now);
    let wait = Math.max(0, (this.#paused.get(channelId) ?? 0) - now);
    if (!pacing) return wait;
    wait = Math.max(wait, this.#draw(channelId, Math.max(1, pacing.perSecond), 1000 / pacing.perSecond, now));
    if (pacing.perRecipient) {
      const { burst, everyMs } = pacing.perRecipient;
      wait = Math.max(wait, this.#draw(`${channelId} ${recipient}`, burst, everyMs, now));
    }
    return wait;
  }

  /** The provider says that the channel is too fast: nothing for this long. */
  pause(channelId: string, ms: number): void {
    this.#paused.set(channelId, Math.max(this.#paused.get(channelId) ?? 0, this.#now() + ms));
  }

  #draw(key: string, burst: number, everyMs: number, now: number): number {
    const bucket = this.#buckets.get(key) ?? { tokens: burst, at: now };
    bucket.tokens = Math.min(burst, bucket.tokens + (now - bucket.at) / everyMs) - 1;
    bucket.at = now;
    this.#buckets.set(key, bucket);
    return bucket.tokens >= 0 ? 0 : -bucket.tokens * everyMs;
  }

  #sweep(now: number): void {
    if (now - this.#swept < 60_000) return;
    this.#swept = now;
    for (const [key, bucket] of this.#buckets) if (now - bucket.at > IDLE_MS && bucket.tokens >= 0) this.#buckets.delete(key);
    for (const [key, until] of this.#paused) if (until < now) this.#paused.delete(key);
  }
}
