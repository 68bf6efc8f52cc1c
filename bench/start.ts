// S5: seconds until ready, the first time and later, and the memory of all processes at rest.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../server/test/support/until.ts';

const LATER_STARTS = 5;
/** Long enough for what start-up left behind to be collected. */
const REST_MS = 5000;

const folder = await mkdtemp(join(tmpdir(), 'patchbay-bench-'));
const port = await freePort();

async function start(): Promise<{ child: ChildProcess; seconds: number }> {
  const begin = performance.now();
  const child = spawn('npm', ['start'], {
    cwd: join(import.meta.dirname, '..'),
    env: { ...process.env, PORT: String(port), DATA_DIR: join(folder, 'data'), SMTP_INBOUND_PORT: '0', LOG_LEVEL: 'warn' },
    stdio: ['ignore', 'ignore', 'inherit'],
    detached: true,
  });
  const isReady = () =>
    fetch(`http://127.0.0.1:${port}/readyz`).then(
      (response) => response.ok,
      () => false,
    );
  while (!(await isReady())) {
    if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}`);
    await sleep(10);
  }
  return { child, seconds: (performance.now() - begin) / 1000 };
}

async function stop(child: ChildProcess): Promise<number> {
  const begin = performance.now();
  child.kill('SIGTERM');
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`it ended with ${code}`);
  return (performance.now() - begin) / 1000;
}

/** Every process below this one, itself included. */
function family(pid: number): number[] {
  const rows = execFileSync('ps', ['-eo', 'pid=,ppid='], { encoding: 'utf8' }).trim().split('\n');
  const pairs = rows.map((row) => row.trim().split(/\s+/).map(Number) as [number, number]);
  const found = [pid];
  for (const parent of found) found.push(...pairs.filter(([, above]) => above === parent).map(([child]) => child));
  return found;
}

/** Megabytes of a process; what it shares with others is counted once, in equal parts. */
async function megabytes(pid: number): Promise<{ name: string; size: number }> {
  const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8');
  const name = (await readFile(`/proc/${pid}/cmdline`, 'utf8')).split('\0')[0]!.split('/').pop()!;
  return { name, size: Number(/^Pss:\s+(\d+)/m.exec(rollup)?.[1]) / 1024 };
}

try {
  const first = await start();
  console.log(`first start   ${first.seconds.toFixed(2)} s   (promise: 5 s)`);
  await stop(first.child);
  const later: number[] = [];
  const stops: number[] = [];
  for (let n = 0; n < LATER_STARTS; n++) {
    const next = await start();
    later.push(next.seconds);
    if (n === LATER_STARTS - 1 && process.platform === 'linux') {
      await sleep(REST_MS);
      const sizes = await Promise.all(family(next.child.pid!).map(megabytes));
      const total = sizes.reduce((sum, { size }) => sum + size, 0);
      const ofNpm = sizes.find(({ name }) => name.startsWith('npm'))?.size ?? 0;
      for (const { name, size } of sizes) console.log(`  ${size.toFixed(1).padStart(6)} MB  ${name}`);
      console.log(`at rest       ${total.toFixed(0)} MB, ${(total - ofNpm).toFixed(0)} MB of them without npm itself   (promise: 250 MB)`);
    }
    stops.push(await stop(next.child));
  }
  console.log(`later starts  ${later.map((seconds) => seconds.toFixed(2)).join(' ')} s   (promise: 1.5 s)`);
  console.log(`stops         ${stops.map((seconds) => seconds.toFixed(2)).join(' ')} s   (promise: 10 s)`);
} finally {
  await rm(folder, { recursive: true, force: true });
}
