import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { startEmbedded } from '../../src/store/embedded.ts';
import { migrate } from '../../src/store/migrate.ts';

/** Where the databases of one test run are made: a server, and a migrated database to be cloned. */
export interface TestServer {
  connection: pg.ClientConfig;
  template: string;
}

declare module 'vitest' {
  export interface ProvidedContext {
    /** Answers with the run's `TestServer`, started when the first test asks for it; below `/pages` once the pages are built. */
    testServerUrl: string;
  }
}

const BUILD_PAGES = join(import.meta.dirname, '..', '..', '..', 'scripts', 'build-pages.ts');

/** Offers every test file a database server of its run, and pages built once in it; neither is made while no test asks for one. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  let started: Promise<{ server: TestServer; stop(): Promise<void> }> | undefined;
  let built: Promise<unknown> | undefined;
  const broker = createServer((request, response) => {
    const failed = (error: Error) => response.writeHead(500).end(error.message);
    if (request.url === '/pages') {
      built ??= promisify(execFile)(process.execPath, [BUILD_PAGES]);
      built.then(() => response.end(), failed);
      return;
    }
    started ??= startTestServer();
    started.then(({ server }) => response.end(JSON.stringify(server)), failed);
  });
  broker.listen(0, '127.0.0.1');
  await once(broker, 'listening');
  project.provide('testServerUrl', `http://127.0.0.1:${(broker.address() as AddressInfo).port}/`);
  return async () => {
    broker.close();
    broker.closeAllConnections();
    await (await started?.catch(() => undefined))?.stop();
  };
}

async function startTestServer(): Promise<{ server: TestServer; stop(): Promise<void> }> {
  const given = process.env.TEST_DATABASE_URL;
  const { connection, stop } = given ? { connection: { connectionString: given }, stop: async () => undefined } : await startOwn();
  const template = `patchbay_test_${randomUUID().slice(0, 8)}`;
  await run(connection, `create database ${template}`);
  await migrate(given ? { connectionString: databaseUrl(given, template) } : { ...connection, database: template });
  return {
    server: { connection, template },
    stop: async () => {
      await run(connection, `drop database if exists ${template} with (force)`);
      await stop();
    },
  };
}

async function startOwn() {
  const dataDir = await mkdtemp(join(tmpdir(), 'patchbay-test-'));
  const silent = () => undefined;
  const embedded = await startEmbedded({ dataDir, log: { debug: silent, info: silent, warn: console.warn, error: console.error } });
  // What is killed in tests is Patchbay, never this server: it need not wait for the disk.
  for (const setting of ['fsync', 'full_page_writes', 'synchronous_commit'])
    await run(embedded.connection, `alter system set ${setting} = off`);
  await run(embedded.connection, 'select pg_reload_conf()');
  return {
    connection: embedded.connection,
    stop: async () => {
      await embedded.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
}

async function run(connection: pg.ClientConfig, sql: string): Promise<void> {
  const client = new pg.Client(connection);
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

/** The address of another database on the same server. */
export function databaseUrl(url: string, database: string): string {
  const other = new URL(url);
  other.pathname = `/${database}`;
  return other.href;
}
