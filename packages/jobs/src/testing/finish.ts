import { releaseJobs, resumeQueue } from '../control.ts';
import { lineUpRipe } from '../look.ts';
import { agree } from './agreement.ts';
import { handOut } from './commands/dispatch.ts';
import { sweepBoth, switchOn } from './commands/fleet.ts';
import { give, openPack } from './commands/run.ts';
import type { Model } from './model.ts';
import { limits, processes, type System } from './system.ts';

/** More rounds than the attempts of any job: every round ends each job or charges it, but for those that their kind's limit holds back. */
const maxRounds = 10;

/** The faults are over: what runs ends, what fell silent is swept, and every job is run to its end. */
export async function finish(model: Model, system: System): Promise<void> {
  await resumeQueue(system.jobsDb, 'default');
  model.paused = false;
  await releaseJobs(system.jobsDb, {});
  for (const job of model.at('held')) model.again(job, job.heldFrom);
  await switchOn(model, system);
  await endRuns(model, system);
  model.living.clear();
  const rounds = maxRounds + model.open().filter((job) => limits.has(job.name)).length;
  for (let round = 0; round < rounds && model.open().length + model.packs.length > 0; round++) {
    await sweepBoth(model, system, false);
    await system.jobsDb.sql`
      with ripe as (update jobs.later set run_at = now() - interval '1 second' returning job_id)
      update jobs.job set run_at = now() - interval '1 second' from ripe where job.id = ripe.job_id`;
    await lineUpRipe(system.jobsDb);
    for (const job of model.at('later')) job.place = 'due';
    const due = model.at('due').filter((job) => job.discard !== 'passed');
    for (const pack of await system.claim(100, true)) handOut(model, system, pack, due, true);
    for (const pack of model.packs.filter((one) => one.runner === null)) {
      await openPack(model, system, pack.id, processes[0], { stopping: false, impatient: false });
    }
    await endRuns(model, system);
    await agree(system.jobsDb, model);
  }
}

async function endRuns(model: Model, system: System): Promise<void> {
  for (let run = model.runs[0]; run; run = model.runs[0]) await give(model, system, run, 'transaction');
}
