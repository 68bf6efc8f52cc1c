/**
 * PostgreSQL looks at a new table a minute after its first rows came. Until then it takes the workspace for something
 * that tells rows apart, and may walk through all of a workspace's conversations to find one: measured, 15 ms instead of
 * 0.5 for a batch of 64. So tables that nobody has looked at yet are looked at as soon as they have a few rows.
 */
import type { Engine } from './engine.ts';
import { Worker } from './worker.ts';

const FEW_ROWS = 30;

export function statistician(parts: Pick<Engine, 'database' | 'log'>): Worker {
  const { database, log } = parts;
  return new Worker({
    name: 'statistics',
    restMs: 1_500,
    log,
    work: async () => {
      const { rows } = await database.query<{ table: string }>(
        `select quote_ident(relname) as table from pg_stat_user_tables
         where schemaname = current_schema() and n_live_tup >= $1 and last_analyze is null and last_autoanalyze is null`,
        [FEW_ROWS],
      );
      for (const { table } of rows) await database.query(`analyze (skip_locked) ${table}`);
      return 0;
    },
  });
}
