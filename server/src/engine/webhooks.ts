/**
 * Outgoing webhooks. They are fed from the event log and nothing else: each subscription has a cursor in it, and
 * moving the cursor and putting deliveries in line are one transaction, so a crash loses nothing. Each surface tells
 * in its own words (`WebhookSpeaker`) what an event is called, how it is written and how a call is signed.
 */
import { invalid, ProviderError } from '../model/errors.ts';
import type { LogEvent } from '../model/event.ts';
import { uuidOf, uuidv7 } from '../model/ids.ts';
import { eventsAfter, newestSeq, sandboxEventsAfter } from '../store/events.ts';
import { insertDeliveries } from '../store/webhook-deliveries.ts';
import {
  changeSubscription,
  insertSubscription,
  moveCursor,
  type NewSubscription,
  type SubscriptionChange,
  type SubscriptionRow,
  subscriptionsBehind,
  type WebhookSurface,
} from '../store/webhooks.ts';
import type { Engine } from './engine.ts';
import { createHostResolver } from './http-client.ts';
import { WebhookPoster } from './webhook-poster.ts';
import { Worker } from './worker.ts';

const PAGE = 200;
const SUBSCRIPTIONS_AT_A_TIME = 20;

/** The part of a subscription that nobody reads in the database. */
export interface WebhookSecrets {
  signingKey?: string;
  headers: Record<string, string>;
}

/** One body for one subscriber. */
export interface SpokenEvent {
  seq: number;
  event: string;
  /** What keeps its order. */
  lane: string;
  body: string;
}

export interface WebhookCall extends WebhookSecrets {
  /** The same over all attempts. */
  id: string;
  /** When this attempt is made. */
  at: Date;
  url: string;
  body: string;
}

/** How a surface tells its subscribers. */
export interface WebhookSpeaker {
  /** What of these events the subscription is told, in their order. */
  speak(subscription: SubscriptionRow, events: LogEvent[]): Promise<SpokenEvent[]>;
  /** The headers of one attempt, signature and all. */
  headers(call: WebhookCall): Record<string, string>;
}

type Parts = Pick<Engine, 'config' | 'database' | 'vault' | 'http' | 'log'>;

export class Webhooks {
  readonly #parts: Parts;
  readonly #speakers = new Map<string, WebhookSpeaker>();
  readonly #resolveHost: (host: string) => Promise<string>;
  readonly #follower: Worker;
  readonly #poster: WebhookPoster;
  #unlisten: (() => Promise<void>) | undefined;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#resolveHost = createHostResolver({ allowPrivate: parts.config.allowPrivateNetwork });
    this.#follower = new Worker({ name: 'webhook follower', restMs: 5_000, log: parts.log, work: () => this.#follow() });
    this.#poster = new WebhookPoster(parts, this.#speakers);
  }

  /** Lets a surface's subscribers be told; without it they wait. */
  speak(surface: WebhookSurface, speaker: WebhookSpeaker): void {
    this.#speakers.set(surface, speaker);
    this.#follower.wake();
    this.#poster.wake();
  }

  start(): void {
    this.#unlisten = this.#parts.database.listen('patchbay_events', () => this.#follower.wake());
    this.#follower.start();
    this.#poster.start();
  }

  async stop(): Promise<void> {
    await this.#unlisten?.();
    await this.#follower.stop();
    await this.#poster.stop();
  }

  /** Something is due now: a replay, a test, a subscription that goes on. */
  wake(): void {
    this.#follower.wake();
    this.#poster.wake();
  }

  /** Adds a subscription; undefined when its id is taken. Throws `invalid` for an address that may not be called. */
  async subscribe(
    row: Omit<NewSubscription, 'id' | 'secrets'> & { id?: string; secrets: WebhookSecrets },
  ): Promise<SubscriptionRow | undefined> {
    await this.#checkTarget(row.url);
    const id = row.id ?? uuidv7();
    return insertSubscription(this.#parts.database, { ...row, id, secrets: this.#seal(row.workspaceId, id, row.secrets) });
  }

  /** Changes what is given and keeps the rest. Throws `invalid` for an address that may not be called. */
  async change(
    row: SubscriptionRow,
    { secrets, ...change }: Omit<SubscriptionChange, 'secrets'> & { secrets?: Partial<WebhookSecrets> },
  ): Promise<SubscriptionRow | undefined> {
    if (change.url !== undefined) await this.#checkTarget(change.url);
    const sealed = secrets && { secrets: this.#seal(row.workspaceId, row.id, { ...this.secretsOf(row), ...secrets }) };
    const changed = await this.#parts.database.transaction((client) =>
      changeSubscription(client, row.workspaceId, row.id, { ...change, ...sealed }),
    );
    this.wake();
    return changed;
  }

  secretsOf(row: Pick<SubscriptionRow, 'workspaceId' | 'id' | 'secrets' | 'secretsKeyId'>): WebhookSecrets {
    return this.#parts.vault.open(row.secrets, row.secretsKeyId, sealContext(row.workspaceId, row.id)) as WebhookSecrets;
  }

  #seal(workspaceId: string, id: string, secrets: WebhookSecrets) {
    return this.#parts.vault.seal(secrets, sealContext(workspaceId, id));
  }

  /** A host that the DNS does not know (yet) is no reason to refuse; every call is checked again. */
  async #checkTarget(url: string): Promise<void> {
    const target = URL.parse(url);
    if (!target || !/^https?:$/.test(target.protocol)) throw invalid('url', 'url must be an http or https address');
    if (target.username || target.password) throw invalid('url', 'url must not hold a name or password');
    try {
      await this.#resolveHost(target.hostname);
    } catch (error) {
      if (error instanceof ProviderError && error.code === 'blocked-address') throw invalid('url', error.message);
    }
  }

  async #follow(): Promise<number> {
    const { database, log } = this.#parts;
    const behind = await subscriptionsBehind(database, [...this.#speakers.keys()], SUBSCRIPTIONS_AT_A_TIME);
    const moved = await Promise.all(
      behind.map((subscription) =>
        this.#advance(subscription).catch((error) => {
          log.warn({ err: error, subscription: subscription.id }, 'a webhook subscription could not be fed; trying again');
          return false;
        }),
      ),
    );
    if (moved.includes(true)) this.#poster.wake();
    return moved.filter(Boolean).length;
  }

  async #advance(subscription: SubscriptionRow): Promise<boolean> {
    const { database } = this.#parts;
    const { workspaceId, id, cursor } = subscription;
    const newest = await newestSeq(database, workspaceId);
    const read = subscription.sandbox ? sandboxEventsAfter : eventsAfter;
    const events = await read(database, workspaceId, cursor, PAGE);
    const spoken = await this.#speakers.get(subscription.surface)!.speak(subscription, events);
    const last = events.at(-1)?.seq ?? cursor;
    const reached = events.length === PAGE ? last : Math.max(newest, last);
    const deliveries = spoken.map((item, position) => ({ ...item, position, id: uuidOf(`${id} ${item.seq} ${item.event} ${position}`) }));
    return database.transaction(async (client) => {
      if (!(await moveCursor(client, subscription, reached))) return false;
      await insertDeliveries(client, { workspaceId, subscriptionId: id }, deliveries);
      return true;
    });
  }
}

export function sealContext(workspaceId: string, id: string): string {
  return `webhook ${workspaceId} ${id}`;
}
