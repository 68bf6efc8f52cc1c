import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { DatabaseLog } from './database.ts';

/** How long a lost connection may go unnoticed. */
const HEARTBEAT_MS = 20_000;

/** Listens on a connection of its own and reconnects until the returned function is called. */
export function listenTo(
  connection: pg.ClientConfig,
  channel: string,
  callback: (payload: string | null) => void,
  log: DatabaseLog,
): () => Promise<void> {
  const ending = new AbortController();
  const run = async () => {
    for (let failures = 0; !ending.signal.aborted; ) {
      try {
        await listenOnce(connection, channel, callback, ending.signal, () => {
          failures = 0;
        });
      } catch (error) {
        log.warn({ channel, error: error instanceof Error ? error.message : String(error) }, 'listening on the database was interrupted');
      }
      if (ending.signal.aborted) return;
      await sleep(Math.min(5000, 100 * 2 ** failures++), undefined, { signal: ending.signal }).catch(() => undefined);
    }
  };
  const running = run();
  return async () => {
    ending.abort();
    await running;
  };
}

/** Resolves when the signal ends it; rejects when the connection is lost. */
async function listenOnce(
  connection: pg.ClientConfig,
  channel: string,
  callback: (payload: string | null) => void,
  signal: AbortSignal,
  onListening: () => void,
): Promise<void> {
  const client = new pg.Client({ connectionTimeoutMillis: 5000, keepAlive: true, query_timeout: 10_000, ...connection });
  let heartbeat: NodeJS.Timeout | undefined;
  try {
    const lost = new Promise<never>((_, reject) => {
      client.on('error', reject);
      client.on('end', () => reject(new Error('the connection ended')));
      heartbeat = setInterval(() => client.query('select 1').catch(reject), HEARTBEAT_MS);
    });
    lost.catch(() => undefined);
    client.on('notification', ({ payload }) => callback(payload ?? ''));
    await client.connect();
    await client.query(`listen ${client.escapeIdentifier(channel)}`);
    onListening();
    callback(null);
    const ended = new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
    await Promise.race([lost, ended]);
  } finally {
    clearInterval(heartbeat);
    await client.end().catch(() => undefined);
  }
}
