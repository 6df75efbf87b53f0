import type { KeyRing } from '@ballast/kernel/key-ring';
import { drizzle, type PostgresJsDatabase } from 'drizzle-orm/postgres-js';
import postgres from 'postgres';
import { listPool, type PoolState } from './pools.ts';

/** An open pool, as Drizzle (`orm`) and as postgres.js (`sql`). */
export interface Database {
  readonly orm: PostgresJsDatabase;
  /** The same pool; its transactions only read (`readScope`). */
  readonly reader: PostgresJsDatabase;
  readonly sql: postgres.Sql;
  /** Seals what is not to be readable in the database, such as secret fields of jobs; null when none was given. */
  readonly keys: KeyRing | null;
  /**
   * Announces on a channel, at most every 20 ms and outside any transaction: one
   * that notifies takes a lock of the whole cluster at its commit. May be lost.
   */
  notify(channel: string): void;
  /** Waits up to five seconds for queries under way, then closes the connections. */
  close(): Promise<void>;
}

/** A transaction that a `with…` function of this package opened. */
export type Tx = Parameters<Parameters<PostgresJsDatabase['transaction']>[0]>[0];

export interface DatabaseOptions {
  url: string;
  /** Shown in `pg_stat_activity`. */
  applicationName: string;
  maxConnections?: number;
  /** A role that the login may put on (`set role`), for the whole session. */
  role?: string;
  /**
   * A pooler in transaction mode is between: the next transaction has another session, and nothing
   * can be said of a session when it is opened. Roles and limits are then those of the login
   * (roles.ts), whatever is given here; `poolerProblems` tells whether they hold.
   */
  pooled?: boolean;
  /** Ends a session whose process froze inside a transaction, so that it cannot hold rows. */
  idleInTransactionTimeoutMs?: number;
  /**
   * No transaction may last longer, whatever it waits for. The limit on idling alone
   * misses a process that froze in the middle of a statement: Postgres waits for the
   * rest of it, which is not idling, and keeps the locks.
   */
  transactionTimeoutMs?: number;
  /** No statement may run longer; a caller is waiting. */
  statementTimeoutMs?: number;
  /**
   * A connection that owes an answer and has sent nothing for this long has lost its
   * other end: it is replaced, and its statement fails. By default a little longer than
   * the server's own limits let it stay silent. One that owes no more than `begin` is
   * given up after three seconds.
   */
  answerTimeoutMs?: number;
  connectTimeoutSeconds?: number;
  /**
   * How long a statement or a transaction may wait until a connection of the pool is free;
   * then it fails with `POOL_EXHAUSTED`. By default for ever: jobs have time, callers have not.
   */
  queueTimeoutMs?: number;
  keys?: KeyRing | undefined;
  /**
   * Each statement is planned once, for any values, and finds rows by index. For tables
   * that fill and empty faster than statistics follow: on those the planner, asked anew at
   * every call, read whole tables to find ten rows, and took longer than their execution.
   */
  steadyPlans?: boolean;
}

const steadyPlans = {
  plan_cache_mode: 'force_generic_plan',
  enable_seqscan: 'off',
  enable_mergejoin: 'off',
  enable_hashjoin: 'off',
};

/**
 * A `begin` waits for no lock and no disk, so that a server which lives answers it at once, however slow its
 * statements are. Whoever finds a dead link by it need not wait until the longest statement could have ended.
 */
const beginTimeoutMs = 3_000;

/** For an answer that the server sent at the very end of its time. */
const onTheWayMs = 2_000;

/** A pooler lets a transaction wait for a session that long, its `begin` included, and then says so. */
const poolerQueueMs = 4_000;

