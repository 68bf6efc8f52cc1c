/**
 * How many conversations a list has in all. Counting is the one part of a list that grows with the workspace (25 ms at
 * 100,000 conversations, where the page itself takes 1 ms), so large counts are kept for a while and renewed behind
 * the answer; small ones are always exact.
 */
import { type Condition, countConversations } from '../store/conversations.ts';
import type { Engine } from './engine.ts';

/** From here on nobody counts along. */
const LARGE = 5_000;
const FRESH_MS = 15_000;
/** Older than this, a count is not worth showing. */
const USABLE_MS = 300_000;
const MAX_KEPT = 1_000;

interface Kept {
  total: number;
  at: number;
  renewing: boolean;
}

export class ConversationTotals {
  readonly #engine: Engine;
  readonly #kept = new Map<string, Kept>();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  async total(workspaceId: string, where: Condition | undefined): Promise<number> {
    const key = JSON.stringify([workspaceId, where?.sql, where?.values]);
    const kept = this.#kept.get(key);
    const age = Date.now() - (kept?.at ?? 0);
    if (!kept || age > USABLE_MS) return this.#count(key, workspaceId, where);
    if (age > FRESH_MS && !kept.renewing) {
      kept.renewing = true;
      this.#count(key, workspaceId, where).catch((error) => {
        kept.renewing = false;
        this.#engine.log.warn({ err: error, workspace: workspaceId }, 'conversations could not be counted');
      });
    }
    return kept.total;
  }

  async #count(key: string, workspaceId: string, where: Condition | undefined): Promise<number> {
    const total = await countConversations(this.#engine.database, workspaceId, where);
    this.#kept.delete(key);
    if (total >= LARGE) this.#kept.set(key, { total, at: Date.now(), renewing: false });
    if (this.#kept.size > MAX_KEPT) this.#kept.delete(this.#kept.keys().next().value!);
    return total;
  }
}
