import { type Database, readScope, sqlOf, type Tx, travelsWithCommit, withScope } from '@ballast/db';
import { AppError, type JobContext, type Log } from '@ballast/kernel';
import type postgres from 'postgres';
import type { Deadline } from './deadline.ts';
import { failpoint } from './failpoint.ts';
import { toError } from './outcome.ts';
import type { Progress } from './progress.ts';

/** A row that a worker took from its pack. */
export interface RunningRow {
  id: string;
  packId: string;
  tenantId: string | null;
  attempt: number;
}

export interface OpenJobContext {
  ctx: JobContext<Tx>;
  /** True once `ctx.transaction` has committed the effects and the completion. */
  completed(): boolean;
  /**
   * Shuts every door: a handler that went on after its timeout can open none any more. Null when
   * none was open that writes. Else its transaction holds the row, and whoever wrote an outcome
   * meanwhile would wait for that lock: resolves when it has ended, with its error if it failed.
   */
  shut(): Promise<Error | null> | null;
}

/** The row's pack is gone: swept, cancelled or run by another worker. Nothing was written. */
export class FenceLost extends Error {
  override readonly name = 'FenceLost';
}

/**
 * The doors of one run of one job. `db` is the app's pool: tenants' policies hold in jobs too.
 *
 * @param closesPack whether the commit that completes the job ends its pack too.
 */
export function openJobContext(
  db: Database,
  row: RunningRow,
  deadline: Pick<Deadline, 'signal'>,
  log: Log,
  progress: Progress['report'],
  closesPack: () => boolean = () => false,
): OpenJobContext {
  let state: 'open' | 'busy' | 'completed' | 'shut' = 'open';
  /** The door that writes, while it is open. */
  let writing: Promise<unknown> | null = null;

  async function through<Result>(door: string, work: () => Promise<Result>): Promise<Result> {
    if (state !== 'open') refuse(door, state);
    state = 'busy';
    try {
      return await work();
    } finally {
      if (state === 'busy') state = 'open';
      writing = null;
    }
  }

  function write<Result>(door: string, work: (inTime: () => void) => Promise<Result>): Promise<Result> {
    const opensIt = state === 'open';
    // The wait for a connection can outlast the run, and so can the tries after a conflict: none begins then.
    const inTime = () => {
      if (state === 'shut') refuse(door, state);
    };
    const result = through(door, () => work(inTime));
    if (opensIt) writing = result;
    return result;
  }

  const scope = { tenantId: row.tenantId, packId: row.packId };
  const ctx: JobContext<Tx> = {
    jobId: row.id,
    attempt: row.attempt,
    tenantId: row.tenantId,
    userId: null,
    get signal() {
      return deadline.signal;
    },
    log,
    transaction: (work) =>
      write('ctx.transaction', async (inTime) => {
        // Sent with the scope, in front of the handler's first statement and in the same round trip; answered by the end.
        let held: Promise<unknown> = Promise.resolve();
        const begin = (sql: postgres.TransactionSql, settings: postgres.Fragment) => {
          held = fence(sql, row, sql`${settings},`);
          return held;
        };
        const commit = async (tx: Tx) => {
          inTime();
          const done = await work(tx);
          await held;
          await failpoint('run.before-commit');
          // When it raises, the commit is a rollback; a conflict there runs the transaction again, uncharged.
          travelsWithCommit(complete(tx, row, closesPack()));
          return done;
        };
        const result = await withScope(db, scope, commit, begin);
        state = 'completed';
        await failpoint('run.committed');
        return result;
      }),
    read: (work) => through('ctx.read', () => readScope(db, scope, work)),
    progress,
    step: (key, work) =>
      write(`ctx.step('${key}')`, (inTime) =>
        withScope(db, scope, async (tx) => {
          inTime();
          return runStep(tx, row, key, work);
        }),
      ),
  };
  return {
    ctx,
    completed: () => state === 'completed',
    shut() {
      if (state !== 'completed') state = 'shut';
      return writing?.then(() => null, toError) ?? null;
    },
  };
}

const closed = {
  busy: 'another one is open: await it first',
  completed: 'ctx.transaction has completed the job, and it is the only write of a job without steps',
  shut: 'the run has ended',
};

function refuse(door: string, state: keyof typeof closed): never {
  throw new AppError('jobs.door_closed', {
    public: 'Something went wrong on our side.',
    internal: `${door} was called, but ${closed[state]}.`,
    retryable: false,
  });
}

/** What `jobs.complete` raises. */
const fenceLost = 'BL001';

/** Locks the row, if it is open and still in its pack. Whoever took it over meanwhile owns it. */
async function fence(sql: postgres.TransactionSql, row: RunningRow, scope = sql``): Promise<void> {
  const [fence] = await sql<{ held: string[] }[]>`
    select ${scope} jobs.hold(${[row.id]}::uuid[], ${row.packId}) as held`.execute();
  if (fence?.held.length !== 1) throw new FenceLost(`Job ${row.id} is no longer in pack ${row.packId}.`);
}

async function complete(tx: Tx, row: RunningRow, closesPack: boolean): Promise<void> {
  try {
    await sqlOf(tx)`
      select jobs.complete(${[row.id]}::uuid[], ${row.packId}, ${[row.attempt]}::smallint[], ${closesPack})`.execute();
  } catch (cause) {
    if ((cause as { code?: string }).code === fenceLost) throw new FenceLost((cause as Error).message);
    throw cause;
  }
}

async function runStep<Result>(
  tx: Tx,
  row: RunningRow,
  key: string,
  work: (tx: Tx) => Promise<Result>,
): Promise<Result> {
  const sql = sqlOf(tx);
  await fence(sql, row);
  const [kept] = await sql<
    { result: Result }[]
  >`select result from jobs.step where job_id = ${row.id} and key = ${key}`;
  if (kept) return kept.result;
  const result = await work(tx);
  await sql`
    insert into jobs.step (job_id, key, result)
    values (${row.id}, ${key}, ${JSON.stringify(result ?? null)}::text::jsonb)`;
  return result;
}
