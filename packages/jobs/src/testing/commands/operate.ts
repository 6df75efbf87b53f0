import fc from 'fast-check';
import { cancelJob, pauseQueue, resumeQueue, retryJobs, runNow } from '../../control.ts';
import type { Model, ModelJob } from '../model.ts';
import { command, pick, which } from './command.ts';

/** A job of a pack under way when there is one, where it is hardest to get right; or any. */
const target = fc.record({ number: which, anyone: fc.constantFrom(false, false, true) });

function targeted(
  model: Model,
  { number, anyone }: { number: number; anyone: boolean },
  fits: (job: ModelJob) => boolean,
) {
  const underWay = rowsUnderWay(model).filter(fits);
  const fitting = anyone ? model.jobs : underWay.length > 0 ? underWay : model.jobs.filter(fits);
  return pick(fitting.length > 0 ? fitting : model.jobs, number);
}

/** What a sweep removed meanwhile is nobody's target. */
const rowsUnderWay = (model: Model) =>
  model.runs.flatMap((run) => run.rows.map((row) => row.job)).filter((job) => model.jobs.includes(job));

/** Cancels what has not started, and says whether it did. */
export const cancelOne = target.map((whom) =>
  command(`cancel job(${whom.number}${whom.anyone ? ', any' : ''})`, {
    possible: (model) => model.jobs.length > 0,
    async happen(model, system) {
      const job = targeted(model, whom, (one) => one.place === 'out' && !one.started);
      const can = model.open().includes(job) && !job.started;
      same('cancelled', await cancelJob(system.jobsDb, job.id), can);
      if (!can) return;
      model.leavePacks(job);
      model.end(job, 'cancelled');
    },
  }),
);

/** Dead and cancelled jobs get all their attempts again. */
export const retryOne = target.map((whom) =>
  command(`retry(${whom.number}${whom.anyone ? ', any' : ''})`, {
    possible: (model) => model.jobs.length > 0,
    async happen(model, system) {
      const job = targeted(model, whom, (one) => one.place === 'dead' || one.place === 'cancelled');
      const can = job.place === 'dead' || job.place === 'cancelled';
      same('retried', await retryJobs(system.jobsDb, { id: job.id }), can ? 1 : 0);
      if (!can) return;
      job.attempt = 0;
      model.again(job, 'due');
    },
  }),
);

/** What waits is due now. */
export const runOne = target.map((whom) =>
  command(`run now(${whom.number}${whom.anyone ? ', any' : ''})`, {
    possible: (model) => model.jobs.length > 0,
    async happen(model, system) {
      const job = targeted(model, whom, (one) => one.place === 'later');
      const waits = job.place === 'later' || job.place === 'due';
      same('made due', await runNow(system.jobsDb, job.id), waits);
      if (waits) job.place = 'due';
      job.ripe = false;
    },
  }),
);

/** Nothing that is opened from now on begins. */
export const pauseOrResume = fc.boolean().map((pause) =>
  command(pause ? 'pause' : 'resume', {
    async happen(model, system) {
      await (pause ? pauseQueue : resumeQueue)(system.jobsDb, 'default');
      model.paused = pause;
    },
  }),
);

export function same(what: string, found: unknown, expected: unknown): void {
  if (found !== expected) throw new Error(`${what}: ${found}, and the model says ${expected}.`);
}
