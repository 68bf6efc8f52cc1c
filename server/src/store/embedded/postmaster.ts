import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { StartError } from '../../start-error.ts';
import type { Binaries } from './binaries.ts';
import { readPostmaster, serverEnv, serverSettings } from './cluster.ts';
import type { Identity } from './identity.ts';
import { holdsWithin } from './processes.ts';

export interface PostmasterOptions {
  clusterDir: string;
  socketDir: string;
  binaries: Binaries;
  identity: Identity;
  onLine(line: string): void;
  /** Ends the start, however long the server would still need. */
  signal: AbortSignal;
}

/** One run of the database server. */
export interface Postmaster {
  pid: number;
  /** Resolves with a description once it has ended. */
  ended: Promise<string>;
  /** Shuts it down, less and less politely; done within 5 s. */
  stop(): Promise<void>;
}

/** How a server is asked to end, and how long each may take: at once but clean; at once; not asked. */
const GOODBYES = [
  ['SIGINT', 3500],
  ['SIGQUIT', 1000],
  ['SIGKILL', 500],
] as const;

/** Starts the server and waits until it takes connections. Throws `StartError` with its own last words. */
export async function startPostmaster(options: PostmasterOptions): Promise<Postmaster> {
  for (let attempt = 1; ; attempt++) {
    const outcome = await tryStart(options);
    if (typeof outcome !== 'string') return outcome;
    // The backends of a killed server need a moment to notice that it is gone.
    const held = /pre-existing shared memory block|lock file .* already exists|could not bind/.test(outcome);
    if (!held || attempt === 50 || options.signal.aborted)
      throw new StartError(`the database in ${options.clusterDir} does not start: ${outcome}`);
    await sleep(100);
  }
}

async function tryStart(options: PostmasterOptions): Promise<Postmaster | string> {
  const { clusterDir, socketDir, binaries, identity } = options;
  const settings = Object.entries(serverSettings(socketDir)).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const [command, args] = identity.command(binaries.postgres, ['-D', clusterDir, ...settings]);
  const child = spawn(command, args, {
    cwd: '/',
    env: serverEnv(binaries),
    uid: identity.uid,
    gid: identity.gid,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const lastLines: string[] = [];
  readLines(child, (line) => {
    lastLines.push(line);
    if (lastLines.length > 10) lastLines.shift();
    options.onLine(line);
  });
  let hasEnded = false;
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, signal) => resolve(lastWords(lastLines) || `it ended with ${signal ?? `code ${code}`}`));
  }).then((words) => {
    hasEnded = true;
    return words;
  });
  const killWithUs = () => child.kill('SIGINT');
  process.once('exit', killWithUs);
  void ended.then(() => process.removeListener('exit', killWithUs));
  const stop = async () => {
    for (const [signal, milliseconds] of GOODBYES) {
      if (hasEnded) return;
      child.kill(signal);
      if (await holdsWithin(milliseconds, () => hasEnded)) return;
    }
  };
  const isReady = async () => {
    const postmaster = await readPostmaster(clusterDir);
    return postmaster?.pid === child.pid && postmaster?.ready === true;
  };
  // Recovery after a crash takes as long as it takes; the server's end or a stop are what ends the waiting.
  while (!hasEnded && !options.signal.aborted && !(await isReady())) await sleep(10);
  if (options.signal.aborted) await stop();
  if (hasEnded) return ended;
  return { pid: child.pid!, ended, stop };
}

function readLines(child: ChildProcess, onLine: (line: string) => void): void {
  let rest = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line.trim() !== '') onLine(line);
  });
}

/** The lines that say why, without the routine ones. */
function lastWords(lines: string[]): string {
  const telling = lines.filter((line) => !/^(LOG|HINT):/.test(line));
  return telling.map((line) => line.replace(/^(FATAL|PANIC|ERROR|DETAIL):\s*/, '').trim()).join('; ');
}
