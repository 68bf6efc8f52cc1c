/** Which of our channels an account at a provider belongs to. */
import { type ChannelView, type Connector, capabilitiesOf } from '../connectors/connector.ts';
import type { Registry } from '../connectors/registry.ts';
import type { WindowRule } from '../model/capabilities.ts';
import { isConnected } from '../model/channel.ts';
import { type ChannelRow, channelsByAccount, channelsByAddress } from '../store/channels.ts';
import type { Database } from '../store/database.ts';

/** What ingest needs to know of a channel. */
export interface Route {
  workspaceId: string;
  channelId: string;
  source: string;
  sourceChannelId: string;
  account: string;
  connector: Connector;
  window: WindowRule | null;
  sandbox: boolean;
  /** The channel as its connector sees it, without credentials. */
  view: ChannelView;
}

const CACHE_MS = 5_000;

/**
 * Remembers routes for a few seconds: a burst of webhooks asks the database once. A channel that is connected anew
 * calls `forget`, so its first message is not missed by this process; others learn it from the event log's hint.
 */
export class Routes {
  readonly #database: Database;
  readonly #registry: Registry;
  readonly #cache = new Map<string, { at: number; routes: Promise<Route[]> }>();

  constructor(database: Database, registry: Registry) {
    this.#database = database;
    this.#registry = registry;
  }

  /** The connected channels of an account; the same account may serve several workspaces. Empty when it is nobody's. */
  find(source: string, sourceChannelId: string): Promise<Route[]> {
    return this.#cached(`${source}\n${sourceChannelId}`, () => channelsByAddress(this.#database, source, sourceChannelId));
  }

  /** The connected channels that share a provider account (WABA, page). */
  findByAccount(source: string, account: string): Promise<Route[]> {
    return this.#cached(`account\n${source}\n${account}`, () => channelsByAccount(this.#database, source, account));
  }

  /** The source's connector, for what belongs to no channel. */
  connectorOf(source: string): Connector | undefined {
    return this.#registry.connector(source);
  }

  forget(): void {
    this.#cache.clear();
  }

  #cached(key: string, load: () => Promise<ChannelRow[]>): Promise<Route[]> {
    const now = Date.now();
    const entry = this.#cache.get(key);
    if (entry && now - entry.at < CACHE_MS) return entry.routes;
    if (this.#cache.size > 10_000) this.#cache.clear();
    const routes = load().then((rows) => rows.filter((row) => isConnected(row.status)).flatMap((row) => this.#route(row)));
    this.#cache.set(key, { at: now, routes });
    routes.catch(() => this.#cache.delete(key));
    return routes;
  }

  #route(row: ChannelRow): Route[] {
    const connector = this.#registry.connector(row.source);
    return connector ? [routeOf(row, connector)] : [];
  }
}

/** What ingest needs to know of a channel. */
export function routeOf(row: ChannelRow, connector: Connector): Route {
  const { id, workspaceId, source, sourceChannelId, account, name, sandbox, settings, details } = row;
  const view: ChannelView = { id, workspaceId, sourceChannelId, name, sandbox, settings, credentials: {}, details };
  return {
    workspaceId,
    channelId: id,
    source,
    sourceChannelId,
    account,
    connector,
    window: capabilitiesOf(connector, view).window,
    sandbox,
    view,
  };
}
