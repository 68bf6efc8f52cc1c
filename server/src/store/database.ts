import { Kysely, PostgresDialect, type Transaction } from 'kysely';
import pg from 'pg';
import { listenTo } from './listen.ts';
import type { Schema } from './schema.ts';

const INT8 = 20;

/** A type parser for the driver: bigint as number, since no count of ours comes near 2^53. */
const types: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    oid === INT8 && format !== 'binary' ? Number : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
};

export interface DatabaseLog {
  warn(fields: object, message: string): void;
}

/** One PostgreSQL, embedded or the user's own. */
export interface Database {
  /** For ordinary queries. */
  kysely: Kysely<Schema>;
  /** For set-based SQL whose speed matters. */
  pool: pg.Pool;
  /** Runs `work` in one transaction: committed when it resolves, rolled back when it throws. */
  transaction<T>(work: (transaction: Transaction<Schema>) => Promise<T>): Promise<T>;
  /**
   * Calls back for every `NOTIFY` on a channel, and with null each time the listening (re)starts: hints may have been
   * missed, so look. Reconnects by itself until the returned function, or `close`, is called.
   */
  listen(channel: string, callback: (payload: string | null) => void): () => Promise<void>;
  /** Does it answer now? Never throws; false after `timeoutMs`. */
  isUp(timeoutMs?: number): Promise<boolean>;
  close(): Promise<void>;
}

/** Opens a pool; connects when first used, and again by itself after the database was away. */
export function openDatabase(connection: pg.PoolConfig, options: { log: DatabaseLog; maxConnections?: number }): Database {
  const pool = new pg.Pool({
    max: options.maxConnections ?? 20,
    keepAlive: true,
    // A caller gets an answer while the database is away, rather than waiting for it.
    connectionTimeoutMillis: 5000,
    query_timeout: 60_000,
    types,
    ...connection,
  });
  pool.on('error', (error) => options.log.warn({ error: error.message }, 'a database connection was lost'));
  const kysely = new Kysely<Schema>({ dialect: new PostgresDialect({ pool }) });
  const listeners = new Set<() => Promise<void>>();
  return {
    kysely,
    pool,
    transaction: (work) => kysely.transaction().execute(work),
    listen: (channel, callback) => {
      const end = listenTo({ ...connection, types }, channel, callback, options.log);
      const stop = async () => {
        listeners.delete(stop);
        await end();
      };
      listeners.add(stop);
      return stop;
    },
    isUp: async (timeoutMs = 2000) => {
      const timeout = new Promise<false>((resolve) => setTimeout(resolve, timeoutMs, false).unref());
      const answer = pool.query('select 1').then(
        () => true,
        () => false,
      );
      return Promise.race([answer, timeout]);
    },
    close: async () => {
      await Promise.all([...listeners].map((stop) => stop()));
      await kysely.destroy();
    },
  };
}

/** SQLSTATEs that say nothing about the statement, only that the server cannot take it now. */
const AWAY_STATES = new Set(['57P01', '57P02', '57P03', '57P05', '53300', '25006']);
const AWAY_MESSAGES =
  /^(Connection terminated|timeout exceeded when trying to connect|Query read timeout|Client has encountered a connection error|Cannot use a pool after)/;

/** Did this fail because the database is away, rather than because of what was asked? The caller may try again later. */
export function isDatabaseAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error instanceof AggregateError) return error.errors.some(isDatabaseAway);
  const { code, syscall } = error as NodeJS.ErrnoException;
  // Of the network's errors only those of a connection to PostgreSQL reach those who ask.
  if (syscall === 'connect' || syscall === 'getaddrinfo' || code === 'ECONNRESET' || code === 'EPIPE') return true;
  if (error instanceof pg.DatabaseError) return code !== undefined && (AWAY_STATES.has(code) || code.startsWith('08'));
  return AWAY_MESSAGES.test(error.message);
}
