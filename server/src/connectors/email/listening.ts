/** What every mailbox that is asked rather than told has in common: pauses, backing off, and telling how it goes. */
import { ProviderError } from '../../model/errors.ts';
import type { HealthReport } from '../connector.ts';
import type { Listening } from './kind.ts';
import type { Mailbox } from './settings.ts';
import { StepError, words } from './steps.ts';

const FIRST_MS = 1_000;
const MOST_MS = 5 * 60_000;
const REFUSED_MS = 60_000;
const REFUSED_MOST_MS = 15 * 60_000;

/** Waits for a wake, the time or the end; the reasons of the wakes. */
export async function pause(context: Listening, ms: number): Promise<string[]> {
  if (context.signal.aborted) return [];
  if (context.wait) return context.wait(ms);
  await new Promise<void>((done) => {
    const timer = setTimeout(done, ms);
    context.signal.addEventListener(
      'abort',
      () => {
        clearTimeout(timer);
        done();
      },
      { once: true },
    );
  });
  return [];
}

/** Clocks differ a little; what shows because of it was in the mailbox a minute before it was connected. */
const SKEW_MS = 60_000;

/** Since when mail counts in a mailbox that was never looked into; undefined: from now on. */
export function connectedSince(mailbox: Mailbox): Date | undefined {
  const at = Date.parse(String(mailbox.details.connectedAt));
  return Number.isNaN(at) ? undefined : new Date(at - SKEW_MS);
}

/** Resolves when the signal ends. */
export function ended(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((done) => signal.addEventListener('abort', () => done(), { once: true }));
}

/** Tells how the mailbox is doing, once per change. */
export function reporter(context: Listening): (report: HealthReport) => Promise<void> {
  let told = '';
  return async (report) => {
    const now = `${report.status} ${report.reason ?? ''}`;
    if (now === told) return;
    told = now;
    if (report.status !== 'active') context.log.warn({ status: report.status }, report.reason ?? 'the mailbox needs attention');
    await context.report?.(report);
  };
}

/**
 * Runs `work` again and again until the signal ends. It may end (then it is begun anew at once) or throw: then it
 * is told and, after a pause that grows, begun anew. `work` calls `well` when it got through.
 */
export async function keepTrying(
  context: Listening,
  report: (report: HealthReport) => Promise<void>,
  work: (well: () => Promise<void>) => Promise<void>,
): Promise<void> {
  let failures = 0;
  const well = async () => {
    failures = 0;
    await report({ status: 'active' });
  };
  while (!context.signal.aborted) {
    try {
      await work(well);
    } catch (error) {
      if (context.signal.aborted) return;
      failures += 1;
      const refused = isRefusal(error);
      await report({ status: refused ? 'failed' : 'warning', reason: words(error) });
      await pause(context, pauseAfter(failures, refused, error));
    }
  }
}

/** True when only a person can help: the credentials are refused. */
export function isRefusal(error: unknown): boolean {
  return (error instanceof ProviderError && error.class === 'unauthorized') || (error instanceof StepError && error.refused);
}

function pauseAfter(failures: number, refused: boolean, error: unknown): number {
  if (error instanceof ProviderError && error.retryAfterMs !== undefined) return error.retryAfterMs;
  const [first, most] = refused ? [REFUSED_MS, REFUSED_MOST_MS] : [FIRST_MS, MOST_MS];
  return Math.min(first * 2 ** Math.min(failures - 1, 20), most) * (0.75 + Math.random() / 2);
}
