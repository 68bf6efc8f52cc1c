import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { StartError } from '../start-error.ts';
import { openDataDir } from './data-dir.ts';
import { findBinaries } from './embedded/binaries.ts';
import { endLeftover, initCluster, ROLE } from './embedded/cluster.ts';
import { chooseIdentity } from './embedded/identity.ts';
import { acquireLock } from './embedded/lock.ts';
import { type Postmaster, startPostmaster } from './embedded/postmaster.ts';

const DATABASE = 'patchbay';
/** A Unix socket's path is at most 107 bytes on Linux, 103 on macOS. */
const LONGEST_SOCKET_DIR = 80;

export interface EmbeddedLog {
  debug(message: string): void;
  info(message: string): void;
  warn(message: string): void;
  error(message: string): void;
}

/** The database server that Patchbay brings along. */
export interface Embedded {
  connection: pg.PoolConfig;
  /** The running server's process, for those who measure it. */
  pid(): number;
  /** Shuts the server down and frees the data folder; done within 5 s. */
  stop(): Promise<void>;
  /** Calls back each time the server ended without being asked to; it is started again all the same. */
  onExit(callback: (reason: string) => void): void;
}

/**
 * Starts PostgreSQL on `dataDir` (made when missing) and keeps it running until `stop`. One Patchbay at a time: throws
 * `StartError` when another living process has the folder, and ends the server that a killed one left behind. `signal`
 * ends a start that is still under way.
 */
export async function startEmbedded(options: { dataDir: string; log: EmbeddedLog; signal?: AbortSignal }): Promise<Embedded> {
  if (process.platform === 'win32') throw new StartError('on Windows, DATABASE_URL must name a PostgreSQL 15 or newer');
  const { log } = options;
  const dataDir = await openDataDir(options.dataDir);
  const clusterDir = join(dataDir, 'postgres');
  const runtimeDir = await mkdtemp(join(shortTmpdir(), 'patchbay-'));
  const removeRuntimeDir = () => rm(runtimeDir, { recursive: true, force: true });
  const lock = await acquireLock(dataDir, runtimeDir).catch(async (error) => {
    await removeRuntimeDir();
    throw error;
  });
  const release = async () => {
    await removeRuntimeDir();
    await lock.release();
  };
  try {
    if (await endLeftover(clusterDir)) log.warn('ended the database server that an earlier run left behind');
    for (const folder of lock.leftBehind) await rm(folder, { recursive: true, force: true });
    const binaries = await findBinaries(join(runtimeDir, 'lib'));
    const identity = await chooseIdentity({
      program: binaries.postgres,
      env: binaries.env,
      clusterDir,
      folders: [dataDir, runtimeDir],
      runtimeDir,
    });
    await initCluster(clusterDir, binaries, identity);
    const onLine = (line: string) => report(line, log);
    const start = (signal: AbortSignal) => startPostmaster({ clusterDir, socketDir: runtimeDir, binaries, identity, onLine, signal });
    const connection: pg.PoolConfig = { host: runtimeDir, user: ROLE, database: DATABASE };
    const first = await start(options.signal ?? new AbortController().signal);
    await createDatabase(connection).catch(async (error) => {
      await first.stop();
      throw error;
    });
    return supervise({ first, start, connection, release, log });
  } catch (error) {
    await release();
    throw error;
  }
}

function supervise(parts: {
  first: Postmaster;
  start(signal: AbortSignal): Promise<Postmaster>;
  connection: pg.PoolConfig;
  release(): Promise<void>;
  log: EmbeddedLog;
}): Embedded {
  const { log } = parts;
  const stopping = new AbortController();
  const callbacks: ((reason: string) => void)[] = [];
  let current = parts.first;

  const keepRunning = async () => {
    for (let failures = 0; ; ) {
      const since = Date.now();
      const reason = await current.ended;
      if (stopping.signal.aborted) return;
      log.error(`the database server ended: ${reason}; starting it again`);
      for (const callback of callbacks) callback(reason);
      if (Date.now() - since > 30_000) failures = 0;
      for (let started = false; !started; failures++) {
        // At once the first time: Ctrl-C reaches the server too, and what is in flight needs it to end properly.
        const delay = failures === 0 ? 0 : Math.min(10_000, 250 * 2 ** failures);
        await sleep(delay, undefined, { signal: stopping.signal }).catch(() => undefined);
        if (stopping.signal.aborted) return;
        try {
          current = await parts.start(stopping.signal);
          started = true;
          // Asked to stop in the very moment that it was ready.
          if (stopping.signal.aborted) await current.stop();
        } catch (error) {
          if (stopping.signal.aborted) return;
          log.error(error instanceof Error ? error.message : String(error));
        }
      }
    }
  };
  const kept = keepRunning();

  const stop = async () => {
    stopping.abort();
    await current.stop();
    await kept;
    await parts.release();
  };
  let stopped: Promise<void> | undefined;
  return {
    connection: parts.connection,
    pid: () => current.pid,
    stop: () => {
      stopped ??= stop();
      return stopped;
    },
    onExit: (callback) => callbacks.push(callback),
  };
}

function shortTmpdir(): string {
  const folder = tmpdir();
  return Buffer.byteLength(folder) > LONGEST_SOCKET_DIR ? '/tmp' : folder;
}

async function createDatabase(connection: pg.PoolConfig): Promise<void> {
  const client = new pg.Client({ ...connection, database: 'postgres' });
  await client.connect();
  try {
    const { rowCount } = await client.query('select 1 from pg_database where datname = $1', [DATABASE]);
    if (rowCount === 0) await client.query(`create database ${DATABASE}`);
  } finally {
    await client.end();
  }
}

function report(line: string, log: EmbeddedLog): void {
  // FATAL ends one connection, whose owner hears it too; only PANIC is about the whole server.
  if (line.startsWith('PANIC:')) log.error(`database: ${line}`);
  else log.debug(`database: ${line}`);
}
