/** Load over loopback, from a process of its own: closed loop (so many connections at once) and open loop (a fixed rate). */
import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'undici';
import type { Webhook } from './webhooks.ts';

export interface Measured {
  /** Answered with 200 a second. */
  perSecond: number;
  answered: number;
  refused: number;
  /** Milliseconds. */
  p50: number;
  p99: number;
}

/** Keeps `connections` requests under way until all are answered. */
export async function closedLoop(url: string, webhooks: Webhook[], connections: number): Promise<Measured> {
  const pool = new Pool(new URL(url).origin, { connections, pipelining: 1 });
  const path = new URL(url).pathname;
  const times: number[] = [];
  let next = 0;
  let refused = 0;
  const started = performance.now();
  await Promise.all(
    Array.from({ length: connections }, async () => {
      while (next < webhooks.length) {
        const webhook = webhooks[next++]!;
        const at = performance.now();
        if (await send(pool, path, webhook)) times.push(performance.now() - at);
        else refused++;
      }
    }),
  );
  const seconds = (performance.now() - started) / 1000;
  await pool.close();
  return summary(times, refused, seconds);
}

/** Sends `rate` a second whatever the answers do; each time counts from when the request was due. */
export async function openLoop(url: string, webhooks: Webhook[], rate: number): Promise<Measured> {
  const pool = new Pool(new URL(url).origin, { connections: 256, pipelining: 1 });
  const path = new URL(url).pathname;
  const times: number[] = [];
  let refused = 0;
  const started = performance.now();
  const pending: Promise<void>[] = [];
  for (let n = 0; n < webhooks.length; ) {
    const due = Math.min(webhooks.length, Math.floor(((performance.now() - started) / 1000) * rate));
    for (; n < due; n++) {
      const at = started + (n / rate) * 1000;
      const webhook = webhooks[n]!;
      pending.push(
        send(pool, path, webhook).then((ok) => {
          if (ok) times.push(performance.now() - at);
          else refused++;
        }),
      );
    }
    await sleep(1);
  }
  await Promise.all(pending);
  const seconds = (performance.now() - started) / 1000;
  await pool.close();
  return summary(times, refused, seconds);
}

async function send(pool: Pool, path: string, webhook: Webhook): Promise<boolean> {
  try {
    const { statusCode, body } = await pool.request({ path, method: 'POST', headers: webhook.headers, body: webhook.body });
    await body.dump();
    return statusCode === 200;
  } catch {
    // It was killed, or ended the connection: not answered.
    return false;
  }
}

function summary(times: number[], refused: number, seconds: number): Measured {
  const sorted = Float64Array.from(times).sort();
  const at = (share: number) => Math.round((sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0) * 10) / 10;
  return { perSecond: Math.round(times.length / seconds), answered: times.length, refused, p50: at(0.5), p99: at(0.99) };
}
