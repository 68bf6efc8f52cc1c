/** What a connector is handed to work with, for one channel. */
import type { Logger } from 'pino';
import type { ConnectorContext, HttpClient, MailDomain, ProviderConfig } from '../connectors/connector.ts';
import type { Database } from '../store/database.ts';
import { emailDomainByName } from '../store/email-domains.ts';
import { domainOwner } from '../store/mailboxes.ts';
import { claimMemo, dropMemo, readMemo, writeMemo } from '../store/memos.ts';
import type { Vault } from '../store/vault.ts';
import { dkimOf } from './mail-domains.ts';
import type { Media } from './media.ts';
import type { Sandboxes } from './sandboxes.ts';

export interface ContextsOptions {
  database: Database;
  vault: Vault;
  http: HttpClient;
  resolveHost(host: string): Promise<string>;
  config: ProviderConfig;
  /** The stand-ins, for channels made with test keys. */
  sandboxes: Pick<Sandboxes, 'config' | 'http'>;
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

  /** The way out and the settings for what concerns no channel yet: a webhook that is still to be verified. */
  outside(sandbox: boolean): { http: HttpClient; config: ProviderConfig } {
    const { http, config, sandboxes } = this.#options;
    return { http, config: sandbox ? sandboxes.config : config };
  }

  for(channel: { workspaceId: string; channelId: string | null; sandbox: boolean }): ConnectorContext {
    const { database, vault, http, resolveHost, config, sandboxes, media, log } = this.#options;
    const { workspaceId } = channel;
    const channelId = channel.channelId ?? NOWHERE;
    return {
      http: channel.sandbox ? sandboxes.http(channel) : http,
      resolveHost,
      config: channel.sandbox ? sandboxes.config : config,
      ...(channel.sandbox ? { sandbox: true } : {}),
      now: () => new Date(),
      log: log.child({ channel: channel.channelId }),
      openMedia: (id) => media.open(workspaceId, id),
      mediaUrl: (id) => media.signedUrl(workspaceId, id),
      mailDomain: (domain) => this.#mailDomain(channel, domain),
      memo: {
        get: (key) => readMemo(database, vault, { workspaceId, channelId, key }),
        set: (key, value, ttlSeconds) => writeMemo(database, vault, { workspaceId, channelId, key }, value, ttlSeconds),
        claim: (key, ttlSeconds) => claimMemo(database, vault, { workspaceId, channelId, key }, ttlSeconds),
        drop: (key) => dropMemo(database, { workspaceId, channelId, key }),
      },
    };
  }

  async #mailDomain({ workspaceId, sandbox }: { workspaceId: string; sandbox: boolean }, name: string): Promise<MailDomain> {
    const { database } = this.#options;
    const [ownerId, domain] = await Promise.all([domainOwner(database, name), emailDomainByName(database, workspaceId, name)]);
    // A signature whose key nobody finds does more harm than none.
    const published = domain?.verifiedAt || domain?.checks.some(({ purpose, status }) => purpose === 'dkim' && status === 'ok');
    const key = domain && published && domain.sandbox === sandbox ? dkimOf(this.#options, domain) : undefined;
    return {
      owner: ownerId === undefined ? 'nobody' : ownerId === workspaceId ? 'us' : 'somebody else',
      failing: domain?.failingSince != null && domain.sandbox === sandbox,
      ...(key ? { dkim: { selector: key.selector, privateKey: key.private_key } } : {}),
    };
  }
}
