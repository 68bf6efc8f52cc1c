/** Wires the engine's parts together: what the surfaces work with. */

import { join } from 'node:path';
import type { Config } from '../config.ts';
import type { HttpClient } from '../connectors/connector.ts';
import { Registry } from '../connectors/registry.ts';
import type { Logger } from '../log.ts';
import type { Database } from '../store/database.ts';
import { templateShape, templatesOfAccount } from '../store/provider-templates.ts';
import { Vault } from '../store/vault.ts';
import { Arrivals } from './arrivals.ts';
import { Channels } from './channels.ts';
import { Contexts } from './contexts.ts';
import { type DnsLookup, systemDns } from './domain-check.ts';
import { domainWatch } from './domain-watch.ts';
import { fallbackMover } from './fallback.ts';
import { farewellSayer } from './farewells.ts';
import { Feed } from './feed.ts';
import { healthWatch } from './health.ts';
import { hookAt, takeCall } from './hook-calls.ts';
import { housekeeper } from './housekeeping.ts';
import { createHostResolver, createHttpClient } from './http-client.ts';
import { Ingest } from './ingest.ts';
import { type RunningMailServer, startMailServer } from './mail-server.ts';
import { Media } from './media.ts';
import { mediaFetcher } from './media-fetch.ts';
import { Metrics } from './metrics.ts';
import { Outbox } from './outbox.ts';
import { profileFetcher } from './profiles.ts';
import { Receivers } from './receivers.ts';
import { reconciler } from './reconciling.ts';
import { resealer } from './resealing.ts';
import { Routes } from './routes.ts';
import { SandboxCustomers } from './sandbox-customer.ts';
import { Sandboxes } from './sandboxes.ts';
import { Sender } from './send.ts';
import { settlementAsker } from './settlements.ts';
import { DiskSpool } from './spool.ts';
import { statistician } from './statistics.ts';
import { stragglerSweep } from './stragglers.ts';
import { syncTemplates, templateSync } from './templates.ts';
import { Webhooks } from './webhooks.ts';

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
  sandboxes: Sandboxes;
  channels: Channels;
  routes: Routes;
  ingest: Ingest;
  feed: Feed;
  media: Media;
  /** Bodies of mails that are too large for memory and database. */
  spool: DiskSpool;
  sender: Sender;
  outbox: Outbox;
  /** Who writes and answers on sandbox channels. */
  sandboxCustomers: SandboxCustomers;
  receivers: Receivers;
  webhooks: Webhooks;
  metrics: Metrics;
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
  /** Where the engine counts; a registry of its own unless told. */
  metrics?: Metrics;
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
  metrics = new Metrics(),
}: EngineParts): Engine {
  metrics.watchDatabase(database);
  const vault = new Vault(config.previousSecret ? [secret, config.previousSecret] : [secret]);
  const http = createHttpClient({ allowPrivate: config.allowPrivateNetwork });
  const media = new Media({
    database,
    folder: join(config.dataDir, 'media'),
    publicUrl: config.publicUrl,
    secret: vault.derive('media addresses'),
  });
  const spool = new DiskSpool(join(config.dataDir, 'media', 'mail'));
  const sandboxes: Sandboxes = new Sandboxes({
    registry,
    config: config.providers,
    channel: async (workspaceId, channelId) => {
      const row = await channels.get(workspaceId, channelId);
      return { source: row.source, view: channels.view(row) };
    },
    templates: async (workspaceId, source, account) => {
      const rows = await templatesOfAccount(database, workspaceId, source, account);
      return rows.filter((row) => row.status !== 'DELETED').map(templateShape);
    },
    take: async (workspaceId, call) => {
      const hook = hookAt(registry.hooks, call.path);
      return hook ? takeCall({ database, channels, contexts, ingest, log }, hook, call, { sandboxOf: workspaceId }) : { status: 404 };
    },
  });
  const resolveHost = createHostResolver({ allowPrivate: config.allowPrivateNetwork });
  const contexts: Contexts = new Contexts({ database, vault, http, resolveHost, config: config.providers, sandboxes, media, log });
  const routes = new Routes(database, registry);
  const channels: Channels = new Channels({
    database,
    registry,
    vault,
    contexts,
    routes,
    sandboxes,
    changed: () => {
      outbox.wake();
      receivers.look();
    },
  });
  const arrivals = new Arrivals(database, log);
  const ingest: Ingest = new Ingest({
    database,
    routes,
    defaultWorkspaceId,
    config: (sandbox) => (sandbox ? sandboxes.config : config.providers),
    spool,
    arrivals,
    metrics,
    log,
  });
  const receivers: Receivers = new Receivers({ database, registry, channels, contexts, ingest, spool, log });
  let mailServer: RunningMailServer | undefined;
  const feed = new Feed(database, log);
  const outbox: Outbox = new Outbox({ database, channels, contexts, sandboxes, metrics, log });
  const sender = new Sender({
    database,
    channels,
    mediaUrl: (workspaceId, id) => media.signedUrl(workspaceId, id),
    syncTemplates: async ({ channel }) => {
      await syncTemplates({ database, channels, contexts, log }, channel).catch((error) =>
        log.warn({ channel: channel.id, err: error }, 'the templates of a channel could not be fetched for a send'),
      );
    },
    wake: () => outbox.wake(),
  });
  const parts = { config, dns, database, channels, contexts, media, spool, vault, log, ingest, sender, outbox };
  const workers = [
    mediaFetcher,
    profileFetcher,
    healthWatch,
    domainWatch,
    templateSync,
    farewellSayer,
    housekeeper,
    statistician,
    stragglerSweep,
    settlementAsker,
    reconciler,
    fallbackMover,
    resealer,
  ].map((make) => make(parts));
  const webhooks = new Webhooks({ config, database, vault, http, log });
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
    sandboxes,
    channels,
    routes,
    ingest,
    feed,
    media,
    spool,
    sender,
    outbox,
    sandboxCustomers,
    receivers,
    webhooks,
    metrics,
    mailPort: () => mailServer?.port,
    async start() {
      // First: a port that somebody else has ends the start before anything runs.
      mailServer = await startMailServer({ config, database, ingest, spool, log });
      feed.start();
      arrivals.start();
      const recovered = await ingest.recover();
      if (recovered > 0) log.info({ events: recovered }, 'applied inbound events that an earlier process left');
      outbox.start();
      for (const worker of workers) worker.start();
      sandboxCustomers.start();
      receivers.start();
      webhooks.start();
    },
    async stop() {
      await Promise.all([
        mailServer?.close(),
        receivers.stop(),
        webhooks.stop(),
        outbox.stop(),
        sandboxCustomers.stop(),
        ...workers.map((worker) => worker.stop()),
      ]);
      await sandboxes.close();
      await ingest.drain();
      await arrivals.stop();
      await feed.stop();
      await http.close();
    },
  };
}
