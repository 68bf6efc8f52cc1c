/** Wires the engine's parts together: what the surfaces work with. */

import { join } from 'node:path';
import type { Config } from '../config.ts';
import type { HttpClient } from '../connectors/connector.ts';
import { Registry } from '../connectors/registry.ts';
import type { Logger } from '../log.ts';
import type { Database } from '../store/database.ts';
import { Vault } from '../store/vault.ts';
import { Channels } from './channels.ts';
import { Contexts } from './contexts.ts';
import { type DnsLookup, systemDns } from './domain-check.ts';
import { farewellSayer } from './farewells.ts';
import { Feed } from './feed.ts';
import { healthWatch } from './health.ts';
import { housekeeper } from './housekeeping.ts';
import { createHostResolver, createHttpClient } from './http-client.ts';
import { Ingest } from './ingest.ts';
import { type RunningMailServer, startMailServer } from './mail-server.ts';
import { Media } from './media.ts';
import { mediaFetcher } from './media-fetch.ts';
import { Outbox } from './outbox.ts';
import { profileFetcher } from './profiles.ts';
import { Receivers } from './receivers.ts';
import { Routes } from './routes.ts';
import { SandboxCustomers } from './sandbox-customer.ts';
import { Sender } from './send.ts';
import { templateSync } from './templates.ts';

export interface Engine {
  config: Config;
  log: Logger;
  database: Database;
  /** The workspace of the first key; events that are nobody's are filed there. */
  defaultWorkspaceId: string;
  registry: Registry;
  /** The way out for what is not a connector's call. */
  http: HttpClient;
  dns: DnsLookup;
  vault: Vault;
  contexts: Contexts;
  channels: Channels;
  routes: Routes;
  ingest: Ingest;
  feed: Feed;
  media: Media;
  sender: Sender;
  outbox: Outbox;
  /** Who writes and answers on sandbox channels. */
  sandboxCustomers: SandboxCustomers;
  receivers: Receivers;
  /** Port of the built-in mail server while it listens. */
  mailPort(): number | undefined;
  start(): Promise<void>;
  stop(): Promise<void>;
}

export interface EngineParts {
  config: Config;
  log: Logger;
  /** 32 bytes. */
  secret: Buffer;
  database: Database;
  defaultWorkspaceId: string;
  /** The sources; all of them unless told. */
  registry?: Registry;
  /** Where mail domains are looked up; the system's DNS unless told. */
  dns?: DnsLookup;
}

/** Makes the engine; nothing runs until `start`. */
export function createEngine({
  config,
  log,
  secret,
  database,
  defaultWorkspaceId,
  registry = new Registry(),
  dns = systemDns(),
}: EngineParts): Engine {
  const vault = new Vault([secret]);
  const http = createHttpClient({ allowPrivate: config.allowPrivateNetwork });
  const media = new Media({
    database,
    folder: join(config.dataDir, 'media'),
    publicUrl: config.publicUrl,
    secret: vault.derive('media addresses'),
  });
  const resolveHost = createHostResolver({ allowPrivate: config.allowPrivateNetwork });
  const contexts = new Contexts({
    database,
    vault,
    http,
    resolveHost,
    config: config.providers,
    sandboxConfig: config.providers,
    media,
    log,
  });
  const routes = new Routes(database, registry);
  const channels = new Channels({ database, registry, vault, contexts, routes, changed: () => receivers.look() });
  const ingest = new Ingest({ database, routes, defaultWorkspaceId, config: config.providers, log });
  const receivers = new Receivers({ database, registry, channels, contexts, ingest, log });
  let mailServer: RunningMailServer | undefined;
  const feed = new Feed(database, log);
  const outbox = new Outbox({ database, channels, contexts, ingest, log });
  const sender = new Sender({ database, channels, wake: () => outbox.wake() });
  const parts = { database, channels, contexts, media, vault, log };
  const workers = [mediaFetcher, profileFetcher, healthWatch, templateSync, farewellSayer, housekeeper].map((make) => make(parts));
  const sandboxCustomers = new SandboxCustomers({ database, channels, feed, ingest, log });
  return {
    config,
    log,
    database,
    defaultWorkspaceId,
    registry,
    http,
    dns,
    vault,
    contexts,
    channels,
    routes,
    ingest,
    feed,
    media,
    sender,
    outbox,
    sandboxCustomers,
    receivers,
    mailPort: () => mailServer?.port,
    async start() {
      feed.start();
      const recovered = await ingest.recover();
      if (recovered > 0) log.info({ events: recovered }, 'applied inbound events that an earlier process left');
      outbox.start();
      for (const worker of workers) worker.start();
      sandboxCustomers.start();
      receivers.start();
      mailServer = await startMailServer({ config, database, ingest, log });
    },
    async stop() {
      await Promise.all([
        mailServer?.close(),
        receivers.stop(),
        outbox.stop(),
        sandboxCustomers.stop(),
        ...workers.map((worker) => worker.stop()),
      ]);
      await ingest.drain();
      await feed.stop();
      await http.close();
    },
  };
}
