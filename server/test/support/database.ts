import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { inject } from 'vitest';
import { type Database, openDatabase } from '../../src/store/database.ts';
import { whenFileEnds } from './cleanup.ts';
import { databaseUrl, type TestServer } from './global-setup.ts';

/** A migrated, empty database of one test file. */
export interface TestDatabase {
  database: Database;
  connection: pg.PoolConfig;
  /** For processes that are started with DATABASE_URL. */
  url: string;
}

/** Makes a database by cloning the run's migrated one; it is dropped when the test file ends. */
export async function testDatabase(): Promise<TestDatabase> {
  const response = await fetch(inject('testServerUrl'));
  if (!response.ok) throw new Error(`the test database server did not start: ${await response.text()}`);
  const { connection: admin, template } = (await response.json()) as TestServer;
  const name = `t_${randomUUID().replaceAll('-', '')}`;
  const client = new pg.Client(admin);
  await client.connect();
  await client.query(`create database ${name} template ${template}`);
  const connection = admin.connectionString
    ? { connectionString: databaseUrl(admin.connectionString, name) }
    : { ...admin, database: name };
  const database = openDatabase(connection as pg.PoolConfig, { log: { warn: () => undefined }, maxConnections: 10 });
  whenFileEnds(async () => {
    await database.close();
    await client.query(`drop database if exists ${name} with (force)`);
    await client.end();
  });
  const url = admin.connectionString
    ? databaseUrl(admin.connectionString, name)
    : `postgresql:///${name}?${new URLSearchParams({ host: admin.host!, user: admin.user! })}`;
  return { database, connection: connection as pg.PoolConfig, url };
}
