import { sqlOf, type Tx, withScope } from '@ballast/db';
import type { BatchContext, BatchItem, BatchOutcomes, JobDefinition, Outcome } from '@ballast/kernel';
import { openDeadline } from './deadline.ts';
import { failpoint } from './failpoint.ts';
import { childLog, type OpenedRow, openRow } from './open-row.ts';
import { endingOf, outcomeOfError } from './outcome.ts';
import { endOf, type RegisteredJob, type RowRunner, report, type StartedRow } from './run-row.ts';
import { problemsOf } from './sealed-payload.ts';
import { inBatchSpan, type TellBatchEnd } from './trace-run.ts';

export interface RanBatch {
  runMs: number;
  /** One for each job whose outcome the transaction has not committed. */
  written: Promise<void>[];
  /** A job was no longer this pack's. */
  lost: boolean;
}

/**
 * Runs a pack's rows, all of one kind and one tenant, in one call of their batch
 * handler. Each gets an outcome of its own: by name, `done` when it is not named, and
 * the batch's failure when the handler throws before its transaction has committed.
 */
export function runBatch<Services>(
  runner: RowRunner<Services>,
  registered: RegisteredJob<Services>,
  rows: readonly StartedRow[],
): Promise<RanBatch> {
  return inBatchSpan(registered.job, rows, (tellTrace) => runTraced(runner, registered, rows, tellTrace));
}

async function runTraced<Services>(
  runner: RowRunner<Services>,
  registered: RegisteredJob<Services>,
  rows: readonly StartedRow[],
  tellTrace: TellBatchEnd,
): Promise<RanBatch> {
  const { job } = registered;
  const startedAt = performance.now();
  for (const row of rows) runner.observe?.started(job, row);
  const outcomes = new Map<string, Outcome>();
  const opened = new Map(rows.map((row) => [row.id, openRow(runner, row)]));
  const items = rows.flatMap((row) => itemOf(job, row, opened.get(row.id) as OpenedRow, outcomes));
  const doors = openDoors(runner, rows, job.timeoutMs);
  let thrown: unknown;
  try {
    const handler = await registered.load();
    if (!('runBatch' in handler))
      throw new Error(`${job.name} says how large a batch is, and its handler takes single jobs.`);
    const work = handler.runBatch({ items, ctx: doors.ctx, services: runner.services });
    const reported = (await doors.deadline.guard(work)) ?? new Map<string, Outcome>();
    for (const { jobId } of items)
      outcomes.set(jobId, reported.get(jobId) ?? doors.reported.get(jobId) ?? { outcome: 'done' });
  } catch (error) {
    thrown = error;
    const failed: Outcome = runner.shutdown.aborted ? { outcome: 'snoozed', forMs: 0 } : outcomeOfError(error);
    for (const { jobId } of items) outcomes.set(jobId, doors.reported.get(jobId) ?? failed);
  } finally {
    doors.shut();
    doors.deadline.close();
  }
  const runMs = performance.now() - startedAt;
  for (const _ of doors.completed) runner.observe?.ended(job, 'done', runMs / rows.length);
  const open = rows.filter((row) => !doors.completed.has(row.id) && !doors.lost.has(row.id));
  const endings = open.map((row) => ({ row, ending: endingOf(outcomes.get(row.id) as Outcome, job, row.attempt) }));
  tellTrace(
    [
      ...Array.from(doors.completed, () => 'done' as const),
      ...Array.from(doors.lost, () => 'lost' as const),
      ...endings.map(({ ending }) => endOf(ending)),
    ],
    thrown,
  );
  const written = endings.map(async ({ row, ending }) => {
    const { log, text } = opened.get(row.id) as OpenedRow;
    if (ending.failure !== null) ending.failure = text(ending.failure);
    const attempt = ending.uncharge ? row.attempt - 1 : row.attempt;
    const held = await runner.completions.write({ jobId: row.id, packId: row.packId, attempt, ...ending });
    if (held) runner.observe?.ended(job, endOf(ending), runMs / rows.length);
    report(log, ending, held, { state: ending.state, attempt: row.attempt });
  });
  return { runMs, written, lost: doors.lost.size > 0 };
}

/** A payload that cannot be opened, or that its schema refuses, ends by itself and is not handed to the handler. */
function itemOf(
  job: JobDefinition,
  row: StartedRow,
  opened: OpenedRow,
  outcomes: Map<string, Outcome>,
): BatchItem<unknown>[] {
  if (opened.refusal) {
    outcomes.set(row.id, opened.refusal);
    return [];
  }
  const payload = job.payload.safeParse(opened.payload);
  if (payload.success) return [{ jobId: row.id, attempt: row.attempt, payload: payload.data }];
  const problems = problemsOf(job, payload.error.issues);
  const error = new Error(`The payload does not fit version ${row.version}: ${problems}`);
  outcomes.set(row.id, { outcome: 'dead', error });
  return [];
}

function openDoors<Services>(runner: RowRunner<Services>, rows: readonly StartedRow[], timeoutMs: number) {
  const [first] = rows as [StartedRow];
  const attempts = new Map(rows.map((row) => [row.id, row.attempt]));
  const scope = { tenantId: first.tenantId, packId: first.packId };
  const deadline = openDeadline(timeoutMs, runner.shutdown);
  const completed = new Set<string>();
  const lost = new Set<string>();
  const reported = new Map<string, Outcome>();
  let state: 'open' | 'used' | 'shut' = 'open';

  const ctx: BatchContext<Tx> = {
    tenantId: first.tenantId,
    userId: null,
    log: childLog(runner.log, { job: first.name }),
    get signal() {
      return deadline.signal;
    },
    read: (work) =>
      withScope(runner.db, scope, async (tx) => {
        await sqlOf(tx)`set transaction read only`;
        return work(tx);
      }),
    async transaction(items, work) {
      if (state !== 'open')
        throw new Error(
          `ctx.transaction of a batch was called, but it ${state === 'used' ? 'was used' : 'ended'} before.`,
        );
      state = 'used';
      const ids = items.map((item) => item.jobId);
      let done: string[] = [];
      let held = new Set<string>();
      let others: BatchOutcomes = new Map();
      await withScope(runner.db, scope, async (tx) => {
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
    },
  };
  return { ctx, deadline, completed, lost, reported, shut: () => (state = 'shut') };
}
