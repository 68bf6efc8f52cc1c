import { setTimeout as sleep } from 'node:timers/promises';
import { type RunningPatchbay, startPatchbay } from './patchbay.ts';
import { until } from './until.ts';

/** One that goes on until told: what it does fails at any moment, as the service is killed under it. */
export type Work = (patchbay: RunningPatchbay, gone: () => boolean) => Promise<unknown>;

/** Kills the service under load at random moments, again and again; gives the one that is up afterwards. */
export async function killUnderLoad(
  first: RunningPatchbay,
  env: Record<string, string>,
  /**
   * `enough`: whether the rounds saw enough to say something; a slow machine gets more and longer ones, up to four times as many.
   * `progress`: a round also goes on until this has grown by 20, however slow the machine is.
   */
  options: { rounds: number; work: Work[]; enough?: () => boolean; progress?: () => number; afterKill?(): Promise<unknown> },
): Promise<RunningPatchbay> {
  let patchbay = first;
  const { rounds, enough = () => true, progress } = options;
  for (let round = 0; round < rounds || (!enough() && round < 4 * rounds); round++) {
    const running = patchbay;
    let killed = false;
    const before = progress?.() ?? 0;
    const load = options.work.map((work) => work(running, () => killed));
    // The moments differ from run to run on purpose: any moment must do.
    await sleep((100 + Math.random() * 700) * Math.ceil((round + 1) / rounds));
    if (progress) await until(() => progress() >= before + 20, { timeoutMs: 60_000, what: 'progress' });
    killed = true;
    await running.kill();
    await Promise.all(load);
    await options.afterKill?.();
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
