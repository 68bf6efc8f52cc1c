import { setTimeout as sleep } from 'node:timers/promises';
import { type RunningPatchbay, startPatchbay } from './patchbay.ts';
import { until } from './until.ts';

/** One that goes on until told: what it does fails at any moment, as the service is killed under it. */
export type Work = (patchbay: RunningPatchbay, gone: () => boolean) => Promise<unknown>;

/**
 * Kills the service under load at random moments, again and again; gives the one that is up afterwards. A round lasts until
 * `progress` has grown by 20, however slow the machine is, and then a while that differs from run to run: any moment must do.
 */
export async function killUnderLoad(
  first: RunningPatchbay,
  env: Record<string, string>,
  options: { rounds: number; work: Work[]; progress: () => number; afterKill?(): Promise<unknown> },
): Promise<RunningPatchbay> {
  const { rounds, work, progress, afterKill } = options;
  let patchbay = first;
  for (let round = 0; round < rounds; round++) {
    const running = patchbay;
    let killed = false;
    const before = progress();
    const load = work.map((one) => one(running, () => killed));
    await until(() => progress() >= before + 20, { timeoutMs: 60_000, what: 'progress' });
    await sleep(Math.random() * 500);
    killed = true;
    await running.kill();
    await Promise.all(load);
    await afterKill?.();
    patchbay = await startPatchbay(env);
  }
  return patchbay;
}

/** Does one thing after the other until it is gone; an attempt that fails is no news. */
export async function repeatedly(gone: () => boolean, once: () => Promise<unknown>): Promise<void> {
  while (!gone()) {
    try {
      await once();
    } catch {
      if (!gone()) await sleep(5);
    }
  }
}
