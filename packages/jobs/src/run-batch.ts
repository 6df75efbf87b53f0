import type { BatchItem, BatchOutcomes, JobDefinition } from '@ballast/kernel';
import { type BatchDoors, openBatchContext } from './batch-context.ts';
import { type Deadline, openDeadline } from './deadline.ts';
import { childLog, type OpenedRow, openRow } from './open-row.ts';
import { endingOf, outcomeOfError, type RunOutcome, toError } from './outcome.ts';
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
  const outcomes = new Map<string, RunOutcome>();
  const opened = new Map(rows.map((row) => [row.id, openRow(runner, row)]));
  const items = rows.flatMap((row) => itemOf(job, row, opened.get(row.id) as OpenedRow, outcomes));
  const deadline = openDeadline(job.timeoutMs, runner.shutdown);
  const doors = openBatchContext(runner.db, rows, deadline, childLog(runner.log, { job: job.name }));
  const { reported, rest, thrown } =
    items.length > 0 ? await callHandler(runner, registered, items, doors, deadline) : nothingRan;
  deadline.close();
  for (const { jobId } of items) outcomes.set(jobId, reported.get(jobId) ?? doors.reported.get(jobId) ?? rest);
  const runMs = performance.now() - startedAt;
  for (const _ of doors.completed) runner.observe?.ended(job, 'done', runMs / rows.length);
  const open = rows.filter((row) => !doors.completed.has(row.id) && !doors.lost.has(row.id));
  const endings = open.map((row) => ({ row, ending: endingOf(outcomes.get(row.id) as RunOutcome, job, row.attempt) }));
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

interface Called {
  /** What the handler returned. */
  reported: BatchOutcomes;
  /** The outcome of those that nobody named. */
  rest: RunOutcome;
  thrown?: unknown;
}

const nothingRan: Called = { reported: new Map(), rest: { outcome: 'done' } };

/** Resolves when the handler has ended or was given up, and its transaction with it. */
async function callHandler<Services>(
  runner: RowRunner<Services>,
  { job, load }: RegisteredJob<Services>,
  items: readonly BatchItem<unknown>[],
  doors: BatchDoors,
  deadline: Deadline,
): Promise<Called> {
  const called: Called = { ...nothingRan };
  let begun = false;
  try {
    const handler = await load();
    if (!('runBatch' in handler))
      throw new Error(`${job.name} says how large a batch is, and its handler takes single jobs.`);
    begun = true;
    const work = handler.runBatch({ items, ctx: doors.ctx, services: runner.services });
    called.reported = (await deadline.guard(work)) ?? called.reported;
  } catch (error) {
    called.thrown = error;
    called.rest = runner.shutdown.aborted ? { outcome: 'cut off', begun, by: error } : outcomeOfError(error);
  }
  const writing = doors.shut();
  if (!writing) return called;
  doors.ctx.log.warn(
    { reason: called.thrown && toError(called.thrown).message },
    'run ended inside its transaction; its outcome waits for that',
  );
  const failed = await writing;
  // It returned as if all were well, and did not wait.
  return failed && called.rest.outcome === 'done'
    ? { ...called, rest: outcomeOfError(failed), thrown: failed }
    : called;
}

/** A payload that cannot be opened, or that its schema refuses, ends by itself and is not handed to the handler. */
function itemOf(
  job: JobDefinition,
  row: StartedRow,
  opened: OpenedRow,
  outcomes: Map<string, RunOutcome>,
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
