import fc from 'fast-check';
import { cancelJob, holdJobs, pauseQueue, releaseJobs, resumeQueue, retryJobs, runNow } from '../../control.ts';
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

/** What has not begun is held: one job, those of a name, or all. */
export const hold = fc
  .record({ whom: target, of: fc.constantFrom<'one' | 'name' | 'all'>('one', 'one', 'one', 'name', 'all') })
  .map(({ whom, of }) =>
    command(`hold ${of}(${whom.number}${whom.anyone ? ', any' : ''})`, {
      possible: (model) => model.jobs.length > 0,
      async happen(model, system) {
        const job = targeted(model, whom, (one) => model.canHold(one));
        const these = model.jobs.filter((one) => of === 'all' || (of === 'name' ? one.name === job.name : one === job));
        const held = these.filter((one) => model.canHold(one));
        const running = these.filter((one) => one.place === 'out' && !model.canHold(one)).length;
        const found = await holdJobs(system.jobsDb, choiceOf(of, job));
        same('held', JSON.stringify([counted(found.kinds), found.running]), JSON.stringify([held.length, running]));
        for (const one of held) model.hold(one);
      },
    }),
  );

/** What is held waits again. */
export const release = fc
  .record({ whom: target, of: fc.constantFrom<'one' | 'name' | 'all'>('one', 'name', 'all') })
  .map(({ whom, of }) =>
    command(`release ${of}(${whom.number}${whom.anyone ? ', any' : ''})`, {
      possible: (model) => model.jobs.length > 0,
      async happen(model, system) {
        const job = targeted(model, whom, (one) => one.place === 'held');
        const held = model
          .at('held')
          .filter((one) => of === 'all' || (of === 'name' ? one.name === job.name : one === job));
        same('released', counted(await releaseJobs(system.jobsDb, choiceOf(of, job))), held.length);
        for (const one of held) model.again(one, one.heldFrom);
      },
    }),
  );

const choiceOf = (of: 'one' | 'name' | 'all', { id, name }: ModelJob) =>
  of === 'all' ? {} : of === 'name' ? { name } : { id };
const counted = (kinds: readonly { jobs: number }[]) => kinds.reduce((sum, { jobs }) => sum + jobs, 0);

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
