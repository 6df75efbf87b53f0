import { AsyncLocalStorage } from 'node:async_hooks';
import type { ActionContext } from '@ballast/kernel';
import type { KeyRing } from '@ballast/kernel/key-ring';
import type postgres from 'postgres';
import { causesOf } from './causes-of.ts';
import { type Database, endsWithNext, sqlOf, type Tx } from './client.ts';

/** What a transaction may see; row-level security reads it. Nothing set sees no tenant's and no person's rows. */
export interface Scope {
  tenantId?: string | null;
  userId?: string | null;
  /** The pack whose rows a worker may complete. */
  packId?: string | null;
}

interface Open {
  db: Database;
  tx: Tx;
  afterCommit: ((db: Database) => void)[];
  withCommit: Promise<unknown>[];
}

const open = new AsyncLocalStorage<Open>();

/** A transaction in which only this organisation's rows exist. */
export function withTenant<Result>(db: Database, tenantId: string, work: (tx: Tx) => Promise<Result>): Promise<Result> {
  return withScope(db, { tenantId }, work);
}

/** A transaction in which only this person's own rows exist: their profile, their memberships. */
export function withUser<Result>(db: Database, userId: string, work: (tx: Tx) => Promise<Result>): Promise<Result> {
  return withScope(db, { userId }, work);
}

/**
 * Opens a transaction, scopes it, and commits when `work` resolves. The scope ends
 * with the transaction. It travels in the same round trip as the first query.
 *
 * When Postgres sacrifices the transaction to another one (a deadlock, a conflict of
 * serializable transactions), nothing of it has happened, and it runs again, `work`
 * included, at most `maxTries` times in all (docs/decisions/0020).
 *
 * @param first sends the transaction's first statement: a select of `settings`, by which it is scoped, and of what it is to do besides.
 */
export async function withScope<Result>(
  db: Database,
  scope: Scope,
  work: (tx: Tx) => Promise<Result>,
  first?: (sql: postgres.TransactionSql, settings: postgres.Fragment) => Promise<unknown>,
): Promise<Result> {
  for (let tries = 1; ; tries++) {
    try {
      return await tryOnce(db, scope, work, first);
    } catch (error) {
      if (tries === maxTries || !isConflict(error)) throw error;
      // Two victims that come back at the same moment would only meet again.
      await new Promise((resolve) => setTimeout(resolve, Math.random() * pauseMs * 2 ** tries));
    }
  }
}

/**
 * Opens a transaction for looking only, in which Postgres refuses to write. Its `begin` and its scope travel with the
 * first query, and nobody waits for its end: one round trip, where `withScope` takes three. When `work` hands back a
 * query of Drizzle's that was not sent yet, there can be no other, and the `commit` travels too: one packet for all.
 */
export async function readScope<Result>(
  db: Database,
  scope: Scope,
  work: (tx: Tx) => Promise<Result>,
): Promise<Result> {
  return db.reader.transaction(async (tx) => {
    const sql = sqlOf(tx);
    const scoped = sql`select ${settingsOf(sql, scope)}`.execute();
    scoped.catch(() => {});
    const asked = open.run({ db, tx, afterCommit: [], withCommit: [] }, () => work(tx));
    if (!(asked instanceof Promise)) endsWithNext(sql);
    const seen = await asked;
    await scoped;
    return seen;
  });
}

/** The two doors of whoever acts in this scope. */
export function doorsTo(db: Database, scope: Scope): Pick<ActionContext<Tx>, 'transaction' | 'read'> {
  return {
    transaction: (work) => withScope(db, scope, work),
    read: (work) => readScope(db, scope, work),
  };
}

const maxTries = 5;
const pauseMs = 20;

function isConflict(error: unknown): boolean {
  return causesOf(error).some(({ code }) => code === '40P01' || code === '40001');
}

async function tryOnce<Result>(...[db, scope, work, first]: Parameters<typeof withScope<Result>>): Promise<Result> {
  const afterCommit: Open['afterCommit'] = [];
  const withCommit: Open['withCommit'] = [];
  const result = await db.orm.transaction(async (tx) => {
    const sql = sqlOf(tx);
    const settings = settingsOf(sql, scope);
    const scoped: Promise<unknown> = first ? first(sql, settings) : sql`select ${settings}`.execute();
    // Its failure is reported by the await below; without this line Node would also call it unhandled.
    scoped.catch(() => {});
    const done = await open.run({ db, tx, afterCommit, withCommit }, () => work(tx));
    await scoped;
    return done;
  });
  // When one of them failed, that commit was a rollback, and nobody has said so yet.
  await Promise.all(withCommit);
  for (const announce of afterCommit) announce(db);
  return result;
}

function settingsOf(sql: postgres.TransactionSql, scope: Scope): postgres.Fragment {
  return sql`
    set_config('app.tenant_id', ${scope.tenantId ?? ''}, true),
    set_config('app.user_id', ${scope.userId ?? ''}, true),
    set_config('app.pack_id', ${scope.packId ?? ''}, true)`;
}

/**
 * Runs `announce` once the transaction under way has committed, and never when it
 * rolled back. For wake-ups that may be lost, not for work: work is a job.
 */
export function onCommit(announce: (db: Database) => void): void {
  const transaction = open.getStore();
  if (!transaction) {
    throw new Error('onCommit was called outside a transaction: open one with withTenant, withUser or withScope.');
  }
  transaction.afterCommit.push(announce);
}

/**
 * Makes the failure of `statement`, the last of the transaction under way, the
 * transaction's own. It is not awaited before the commit: both travel together.
 */
export function travelsWithCommit(statement: Promise<unknown>): void {
  const transaction = open.getStore();
  if (!transaction) throw new Error('travelsWithCommit was called outside a transaction.');
  statement.catch(() => {});
  transaction.withCommit.push(statement);
}

/** The transaction that the caller runs in, or null. For adapters that cannot be handed one. */
export function currentTransaction(): Tx | null {
  return open.getStore()?.tx ?? null;
}

/** The keys of the pool whose transaction the caller runs in, or null. */
export function currentKeys(): KeyRing | null {
  return open.getStore()?.db.keys ?? null;
}
