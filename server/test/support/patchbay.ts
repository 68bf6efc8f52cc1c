import { type ChildProcess, spawn } from 'node:child_process';
import { chmod, chown, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { whenFileEnds } from './cleanup.ts';
import { freePort, until } from './until.ts';

const ROOT = join(import.meta.dirname, '..', '..', '..');
/** What `npm start` runs. */
const START = ['--require', join(ROOT, 'scripts', 'check-node.cjs'), join(ROOT, 'scripts', 'start.ts')];

export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** A real Patchbay in a process group of its own. */
export interface RunningPatchbay {
  url: string;
  port: number;
  dataDir: string;
  /** The process, which is also the number of its group. */
  pid: number;
  /** Everything that it printed so far. */
  output(): string;
  stdout(): string;
  /** The key of the first start, or PATCHBAY_API_KEY. */
  apiKey: string | undefined;
  workspaceId: string | undefined;
  exited: Promise<Exit>;
  /** Sends a signal to the process alone and waits for its end. */
  stop(signal?: NodeJS.Signals): Promise<Exit>;
  /** SIGKILL to the whole group, as a power failure would. */
  kill(): Promise<Exit>;
}

export interface PatchbayOptions {
  /** As whom it runs, where the tests run as root. */
  user?: { uid: number; gid: number };
  /** Started as people do, by `npm start`. */
  npm?: boolean;
}

const groups = new Set<number>();

function killGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

process.once('exit', () => {
  for (const pid of groups) killGroup(pid, 'SIGKILL');
});

/** A folder that is removed when the test file ends; others may pass through it. */
export async function temporaryFolder(user?: { uid: number; gid: number }): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'patchbay-run-'));
  whenFileEnds(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  await chmod(folder, 0o711);
  if (user) await chown(folder, user.uid, user.gid);
  return folder;
}

/** Starts Patchbay without waiting for anything. What `env` does not say has a value that disturbs nobody. */
export async function spawnPatchbay(env: Record<string, string> = {}, options: PatchbayOptions = {}): Promise<RunningPatchbay> {
  const port = Number(env.PORT ?? (await freePort()));
  const folder = await temporaryFolder(options.user);
  const dataDir = env.DATA_DIR ?? join(folder, 'data');
  const [command, ...args] = options.npm ? ['npm', 'start'] : [process.execPath, ...START];
  const child = spawn(command!, args, {
    cwd: ROOT,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, TMPDIR: folder, SMTP_INBOUND_PORT: '0', PORT: String(port), DATA_DIR: dataDir, ...env },
    ...options.user,
  });
  const pid = child.pid!;
  groups.add(pid);
  whenFileEnds(() => groups.has(pid) && killGroup(pid, 'SIGKILL'));
  const printed = collect(child);
  const exited = new Promise<Exit>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
  void exited.then(() => groups.delete(pid));
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    dataDir,
    pid,
    output: () => printed.both,
    stdout: () => printed.stdout,
    get apiKey() {
      return env.PATCHBAY_API_KEY ?? /ak_(live|test)_\w+/.exec(printed.stdout)?.[0];
    },
    get workspaceId() {
      return /Workspace\s+([0-9a-f-]{36})/.exec(printed.stdout)?.[1];
    },
    exited,
    stop: (signal = 'SIGTERM') => {
      child.kill(signal);
      return exited;
    },
    kill: () => {
      killGroup(pid, 'SIGKILL');
      return exited;
    },
  };
}

/** Starts Patchbay and waits until it is ready. Rejects with what it printed when it ends before. */
export async function startPatchbay(env: Record<string, string> = {}, options: PatchbayOptions = {}): Promise<RunningPatchbay> {
  const patchbay = await spawnPatchbay(env, options);
  let ended = false;
  void patchbay.exited.then(() => {
    ended = true;
  });
  const welcomed = () => ended || patchbay.stdout().includes('Patchbay is running');
  await until(welcomed, { timeoutMs: 60_000, what: 'the start of Patchbay' });
  if (ended) throw new Error(`Patchbay ended at its start: ${patchbay.output()}`);
  await until(async () => (await fetch(`${patchbay.url}/readyz`)).ok, { what: 'readiness' });
  return patchbay;
}

function collect(child: ChildProcess): { stdout: string; both: string } {
  const printed = { stdout: '', both: '' };
  child.stdout!.setEncoding('utf8').on('data', (text: string) => {
    printed.stdout += text;
    printed.both += text;
  });
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    printed.both += text;
  });
  return printed;
}
