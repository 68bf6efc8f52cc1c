/** After `PATCHBAY_SECRET` was replaced: seals anew what the former one has sealed, so that it can be forgotten. */
import { resealSome } from '../store/reseal.ts';
import type { Engine } from './engine.ts';
import { Worker } from './worker.ts';

/** Often, since other processes may seal with the former secret until they are started again. */
const REST_MS = 10 * 60_000;

export function resealer({ database, vault, log }: Pick<Engine, 'database' | 'vault' | 'log'>): Worker {
  return new Worker({
    name: 'resealing',
    restMs: REST_MS,
    log,
    work: async () => {
      const rows = await resealSome(database, vault);
      if (rows > 0) log.info({ rows }, 'sealed anew with the current PATCHBAY_SECRET');
      return rows;
    },
  });
}
