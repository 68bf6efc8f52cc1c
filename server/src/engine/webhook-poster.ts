/** Posts what waits for webhook subscribers: a few calls at a time for each, so that a slow one holds up nobody else. */
import { ProviderError } from '../model/errors.ts';
import { claimDeliveries, type DeliveryJob, type Outcome, settleDelivery } from '../store/webhook-deliveries.ts';
import { disableSubscription } from '../store/webhooks.ts';
import type { Engine } from './engine.ts';
import { sealContext, type WebhookSecrets, type WebhookSpeaker } from './webhooks.ts';
import { Worker } from './worker.ts';

const TIMEOUT_MS = 15_000;
const LEASE_SECONDS = 40;
const CALLS = 200;
const CALLS_PER_SUBSCRIPTION = 4;
/** How long calls under way may take to end when we stop; the others are made again after their lease. */
const STOP_MS = 3_000;
/** Seconds before the second attempt, the third, …: the ladder of Standard Webhooks. */
const LADDER = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];
const MOST_RETRY_AFTER = 86_400;

type Parts = Pick<Engine, 'database' | 'vault' | 'http' | 'log'>;

export class WebhookPoster {
  readonly #parts: Parts;
  readonly #speakers: ReadonlyMap<string, WebhookSpeaker>;
  readonly #calls = new Set<Promise<void>>();
  readonly #worker: Worker;

  constructor(parts: Parts, speakers: ReadonlyMap<string, WebhookSpeaker>) {
    this.#parts = parts;
    this.#speakers = speakers;
    this.#worker = new Worker({ name: 'webhook poster', restMs: 1_000, log: parts.log, work: () => this.#claim() });
  }

  start(): void {
    this.#worker.start();
  }

  wake(): void {
    this.#worker.wake();
  }

  async stop(): Promise<void> {
    await this.#worker.stop();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, STOP_MS);
    });
    await Promise.race([Promise.all(this.#calls), late]);
    clearTimeout(timer);
  }

  async #claim(): Promise<number> {
    const jobs = await claimDeliveries(this.#parts.database, {
      surfaces: [...this.#speakers.keys()],
      limit: CALLS - this.#calls.size,
      perSubscription: CALLS_PER_SUBSCRIPTION,
      leaseSeconds: LEASE_SECONDS,
    });
    for (const job of jobs) {
      const call = this.#deliver(job)
        .catch((error) => this.#parts.log.warn({ err: error, delivery: job.id }, 'a webhook delivery could not be settled'))
        .finally(() => {
          this.#calls.delete(call);
          this.#worker.wake();
        });
      this.#calls.add(call);
    }
    return jobs.length;
  }

  async #deliver(job: DeliveryJob): Promise<void> {
    const { workspaceId, subscriptionId } = job;
    const outcome = await this.#post(job);
    await this.#parts.database.transaction(async (client) => {
      const { reachedSince } = await settleDelivery(client, job, outcome);
      if (outcome.state === 'failed') await disableSubscription(client, workspaceId, subscriptionId, 'it answered 410 Gone');
      if (outcome.state === 'dead' && !reachedSince)
        await disableSubscription(client, workspaceId, subscriptionId, `every attempt failed for days: ${outcome.error}`);
    });
  }

  async #post(job: DeliveryJob): Promise<Outcome> {
    const { vault, http } = this.#parts;
    try {
      const secrets = vault.open(job.secrets, job.secretsKeyId, sealContext(job.workspaceId, job.subscriptionId)) as WebhookSecrets;
      const call = { ...secrets, id: job.id, at: new Date(), url: job.url, body: job.body };
      const headers = { ...secrets.headers, 'content-type': 'application/json', ...this.#speakers.get(job.surface)!.headers(call) };
      const answer = await http(job.url, {
        method: 'POST',
        headers,
        body: job.body,
        timeoutMs: TIMEOUT_MS,
        maxBytes: 1_000_000,
        followRedirects: false,
      });
      const { status } = answer;
      if (status >= 200 && status < 300) return { state: 'succeeded', status, error: null };
      if (status === 410) return { state: 'failed', status, error: 'answered 410' };
      return again(job, { status, error: `answered ${status}`, retryAfter: secondsOf(answer.headers.get('retry-after')) });
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      return again(job, { status: error instanceof ProviderError ? (error.status ?? null) : null, error: message });
    }
  }
}

function again(job: DeliveryJob, failure: { status: number | null; error: string; retryAfter?: number }): Outcome {
  const { status, error, retryAfter = 0 } = failure;
  const gap = LADDER[job.attempts - 1];
  if (gap === undefined) return { state: 'dead', status, error };
  return { state: 'waiting', status, error, retryInSeconds: Math.max(gap * (1 + Math.random() * 0.2), retryAfter) };
}

/** `Retry-After`: seconds or a date. */
function secondsOf(header: string | null): number {
  if (!header) return 0;
  const seconds = /^\d+$/.test(header.trim()) ? Number(header) : (Date.parse(header) - Date.now()) / 1000;
  return Number.isFinite(seconds) ? Math.min(MOST_RETRY_AFTER, Math.max(0, seconds)) : 0;
}
