/** Calls the app back as Meta does: escaped JSON, signed over those bytes, again until it is taken; out of step on demand. */
import { createHmac } from 'node:crypto';
import type { Faults } from './faults.ts';
import { type MetaState, REMEMBERED } from './state.ts';

export interface WebhookRequest {
  headers: Record<string, string>;
  body: string;
}

/** Takes a webhook to the app; the status that came back. */
export type Deliver = (request: WebhookRequest) => Promise<number>;

/** JSON as Meta writes it: slashes escaped, everything beyond ASCII as `\uXXXX`. */
export function escapedJson(value: unknown): string {
  return JSON.stringify(value)
    .replaceAll('/', '\\/')
    .replace(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

export class Webhooks {
  /** What was sent lately, in order; a repetition counts again. */
  readonly log: { value: unknown; status: number }[] = [];
  readonly #state: MetaState;
  readonly #faults: Faults;
  readonly #deliver: Deliver;
  readonly #open = new Set<Promise<void>>();
  #held: unknown[] = [];

  constructor(state: MetaState, faults: Faults, deliver: Deliver) {
    this.#state = state;
    this.#faults = faults;
    this.#deliver = deliver;
  }

  sign(body: string): Record<string, string> {
    const sum = (algorithm: string) => createHmac(algorithm, this.#state.app.secret).update(body).digest('hex');
    return {
      'content-type': 'application/json',
      'x-hub-signature': `sha1=${sum('sha1')}`,
      'x-hub-signature-256': `sha256=${sum('sha256')}`,
    };
  }

  /** Sends one webhook, when the faults let it go. */
  emit(value: unknown): void {
    this.#held.push(value);
    if (this.#held.length < this.#faults.holdWebhooks) return;
    this.release();
  }

  /** Lets go what is being held back: in reverse order where disorder is asked for. */
  release(): void {
    const held = this.#faults.disorder ? this.#held.reverse() : this.#held;
    this.#held = [];
    for (const value of held) for (let copy = 0; copy <= this.#faults.duplicates; copy++) this.#start(value);
  }

  /** Resolves when every webhook that is under way was taken or given up. */
  async settled(): Promise<void> {
    while (this.#open.size > 0) await Promise.all(this.#open);
  }

  #start(value: unknown): void {
    const work = this.#send(value).finally(() => this.#open.delete(work));
    this.#open.add(work);
  }

  async #send(value: unknown): Promise<void> {
    const body = escapedJson(value);
    const request = { headers: this.sign(body), body };
    for (let attempt = 0; attempt <= this.#faults.webhookRetries; attempt++) {
      if (this.#faults.webhookDelayMs > 0 || attempt > 0) await wait(this.#faults.webhookDelayMs + (attempt > 0 ? 100 * 2 ** attempt : 0));
      const status = await this.#deliver(request).catch(() => 0);
      this.log.push({ value, status });
      if (this.log.length > 2 * REMEMBERED) this.log.splice(0, REMEMBERED);
      if (status === 200) return;
    }
  }
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
