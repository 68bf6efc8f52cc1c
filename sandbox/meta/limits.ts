/** How fast a number may send, and how fast to one customer. */
import { GraphError } from './errors.ts';

export interface RateLimits {
  perSecond: (level: string) => number;
  pairBurst: number;
  pairEveryMs: number;
}

export const META_LIMITS: RateLimits = { perSecond: (level) => (level === 'HIGH' ? 1000 : 80), pairBurst: 45, pairEveryMs: 6000 };

interface Bucket {
  left: number;
  at: number;
}

export class Throttle {
  readonly #limits: RateLimits;
  readonly #buckets = new Map<string, Bucket>();

  constructor(limits: RateLimits) {
    this.#limits = limits;
  }

  /** Takes one message out of both buckets; throws 130429 or 131056 when one is empty. */
  take(number: string, level: string, recipient: string, now: number): void {
    const rate = this.#limits.perSecond(level);
    if (!this.#spend(number, rate, 1000 / rate, now)) {
      throw new GraphError(429, 130429, '(#130429) Rate limit hit', { details: 'Cloud API message throughput has been reached.' });
    }
    if (!this.#spend(`${number} ${recipient}`, this.#limits.pairBurst, this.#limits.pairEveryMs, now)) {
      throw new GraphError(400, 131056, '(#131056) (Business Account, Consumer Account) pair rate limit hit', {
        details:
          'Message failed to send because there were too many messages sent from this phone number to the same phone number in a short period of time.',
      });
    }
  }

  #spend(key: string, burst: number, everyMs: number, now: number): boolean {
    const bucket = this.#buckets.get(key) ?? { left: burst, at: now };
    const left = Math.min(burst, bucket.left + (now - bucket.at) / everyMs);
    const allowed = left >= 1;
    this.#buckets.set(key, { left: allowed ? left - 1 : left, at: now });
    return allowed;
  }
}
