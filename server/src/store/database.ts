/** The way to PostgreSQL: a pool, transactions, and wake-up calls between processes. */
import pg from 'pg';
import { listenTo } from './listen.ts';

const INT8 = 20;

/** A type parser for the driver: bigint as number, since no count of ours comes near 2^53. */
const types: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    oid === INT8 && format !== 'binary' ? Number : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
};

export interface DatabaseLog {
  warn(fields: object, message: string): void;
}

/** Runs statements: the pool, or one connection inside a transaction. */
export interface Client {
  query<Row extends pg.QueryResultRow = any>(query: string | pg.QueryConfig, values?: unknown[]): Promise<pg.QueryResult<Row>>;
}

/** One PostgreSQL, embedded or the user's own. */
export interface Database extends Client {
  pool: pg.Pool;
  /**
   * Runs `work` in one transaction: committed when it resolves, rolled back when it throws, and run again from its
   * start when PostgreSQL ended it for the sake of another one (deadlock, serialisation).
   */
  transaction<T>(work: (client: Client) => Promise<T>): Promise<T>;
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
    // Each connection is a process of the server's: a burst's are given back soon after it.
    idleTimeoutMillis: 4000,
    // Statements that do not wait for each other's answers travel together.
    pipeline: true,
    types,
    ...connection,
  } as pg.PoolConfig);
  pool.on('error', (error) => options.log.warn({ error: error.message }, 'a database connection was lost'));
  // The pool listens to idle connections only. One that is lost in use fails its statements, which is enough; without a
  // listener it would end the process besides.
  pool.on('connect', (connection) => connection.on('error', () => undefined));
  const listeners = new Set<() => Promise<void>>();
  return {
    pool,
    query: (query: string | pg.QueryConfig, values?: unknown[]) => pool.query(query as string, values),
    transaction: (work) => transact(pool, work),
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
      await pool.end();
    },
  };
}

/** Serialisation failure and deadlock: the transaction did nothing and may be run again. */
const RETRIED_STATES = new Set(['40001', '40P01']);
const ATTEMPTS = 5;

async function transact<T>(pool: pg.Pool, work: (client: Client) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    const connection = await pool.connect();
    let broken: Error | undefined;
    // A connection that is lost while it is ours has no other listener, and would end the process.
    const lose = (error: Error) => {
      broken = error;
    };
    connection.on('error', lose);
    try {
      // It travels with the first statement of the work; when it fails, so does that.
      const begun = connection.query('begin');
      const [result] = await Promise.all([work(connection as Client), begun]);
      await connection.query('commit');
      return result;
    } catch (error) {
      await connection.query('rollback').catch((rollbackError: Error) => {
        broken = rollbackError;
      });
      if (attempt < ATTEMPTS && RETRIED_STATES.has((error as { code?: string }).code ?? '')) continue;
      throw error;
    } finally {
      connection.release(broken);
      connection.off('error', lose);
    }
  }
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
  if (syscall === 'connect' || code === 'ECONNRESET' || code === 'EPIPE') return true;
  if (error instanceof pg.DatabaseError) return code !== undefined && (AWAY_STATES.has(code) || code.startsWith('08'));
  return AWAY_MESSAGES.test(error.message);
}
