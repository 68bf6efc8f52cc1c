import type pg from 'pg';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { createApp } from './api/app.ts';
import { drain, listen, openWaitingRoom, trackConnections } from './api/http.ts';
import type { Readiness } from './api/supervision.ts';
import type { Config } from './config.ts';
import { type Bootstrapped, bootstrap } from './engine/bootstrap.ts';
import { createEngine } from './engine/engine.ts';
import { Metrics } from './engine/metrics.ts';
import type { Logger } from './log.ts';
import { buildMissingPages } from './pages.ts';
import { loadSecret } from './secret.ts';
import { type Database, openDatabase } from './store/database.ts';
import { startEmbedded } from './store/embedded.ts';
import { migrateWhenReachable } from './store/migrate.ts';

/** Everything that runs, and its end. */
export interface Service extends Bootstrapped {
  database: Database;
  /** Drains and stops, the database last. */
  stop(): Promise<void>;
}

/** Brings the whole service up: database, migrations, first workspace and key, HTTP. Gives up when `signal` says so. */
export async function startService(config: Config, log: Logger, signal: AbortSignal): Promise<Service> {
  const cleanups: (() => Promise<void>)[] = [];
  const stop = async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  };
  try {
    const address = { host: config.host, port: config.port };
    const waitingRoom = await openWaitingRoom(address);
    cleanups.push(() => waitingRoom.close());

    const connection = await openStore(config, { log, signal }, cleanups);
    await migrateWhenReachable(connection, { log, signal });
    const database = openDatabase(connection, { log });
    cleanups.push(() => database.close());
    const secret = config.secret ?? (await loadSecret(config.dataDir));
    const bootstrapped = await bootstrap(database, config);
    if (!(await buildMissingPages(signal))) log.error('the pages could not be built: run npm run build');

    const metrics = new Registry();
    collectDefaultMetrics({ register: metrics });
    const readiness: Readiness = { draining: false, isDatabaseUp: () => database.isUp() };
    const engine = createEngine({
      config,
      log,
      secret,
      database,
      defaultWorkspaceId: bootstrapped.workspaceId,
      metrics: new Metrics(metrics),
    });
    const app = await createApp({ engine, metrics, readiness });
    trackConnections(app.server);
    cleanups.push(() => engine.stop());
    cleanups.push(async () => {
      readiness.draining = true;
      await drain(app);
    });
    await app.ready();
    await engine.start();
    await waitingRoom.close();
    await listen(app, address);
    return { ...bootstrapped, database, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function openStore(
  config: Config,
  options: { log: Logger; signal: AbortSignal },
  cleanups: (() => Promise<void>)[],
): Promise<pg.PoolConfig> {
  if (config.databaseUrl) return { connectionString: config.databaseUrl };
  const embedded = await startEmbedded({ dataDir: config.dataDir, ...options });
  cleanups.push(() => embedded.stop());
  return embedded.connection;
}
