import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { StartError } from '../start-error.ts';
import { isDatabaseAway } from './database.ts';

/** Any number, as long as it stays the same: one node migrates at a time. */
const LOCK = 7_262_824_001;
const MIGRATIONS = join(import.meta.dirname, 'migrations');
const OLDEST_SERVER = 15;

interface Migration {
  name: string;
  sql: string;
  checksum: string;
}

/**
 * Brings the database up to date: applies the `.sql` files that it lacks, in order, each in a transaction of its own,
 * under a lock, so that several nodes may start at once. Gives the names of those applied now. Throws `StartError`
 * when an applied file was changed since, or when a newer Patchbay has been here.
 */
export async function migrate(connection: pg.ClientConfig, folder: string = MIGRATIONS): Promise<string[]> {
  const migrations = await readMigrations(folder);
  const client = new pg.Client(connection);
  // A connection that is lost in between fails the query that is waiting; without a listener it would end the process.
  client.on('error', () => undefined);
  await client.connect();
  try {
    await requireVersion(client);
    await client.query('select pg_advisory_lock($1)', [LOCK]);
    await client.query(
      'create table if not exists patchbay_migrations (name text primary key, checksum text not null, applied_at timestamptz not null default now())',
    );
    const { rows } = await client.query<{ name: string; checksum: string }>('select name, checksum from patchbay_migrations');
    const applied = new Map(rows.map((row) => [row.name, row.checksum]));
    refuseStrangers(migrations, applied);
    const open = migrations.filter((migration) => !applied.has(migration.name));
    for (const migration of open) await apply(client, migration);
    return open.map((migration) => migration.name);
  } finally {
    await client.end();
  }
}

async function readMigrations(folder: string): Promise<Migration[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort();
  return Promise.all(
    names.map(async (name) => {
      const sql = await readFile(join(folder, name), 'utf8');
      // A checkout with other line ends is the same migration.
      const checksum = createHash('sha256').update(sql.replaceAll('\r\n', '\n')).digest('hex');
      return { name, sql, checksum };
    }),
  );
}

async function requireVersion(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ server_version_num: string; server_version: string }>(
    `select current_setting('server_version_num') as server_version_num, current_setting('server_version') as server_version`,
  );
  const version = Number(rows[0]!.server_version_num);
  if (version < OLDEST_SERVER * 10_000) {
    throw new StartError(`DATABASE_URL: PostgreSQL ${OLDEST_SERVER} or newer is needed, this is ${rows[0]!.server_version}`);
  }
}

function refuseStrangers(migrations: Migration[], applied: Map<string, string>): void {
  const known = new Map(migrations.map((migration) => [migration.name, migration.checksum]));
  for (const [name, checksum] of applied) {
    const expected = known.get(name);
    if (expected === undefined) throw new StartError(`the database was used by a newer Patchbay (migration ${name} is unknown here)`);
    if (expected !== checksum) throw new StartError(`migration ${name} was changed after it had been applied to this database`);
  }
}

async function apply(client: pg.Client, migration: Migration): Promise<void> {
  try {
    await client.query('begin');
    await client.query(migration.sql);
    await client.query('insert into patchbay_migrations (name, checksum) values ($1, $2)', [migration.name, migration.checksum]);
    await client.query('commit');
  } catch (error) {
    if (!(error instanceof pg.DatabaseError)) throw error;
    throw new StartError(`migration ${migration.name} failed: ${error.message}`, { cause: error });
  }
}

/** How long a database that is only just starting is waited for. */
const PATIENCE_MS = 30_000;

/** As `migrate`, waiting a while for a database that cannot be reached yet. Throws `StartError` that names DATABASE_URL. */
export async function migrateWhenReachable(
  connection: pg.ClientConfig,
  options: { log: { debug(fields: object, message: string): void; warn(fields: object, message: string): void }; signal: AbortSignal },
): Promise<void> {
  const end = Date.now() + PATIENCE_MS;
  for (let told = false; ; told = true) {
    try {
      const applied = await migrate({ connectionTimeoutMillis: 5000, ...connection });
      if (applied.length > 0) options.log.debug({ applied }, 'the database was brought up to date');
      return;
    } catch (error) {
      if (error instanceof StartError || !(error instanceof Error)) throw error;
      const reason = (error as NodeJS.ErrnoException).code ?? error.message;
      if (!isDatabaseAway(error)) throw new StartError(`DATABASE_URL: ${error.message}`, { cause: error });
      if (Date.now() > end) throw new StartError(`DATABASE_URL: the database cannot be reached (${reason})`, { cause: error });
      if (!told) options.log.warn({ reason }, 'the database of DATABASE_URL cannot be reached; waiting for it');
      await sleep(500, undefined, { signal: options.signal });
    }
  }
}
