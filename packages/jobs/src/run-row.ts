import type { Database, Tx } from '@ballast/db';
import type { JobHandler, Log, Outcome } from '@ballast/kernel';
import type { Completions } from './completions.ts';
import { FenceLost, openJobContext, type RunningRow } from './job-context.ts';
import type { JobObserver, RunEnd } from './observe.ts';
import { type Ending, endingOf, outcomeOfError } from './outcome.ts';

/** A job and where its handler is found. The handler is imported when the first such job runs. */
export interface RegisteredJob<Services = unknown> {
  job: JobHandler['job'];
  // biome-ignore lint/suspicious/noExplicitAny: each handler has a payload of its own; the job's schema checks it at run time
  load(): Promise<JobHandler<any, Tx, Services>>;
}

export interface StartedRow extends RunningRow {
  name: string;
  version: number;
  body: unknown;
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
}

/** Runs one started row to an outcome that is committed, and says how long the handler took. */
export async function runRow<Services>(runner: RowRunner<Services>, row: StartedRow): Promise<{ runMs: number }> {
  const log = childLog(runner.log, row);
  const registered = runner.find(row.name, row.version);
  if (!registered) {
    // Claimed for a process that knew it; this one does not. Put back, not failed.
    await runner.completions.write({
      jobId: row.id,
      packId: row.packId,
      state: 'pending',
      afterMs: 5_000,
      uncharge: true,
      failure: null,
    });
    return { runMs: 0 };
  }
  const { observe } = runner;
  const { job } = registered;
  observe?.started(job, row);
  const startedAt = performance.now();
  const outcome = await run(runner, registered, row, log);
  const runMs = performance.now() - startedAt;
  if (outcome === 'completed') observe?.ended(job, 'done', runMs);
  if (outcome === null || outcome === 'completed') return { runMs };
  const ending = endingOf(outcome, job, row.attempt);
  const written = await runner.completions.write({ jobId: row.id, packId: row.packId, ...ending });
  if (written) observe?.ended(job, endOf(ending), runMs);
  const fields = { state: ending.state, runMs: Math.round(runMs), attempt: row.attempt, failure: ending.failure };
  if (!written) log.warn(fields, 'job was taken over before its outcome was written');
  else if (ending.state === 'dead') log.error(fields, 'job is dead');
  else if (ending.failure) log.warn(fields, 'job will run again');
  else log.debug(fields, 'job ended');
  return { runMs };
}

function endOf(ending: Ending): RunEnd {
  if (ending.state !== 'pending') return ending.state;
  return ending.uncharge ? 'snoozed' : 'retried';
}

/** `completed`: the handler's transaction wrote the outcome. Null: the row belongs to another now. */
async function run<Services>(
  runner: RowRunner<Services>,
  registered: RegisteredJob<Services>,
  row: StartedRow,
  log: Log,
): Promise<Outcome | 'completed' | null> {
  const payload = registered.job.payload.safeParse(row.body);
  if (!payload.success) {
    const paths = payload.error.issues.map((issue) => `${issue.path.join('.') || 'payload'}: ${issue.message}`);
    return {
      outcome: 'dead',
      error: new Error(`The payload does not fit version ${row.version}: ${paths.join('; ')}`),
    };
  }
  const timeout = AbortSignal.timeout(registered.job.timeoutMs);
  const signal = AbortSignal.any([timeout, runner.shutdown]);
  const doors = openJobContext(runner.db, row, signal, log);
  try {
    const handler = await registered.load();
    const work = handler.run({ payload: payload.data, ctx: doors.ctx, services: runner.services });
    const outcome = (await untilAborted(work, signal)) ?? { outcome: 'done' };
    if (!doors.completed()) return outcome;
    if (outcome.outcome !== 'done')
      log.warn({ outcome: outcome.outcome }, 'outcome ignored: the transaction had completed the job');
    return 'completed';
  } catch (error) {
    if (error instanceof FenceLost) {
      log.warn({ reason: error.message }, 'job was taken over; rolled back');
      return null;
    }
    if (doors.completed()) {
      log.error({ error: (error as Error).message }, 'handler failed after its transaction had completed the job');
      return 'completed';
    }
    if (runner.shutdown.aborted) return { outcome: 'snoozed', forMs: 0 };
    return outcomeOfError(error);
  } finally {
    doors.shut();
  }
}

/** A handler that ignores its signal loses its turn shortly after: its doors are shut, and its row runs again. */
function untilAborted<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> {
  const graceMs = 1_000;
  return new Promise<Result>((resolve, reject) => {
    const onAbort = () => {
      const late = () => reject(signal.reason instanceof Error ? signal.reason : new Error('The run was aborted.'));
      setTimeout(late, graceMs).unref();
    };
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

function childLog(log: Log, row: StartedRow): Log {
  const ids = { job: row.name, jobId: row.id };
  return {
    debug: (fields, message) => log.debug({ ...ids, ...fields }, message),
    info: (fields, message) => log.info({ ...ids, ...fields }, message),
    warn: (fields, message) => log.warn({ ...ids, ...fields }, message),
    error: (fields, message) => log.error({ ...ids, ...fields }, message),
  };
}
