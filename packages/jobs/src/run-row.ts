import type { Database, Tx } from '@ballast/db';
import type { BatchHandler, JobHandler, Log } from '@ballast/kernel';
import type { Completions } from './completions.ts';
import { openDeadline } from './deadline.ts';
import { FenceLost, openJobContext, type RunningRow } from './job-context.ts';
import type { JobObserver, RunEnd } from './observe.ts';
import { openRow } from './open-row.ts';
import { type Ending, endingOf, outcomeOfError, type RunOutcome, toError } from './outcome.ts';
import { openProgress, type Progress } from './progress.ts';
import { problemsOf } from './sealed-payload.ts';
import { inRunSpan, type TellEnd } from './trace-run.ts';

/** A job and where its handler is found. The handler is imported when the first such job runs. */
export interface RegisteredJob<Services = unknown> {
  job: JobHandler['job'];
  // biome-ignore lint/suspicious/noExplicitAny: each handler has a payload of its own; the job's schema checks it at run time
  load(): Promise<JobHandler<any, Tx, Services> | BatchHandler<any, Tx, Services>>;
}

export interface StartedRow extends RunningRow {
  name: string;
  version: number;
  /** The payload, with these fields sealed. */
  body: unknown;
  secrets: readonly string[] | null;
  /** The W3C traceparent of the span that asked for it. */
  trace: string | null;
  /** Since `run_at`, and the part of it that passed before the row was dispatched. */
  waitMs: number;
  lagMs: number;
}

export interface RowRunner<Services> {
  db: Database;
  completions: Completions;
  services: Services;
  log: Log;
  /** Aborts when the process must go. */
  shutdown: AbortSignal;
  observe?: JobObserver | undefined;
  find(name: string, version: number): RegisteredJob<Services> | undefined;
  /** In how many milliseconds a row that it does not find is due again. */
  unknownAfterMs(): number;
}

export interface RanRow {
  runMs: number;
  written: Promise<void>;
  /** Its own commit ended the pack. */
  closedPack: boolean;
  /** The row belongs to another now, or may: nothing is known of its place. */
  lost: boolean;
}

/**
 * Runs one row. Resolves when its handler has ended, with the time that it took;
 * `written` resolves when its outcome is committed.
 *
 * @param closesPack asked when the handler's transaction completes the job: whether that commit ends the pack too.
 */
export async function runRow<Services>(
  runner: RowRunner<Services>,
  row: StartedRow,
  closesPack: () => boolean,
): Promise<RanRow> {
  const registered = runner.find(row.name, row.version);
  if (!registered) {
    // Claimed for a process that knew it; this one does not. Put back, not failed.
    const back: Ending = { state: 'pending', afterMs: runner.unknownAfterMs(), uncharge: true, failure: null };
    return { runMs: 0, written: write(runner, row, back).then(() => {}), closedPack: false, lost: false };
  }
  return inRunSpan(registered.job, row, (tellTrace) => runKnown(runner, registered, row, closesPack, tellTrace));
}

async function runKnown<Services>(
  runner: RowRunner<Services>,
  registered: RegisteredJob<Services>,
  row: StartedRow,
  closesPack: () => boolean,
  tellTrace: TellEnd,
): Promise<RanRow> {
  const { observe } = runner;
  const { job } = registered;
  const { payload, log, text, refusal } = openRow(runner, row);
  observe?.started(job, row);
  const startedAt = performance.now();
  let closedPack = false;
  const progress = openProgress(runner.db, row, log, text);
  const outcome =
    refusal ??
    (await run(runner, registered, { ...row, body: payload }, { log, progress }, () => {
      closedPack = closesPack();
      return closedPack;
    }));
  const runMs = performance.now() - startedAt;
  if (outcome === 'completed') {
    observe?.ended(job, 'done', runMs);
    tellTrace('done');
    return { runMs, written: Promise.resolve(), closedPack, lost: false };
  }
  if (outcome === null) {
    tellTrace('lost');
    return { runMs, written: Promise.resolve(), closedPack: false, lost: true };
  }
  const ending = endingOf(outcome, job, row.attempt);
  if (ending.failure !== null) ending.failure = text(ending.failure);
  tellTrace(endOf(ending), 'error' in outcome ? outcome.error : undefined);
  const written = write(runner, row, ending).then((held) => {
    if (held) observe?.ended(job, endOf(ending), runMs);
    report(log, ending, held, { state: ending.state, runMs: Math.round(runMs), attempt: row.attempt });
  });
  return { runMs, written, closedPack: false, lost: false };
}

function write<Services>(runner: RowRunner<Services>, row: StartedRow, ending: Ending): Promise<boolean> {
  const attempt = ending.uncharge ? row.attempt - 1 : row.attempt;
  return runner.completions.write({ jobId: row.id, packId: row.packId, attempt, ...ending });
}

export function report(log: Log, ending: Ending, held: boolean, fields: Record<string, unknown>): void {
  if (!held) log.warn(fields, 'job was taken over before its outcome was written');
  else if (ending.state === 'dead') log.error({ ...fields, failure: ending.failure }, 'job is dead');
  else if (ending.failure) log.warn({ ...fields, failure: ending.failure }, 'job will run again');
}

export function endOf(ending: Ending): RunEnd {
  if (ending.state !== 'pending') return ending.state;
  return ending.uncharge ? 'snoozed' : 'retried';
}

/** `completed`: the handler's transaction wrote the outcome. Null: the row belongs to another now. */
async function run<Services>(
  runner: RowRunner<Services>,
  registered: RegisteredJob<Services>,
  row: StartedRow,
  { log, progress }: { log: Log; progress: Progress },
  closesPack: () => boolean,
): Promise<RunOutcome | 'completed' | null> {
  const payload = registered.job.payload.safeParse(row.body);
  if (!payload.success) {
    const problems = problemsOf(registered.job, payload.error.issues);
    return { outcome: 'dead', error: new Error(`The payload does not fit version ${row.version}: ${problems}`) };
  }
  const deadline = openDeadline(registered.job.timeoutMs, runner.shutdown);
  const doors = openJobContext(runner.db, row, deadline, log, progress.report, closesPack);
  let begun = false;
  let outcome: RunOutcome;
  let failure: unknown = null;
  try {
    const handler = await registered.load();
    if (!('run' in handler)) throw new Error(`${row.name} has a batch handler and was given a single job.`);
    begun = true;
    const work = handler.run({ payload: payload.data, ctx: doors.ctx, services: runner.services });
    outcome = (await deadline.guard(work)) ?? { outcome: 'done' };
  } catch (error) {
    failure = error;
    outcome = runner.shutdown.aborted ? { outcome: 'cut off', begun, by: error } : outcomeOfError(error);
  }
  const writing = doors.shut();
  if (writing) {
    log.warn(
      { reason: failure && toError(failure).message },
      'run ended inside its transaction; its outcome waits for that',
    );
    const failed = await writing;
    // It returned as if all were well, and did not wait.
    if (failed && outcome.outcome === 'done') outcome = outcomeOfError(failed);
    if (failed instanceof FenceLost) failure = failed;
  }
  deadline.close();
  await progress.end({ done: doors.completed() || outcome.outcome === 'done' });
  if (doors.completed()) {
    if (failure)
      log.error({ error: toError(failure).message }, 'handler failed, and its transaction completed the job');
    else if (outcome.outcome !== 'done')
      log.warn({ outcome: outcome.outcome }, 'outcome ignored: the transaction had completed the job');
    return 'completed';
  }
  if (failure instanceof FenceLost) {
    log.warn({ reason: failure.message }, 'job was taken over; rolled back');
    return null;
  }
  return outcome;
}
