import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { StartError } from '../../start-error.ts';
import type { Binaries } from './binaries.ts';
import { give, type Identity } from './identity.ts';
import { holdsWithin, isPostmasterOf } from './processes.ts';

/** The role that owns everything; only who may enter the socket's folder can take it. */
export const ROLE = 'patchbay';

/**
 * Settings of the server, on its command line so that an upgrade of Patchbay changes them for existing data too.
 * Small at rest; large enough WAL that steady ingest is not interrupted by checkpoints.
 */
export function serverSettings(socketDir: string): Record<string, string> {
  return {
    // The socket's folder is the lock: no TCP port, no password.
    listen_addresses: '',
    unix_socket_directories: socketDir,
    max_connections: '150',
    shared_buffers: '96MB',
    work_mem: '8MB',
    maintenance_work_mem: '64MB',
    effective_cache_size: '512MB',
    huge_pages: 'off',
    // POSIX shared memory is 64 MB in a container unless told otherwise; a file in the data folder always works.
    dynamic_shared_memory_type: 'mmap',
    // Reads wait for few disks here; worker processes would cost memory at rest.
    io_method: 'sync',
    jit: 'off',
    random_page_cost: '1.1',
    max_parallel_workers_per_gather: '0',
    max_worker_processes: '4',
    autovacuum_max_workers: '2',
    // Nobody replicates from it: less WAL, fewer processes.
    wal_level: 'minimal',
    max_wal_senders: '0',
    max_logical_replication_workers: '0',
    wal_compression: 'on',
    wal_buffers: '16MB',
    min_wal_size: '128MB',
    max_wal_size: '1GB',
    checkpoint_timeout: '15min',
    fsync: 'on',
    synchronous_commit: 'on',
    log_destination: 'stderr',
    logging_collector: 'off',
    log_line_prefix: '',
    log_checkpoints: 'off',
    // Errors of single statements are the caller's to report; their text may hold what people wrote.
    log_min_messages: 'log',
    log_min_error_statement: 'panic',
    timezone: 'UTC',
    log_timezone: 'UTC',
  };
}

/** Makes the cluster when there is none. It appears whole under its name or not at all. */
export async function initCluster(clusterDir: string, binaries: Binaries, identity: Identity): Promise<void> {
  if (existsSync(join(clusterDir, 'PG_VERSION'))) return;
  const draft = `${clusterDir}.new`;
  await rm(draft, { recursive: true, force: true });
  await mkdir(draft, { recursive: true, mode: 0o700 });
  if (identity.owner) await give(draft, identity.owner);
  const initdb = (args: string[]) => runProgram(binaries.initdb, ['-D', draft, ...args], binaries, identity);
  await initdb([
    ...['-U', ROLE, '--auth=trust', '--encoding=UTF8', '--no-instructions'],
    ...['--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'],
    ...['-c', 'dynamic_shared_memory_type=mmap'],
    '--no-sync',
  ]);
  await initdb(['--sync-only']);
  await rename(draft, clusterDir);
}

async function runProgram(program: string, args: string[], binaries: Binaries, identity: Identity): Promise<void> {
  const [command, commandArgs] = identity.command(program, args);
  const child = spawn(command, commandArgs, {
    cwd: '/',
    env: serverEnv(binaries),
    uid: identity.uid,
    gid: identity.gid,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (code !== 0) throw new StartError(`the database could not be set up: ${said.trim() || `${program} ended with ${code}`}`);
}

/** What the database server sees of our environment: nothing that could be a secret. */
export function serverEnv(binaries: Binaries): Record<string, string> {
  return { ...binaries.env, PATH: process.env.PATH ?? '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' };
}

/** Reads `postmaster.pid`: the server's process and whether it takes connections; undefined when there is none. */
export async function readPostmaster(clusterDir: string): Promise<{ pid: number; ready: boolean } | undefined> {
  const text = await readFile(join(clusterDir, 'postmaster.pid'), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const lines = text.split('\n');
  return { pid: Number(lines[0]), ready: lines[7]?.trim() === 'ready' };
}

/** Ends a server that a killed Patchbay left running on this cluster. */
export async function endLeftover(clusterDir: string): Promise<boolean> {
  const postmaster = await readPostmaster(clusterDir);
  if (!postmaster || !(await isPostmasterOf(postmaster.pid, clusterDir))) return false;
  for (const signal of ['SIGINT', 'SIGQUIT', 'SIGKILL'] as const) {
    try {
      process.kill(postmaster.pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ESRCH') return true;
      throw new StartError(`a database server of another user (process ${postmaster.pid}) still runs on ${clusterDir}`, { cause: error });
    }
    if (await holdsWithin(5000, async () => !(await isPostmasterOf(postmaster.pid, clusterDir)))) return true;
  }
  throw new StartError(`the database server left from an earlier run (process ${postmaster.pid}) cannot be ended`);
}
