/** What a connector is handed to work with, for one channel. */
import type { Logger } from 'pino';
import type { ConnectorContext, HttpClient, ProviderConfig } from '../connectors/connector.ts';
import type { Database } from '../store/database.ts';
import { readMemo, writeMemo } from '../store/memos.ts';
import type { Vault } from '../store/vault.ts';
import type { Media } from './media.ts';

export interface ContextsOptions {
  database: Database;
  vault: Vault;
  http: HttpClient;
  resolveHost(host: string): Promise<string>;
  config: ProviderConfig;
  /** The providers' addresses and secrets of the stand-ins, for channels made with test keys. */
  sandboxConfig: ProviderConfig;
  media: Media;
  log: Logger;
}

/** A channel-to-be has no id yet: what it remembers is not kept. */
const NOWHERE = '00000000-0000-0000-0000-000000000000';

export class Contexts {
  readonly #options: ContextsOptions;

  constructor(options: ContextsOptions) {
    this.#options = options;
  }

  for(channel: { workspaceId: string; channelId: string | null; sandbox: boolean }): ConnectorContext {
    const { database, vault, http, resolveHost, config, sandboxConfig, media, log } = this.#options;
    const { workspaceId } = channel;
    const channelId = channel.channelId ?? NOWHERE;
    return {
      http,
      resolveHost,
      config: channel.sandbox ? sandboxConfig : config,
      now: () => new Date(),
      log: log.child({ channel: channel.channelId }),
      openMedia: (id) => media.open(workspaceId, id),
      mediaUrl: (id) => media.signedUrl(workspaceId, id),
      memo: {
        get: (key) => readMemo(database, vault, { workspaceId, channelId, key }),
        set: (key, value, ttlSeconds) => writeMemo(database, vault, { workspaceId, channelId, key }, value, ttlSeconds),
      },
    };
  }
}
