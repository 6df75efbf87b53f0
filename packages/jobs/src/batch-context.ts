import { type Database, readScope, sqlOf, type Tx, withScope } from '@ballast/db';
import type { BatchContext, BatchOutcomes, Log, Outcome } from '@ballast/kernel';
import type { Deadline } from './deadline.ts';
import { failpoint } from './failpoint.ts';
import type { RunningRow } from './job-context.ts';
import { toError } from './outcome.ts';

export interface BatchDoors {
  ctx: BatchContext<Tx>;
  /** Those that `ctx.transaction` has committed as done. */
  completed: ReadonlySet<string>;
  /** Those that were no longer this pack's when it locked them. */
  lost: ReadonlySet<string>;
  /** What its work said of the others. */
  reported: ReadonlyMap<string, Outcome>;
  /** As in a single job's context: resolves when the transaction has ended that still holds rows. */
  shut(): Promise<Error | null> | null;
}

/** The doors of one call of a batch handler. `db` is the app's pool, and the rows are one tenant's, in one pack. */
export function openBatchContext(
  db: Database,
  rows: readonly RunningRow[],
  deadline: Pick<Deadline, 'signal'>,
  log: Log,
): BatchDoors {
  const [first] = rows as [RunningRow];
  const attempts = new Map(rows.map((row) => [row.id, row.attempt]));
  const scope = { tenantId: first.tenantId, packId: first.packId };
  const completed = new Set<string>();
  const lost = new Set<string>();
  const reported = new Map<string, Outcome>();
  let state: 'open' | 'used' | 'shut' = 'open';
  let writing: Promise<void> | null = null;

  const refusal = () =>
    new Error(`ctx.transaction of a batch was called, but it ${state === 'used' ? 'was used' : 'ended'} before.`);

  async function write<Payload>(...[items, work]: Parameters<typeof ctx.transaction<Payload>>): Promise<void> {
    const ids = items.map((item) => item.jobId);
    let done: string[] = [];
    let held = new Set<string>();
    let others: BatchOutcomes = new Map();
    await withScope(db, scope, async (tx) => {
      // The wait for a connection can outlast the run, and so can the tries after a conflict: none begins then.
      if (state === 'shut') throw refusal();
      const sql = sqlOf(tx);
      const [fence] = await sql<{ held: string[] }[]>`select jobs.hold(${ids}::uuid[], ${first.packId}) as held`;
      held = new Set(fence?.held);
      const live = items.filter((item) => held.has(item.jobId));
      others = (await work(tx, live)) ?? new Map();
      done = live.map((item) => item.jobId).filter((id) => (others.get(id)?.outcome ?? 'done') === 'done');
      await failpoint('run.before-commit');
      if (done.length === 0) return;
      const starts = done.map((id) => attempts.get(id) as number);
      await sql`select jobs.complete(${done}::uuid[], ${first.packId}, ${starts}::smallint[], false)`;
    });
    for (const id of done) completed.add(id);
    for (const id of ids) if (!held.has(id)) lost.add(id);
    for (const [id, outcome] of others) reported.set(id, outcome);
    await failpoint('run.committed');
  }

  const ctx: BatchContext<Tx> = {
    tenantId: first.tenantId,
    userId: null,
    log,
    get signal() {
      return deadline.signal;
    },
    read: (work) => readScope(db, scope, work),
    transaction(items, work) {
      if (state !== 'open') return Promise.reject(refusal());
      state = 'used';
      writing = write(items, work).finally(() => {
        writing = null;
      });
      return writing;
    },
  };
  return {
    ctx,
    completed,
    lost,
    reported,
    shut() {
      state = 'shut';
      return writing?.then(() => null, toError) ?? null;
    },
  };
}
