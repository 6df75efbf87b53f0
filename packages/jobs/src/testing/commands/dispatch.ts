import fc from 'fast-check';
import type { Pack } from '../../fill.ts';
import { returnPacks } from '../../line-up.ts';
import { lineUpRipe } from '../../look.ts';
import { hourMs } from '../held-run.ts';
import type { Model, ModelJob } from '../model.ts';
import type { System } from '../system.ts';
import { command, pick, which } from './command.ts';

/** Jobs whose time has come line up among the due. */
export const lineUp = fc.constant(
  command('line up', {
    async happen(model, system) {
      await lineUpRipe(system.jobsDb);
      for (const job of model.at('later').filter((one) => one.ripe)) {
        job.place = 'due';
        job.ripe = false;
      }
    },
  }),
);

/**
 * One dispatcher claims, or several at the same moment. `added`: all packs reach the
 * queue, or none, since the dispatcher died between mark and add.
 */
export const claimPacks = fc
  .record({
    dispatchers: fc.constantFrom(1, 1, 1, 3),
    freePacks: fc.constantFrom(1, 1, 1, 2, 5),
    added: fc.constantFrom(true, true, true, true, true, true, false),
  })
  .map(({ dispatchers, freePacks, added }) =>
    command(`claim(${dispatchers} × ${freePacks}${added ? '' : ', never added'})`, {
      async happen(model, system) {
        const knows = (job: ModelJob) => !job.foreign || model.knowsForeign;
        const due = model.at('due').filter((job) => job.discard !== 'passed');
        const claims = Array.from({ length: dispatchers }, () => system.claim(freePacks, model.knowsForeign));
        const packs = (await Promise.all(claims)).flat();
        for (const pack of packs) handOut(model, system, pack, due.filter(knows), added);
        const left = due.filter(knows).filter((job) => job.place === 'due' && !model.atLimit(job.name));
        if (dispatchers === 1 && left.length > 0 && packs.length < freePacks) {
          throw new Error(`${left.length} jobs were left, with ${freePacks - packs.length} packs to spare.`);
        }
        await putAside(
          model,
          system,
          due.filter((job) => !knows(job)),
        );
      },
    }),
  );

export function handOut(
  model: Model,
  system: System,
  pack: Pack,
  claimable: readonly ModelJob[],
  added: boolean,
): void {
  const jobs = pack.rows.map((row) => {
    const job = claimable.find((one) => one.id === row.id);
    if (job?.place !== 'due') throw new Error(`${row.id} was claimed: ${JSON.stringify(job)}.`);
    job.place = 'out';
    job.key = null;
    return job;
  });
  if (jobs.some((job) => job.alone || job.attempts === 1) && jobs.length > 1) {
    throw new Error('A job that travels alone was given neighbours.');
  }
  if (new Set(jobs.map((job) => `${job.name} ${job.foreign}`)).size > 1) throw new Error('A pack of two kinds.');
  if (model.atLimit(pack.name)) throw new Error(`More packs of ${pack.name} are out than may be.`);
  if (added) system.queue.add(pack.id);
  model.packs.push({ id: pack.id, name: pack.name, jobs, queued: added, runner: null, named: null });
  model.packIds.push(pack.id);
}

/** What nobody knows is looked at again later, or parked, when a claim has come by it. */
async function putAside(model: Model, system: System, unknown: readonly ModelJob[]): Promise<void> {
  const left = await system.jobsDb.sql<{ id: string }[]>`select job_id as id from jobs.due`;
  for (const job of unknown.filter((one) => !left.some((row) => row.id === one.id))) {
    job.place = model.foreignForgotten ? 'aside' : 'later';
    if (job.place === 'aside') job.key = null;
  }
}

/** The queue did not take a pack: its dispatcher returns it at once. Somebody may have opened it after all. */
export const addFails = which.map((number) =>
  command(`add fails(${number})`, {
    possible: (model) => model.packs.length > 0,
    async happen(model, system) {
      const pack = pick(model.packs, number);
      await returnPacks(system.jobsDb.sql, [pack.id], false);
      if (pack.runner === null) model.returnPack(pack, { suspect: false });
    },
  }),
);

/** What waits until later is due, and what was to be discarded in time has not been started in time. */
export const timePasses = fc.constantFrom('run', 'discard').map((of) =>
  command(`time passes (${of})`, {
    async happen(model, system) {
      const { sql } = system.jobsDb;
      if (of === 'run') {
        await sql`
          with ripe as (update jobs.later set run_at = now() - interval '1 hour' returning job_id)
          update jobs.job set run_at = now() - interval '1 hour' from ripe where job.id = ripe.job_id`;
        for (const job of model.at('later')) job.ripe = true;
        return;
      }
      const past = sql`set discard_after = now() - ${hourMs} * interval '1 millisecond' where discard_after is not null`;
      await sql`
        with due as (update jobs.due ${past}), later as (update jobs.later ${past}), key as (update jobs.key ${past}) update jobs.job ${past}`;
      for (const job of model.jobs.filter((one) => one.discard === 'ahead')) job.discard = 'passed';
    },
  }),
);
