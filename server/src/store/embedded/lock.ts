import { randomUUID } from 'node:crypto';
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { StartError } from '../../start-error.ts';
import { unusable } from '../data-dir.ts';
import { isAlive, startedAt } from './processes.ts';

interface Holder {
  pid: number;
  /** When the process started, so that a number given to somebody else later is not taken for it. */
  startedAt: string | null;
  /** Its private folder for the socket: whoever clears up after it removes that too. */
  runtimeDir: string;
}

/** A data folder held by this process. */
export interface Lock {
  /** Folders that killed holders left behind. */
  leftBehind: string[];
  release(): Promise<void>;
}

/**
 * Takes the data folder for this process. Throws `StartError` when another living process holds it; what a dead one
 * left is cleared.
 */
export async function acquireLock(dataDir: string, runtimeDir: string): Promise<Lock> {
  const path = join(dataDir, 'patchbay.lock');
  const holder: Holder = { pid: process.pid, startedAt: await startedAt(process.pid), runtimeDir };
  const leftBehind: string[] = [];
  const draft = `${path}.${randomUUID()}`;
  await writeFile(draft, JSON.stringify(holder), { mode: 0o600 }).catch((error) => {
    throw unusable(dataDir, error);
  });
  try {
    // A link appears whole or not at all: nobody ever reads half a lock.
    while (!(await linked(draft, path))) {
      const other = await readHolder(path);
      if (other === 'gone') continue;
      if (other && (await lives(other))) throw new StartError(`data folder ${dataDir} is in use by process ${other.pid}`);
      const stale = `${path}.${randomUUID()}`;
      const moved = await rename(path, stale).then(
        () => true,
        () => false,
      );
      if (!moved) continue;
      const taken = await readHolder(stale);
      if (taken && taken !== 'gone') {
        if (await lives(taken)) {
          // Somebody was faster: between the look and the move the dead one's lock had become a living one's.
          await linked(stale, path);
          await rm(stale, { force: true });
          continue;
        }
        leftBehind.push(taken.runtimeDir);
      }
      await rm(stale, { force: true });
    }
  } finally {
    await rm(draft, { force: true });
  }
  return { leftBehind, release: () => rm(path, { force: true }) };
}

async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function readHolder(path: string): Promise<Holder | 'gone' | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Holder;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'gone';
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

async function lives(holder: Holder): Promise<boolean> {
  if (!(await isAlive(holder.pid))) return false;
  return holder.startedAt === null || holder.startedAt === (await startedAt(holder.pid));
}
