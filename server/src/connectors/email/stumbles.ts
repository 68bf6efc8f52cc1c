/** A mail that the provider lists and does not hand out, however often it is asked, must not hold up those behind it. */
import { ProviderError } from '../../model/errors.ts';
import type { Listening } from './kind.ts';
import { isRefusal } from './listening.ts';
import { unfetchedEvent } from './raw.ts';
import { words } from './steps.ts';

/** With pauses that grow, about a quarter of an hour. */
const MOST = 10;

export class Stumbles {
  #id: string | undefined;
  #times = 0;

  /** True when a fetch failed, and did not succeed since: what comes next is best fetched one by one. */
  get stumbled(): boolean {
    return this.#id !== undefined;
  }

  /**
   * Fetches a mail. What it throws is passed on, until the same mail has failed too often: then an event that says so is
   * delivered in its place. Refused access and throttling say nothing about a mail.
   */
  async over(
    id: string,
    mailbox: string,
    context: Pick<Listening, 'deliver' | 'signal' | 'log'>,
    fetch: () => Promise<void>,
  ): Promise<void> {
    try {
      await fetch();
      this.#id = undefined;
    } catch (error) {
      if (context.signal.aborted || isRefusal(error) || (error instanceof ProviderError && error.class === 'rate-limited')) throw error;
      this.#times = this.#id === id ? this.#times + 1 : 1;
      this.#id = id;
      if (this.#times < MOST) throw error;
      context.log.warn({ mail: id }, `a mail could not be fetched and is passed over: ${words(error)}`);
      await context.deliver([unfetchedEvent(mailbox, id, words(error))]);
      this.#id = undefined;
    }
  }
}