/** Opens a pool. Connects on first use, so a database that is down is no error here. */
export function openDatabase(options: DatabaseOptions): Database {
  const limitMs = options.statementTimeoutMs ?? options.transactionTimeoutMs;
  const silenceMs = onTheWayMs + (options.pooled ? poolerQueueMs : 0);
  const answerTimeoutMs = options.answerTimeoutMs ?? (limitMs === undefined ? undefined : limitMs + silenceMs);
  const sql = postgres(options.url, {
    max: options.maxConnections ?? 10,
    connect_timeout: options.connectTimeoutSeconds ?? 2,
    // A pool that never renews its connections never notices that a host moved (fault 21).
    max_lifetime: 30 * 60,
    // The back-off between attempts to connect, in seconds: without a cap it grows to 20.
    backoff: (attempt: number) => Math.min(1, 0.1 * 2 ** attempt),
    // An idle connection whose other end is gone is found before somebody needs it.
    keep_alive: 10,
    // Of our patch (docs/decisions/0015), so the types do not know it.
    ...(answerTimeoutMs
      ? {
          answer_timeout: answerTimeoutMs / 1_000,
          begin_timeout: Math.min(beginTimeoutMs + (options.pooled ? poolerQueueMs : 0), answerTimeoutMs) / 1_000,
        }
      : {}),
    ...(options.queueTimeoutMs ? { queue_timeout: options.queueTimeoutMs / 1_000 } : {}),
    onnotice: () => {},
    connection: {
      application_name: options.applicationName,
      ...(options.pooled ? {} : sessionSettings(options)),
    },
  });
  prepareStatements(sql);
  // `pool()` is of our patch (docs/decisions/0015): the library's types do not have it.
  const shut = listPool(options.applicationName, () => (sql as unknown as { pool(): PoolState }).pool());
  return {
    sql,
    orm: drizzle(sql),
    reader: drizzle(reading(sql)),
    keys: options.keys ?? null,
    notify: notifier(sql),
    close() {
      shut();
      return sql.end({ timeout: 5 });
    },
  };
}

/** Said when the session is opened. That there is no limit is said too (as text: postgres.js leaves out a 0), or the login's own would hold. */
function sessionSettings(options: DatabaseOptions): Record<string, string> {
  return {
    ...(options.role ? { role: options.role } : {}),
    statement_timeout: String(options.statementTimeoutMs ?? 0),
    transaction_timeout: String(options.transactionTimeoutMs ?? 0),
    idle_in_transaction_session_timeout: String(options.idleInTransactionTimeoutMs ?? 0),
    ...(options.steadyPlans ? steadyPlans : {}),
  };
}

/** Sends at once, and once more at the end of a window in which more was announced. */
function notifier(sql: postgres.Sql): (channel: string) => void {
  const windowMs = 20;
  const again = new Map<string, boolean>();
  const send = (channel: string) => {
    again.set(channel, false);
    sql.notify(channel, '').catch(() => {});
    setTimeout(() => (again.get(channel) ? send(channel) : again.delete(channel)), windowMs).unref();
  };
  return (channel) => {
    if (again.has(channel)) again.set(channel, true);
    else send(channel);
  };
}

/**
 * Drizzle runs everything through `unsafe`, which does not prepare statements
 * unless told to: a prepared one takes one round trip less and half the CPU
 * (measured: 1.65 × a plain postgres.js select against 3.2–3.5 ×).
 */
function prepareStatements(sql: postgres.Sql): void {
  preparing(sql);
  // Of its two overloads `bind` keeps the type of one.
  const begin = sql.begin.bind(sql) as unknown as (options: string, work: Work) => Promise<unknown>;
  const prepared = (...given: [Work] | [string, Work]) => {
    const work = given.at(-1) as Work;
    return begin(given.length === 1 ? '' : given[0], (tx) => {
      preparing(tx);
      return work(tx);
    });
  };
  sql.begin = prepared as typeof sql.begin;
}

type Work = (tx: postgres.TransactionSql) => Promise<unknown>;

/** The pool as one whose every transaction is `read only`: of those, our patch waits for neither `begin` nor `commit`. */
function reading(sql: postgres.Sql): postgres.Sql {
  const begin = (work: Work) => sql.begin('read only', work);
  return new Proxy(sql, {
    get: (target, property) => (property === 'begin' ? begin : Reflect.get(target, property)),
  });
}

function preparing(sql: postgres.Sql | postgres.TransactionSql): void {
  const unsafe = sql.unsafe.bind(sql) as typeof sql.unsafe;
  sql.unsafe = ((query, parameters, options) =>
    unsafe(query, parameters, { prepare: true, ...options })) as typeof sql.unsafe;
}

/** From now on this transaction, which only reads, ends with the statement that Drizzle sends next; one after that is refused. */
export function endsWithNext(sql: postgres.TransactionSql): void {
  const unsafe = sql.unsafe.bind(sql) as (...given: unknown[]) => unknown;
  // `ends()` is of our patch too.
  const { ends } = sql as unknown as { ends(query: unknown): unknown };
  sql.unsafe = ((...given: unknown[]) => ends(unsafe(...given))) as typeof sql.unsafe;
}

/** The postgres.js side of a Drizzle transaction, for statements that Drizzle cannot say. */
export function sqlOf(tx: Tx): postgres.TransactionSql {
  return (tx as unknown as { session: { client: postgres.TransactionSql } }).session.client;
}
