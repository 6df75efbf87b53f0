import fc from 'fast-check';
import type { HeldRun, Order } from '../held-run.ts';
import type { Model, ModelJob, ModelRun } from '../model.ts';
import { type Opening, processes, type System } from '../system.ts';
import { command, pick, which } from './command.ts';

/** The queue hands a pack to a worker: one that waits, or any other again. */
export const open = fc
  .record({
    number: which,
    again: fc.constantFrom(false, false, false, false, true),
    processId: fc.constantFrom(...processes),
    stopping: fc.constantFrom(false, false, false, false, false, false, true),
    impatient: fc.constantFrom(false, false, false, true),
  })
  .map(({ number, again, processId, stopping, impatient }) =>
    command(`open(${number}${again ? ', any' : ''}${stopping ? ', stopping' : ''}${impatient ? ', impatient' : ''})`, {
      possible: (model) => (again ? model.packIds : waiting(model)).length > 0,
      async happen(model, system) {
        const packId = pick(again ? model.packIds : waiting(model), number);
        await openPack(model, system, packId, processId, { stopping, impatient });
      },
    }),
  );

const waiting = (model: Model) => model.packs.filter((one) => one.runner === null).map((one) => one.id);

export async function openPack(
  model: Model,
  system: System,
  packId: string,
  processId: string,
  opening: Opening,
): Promise<void> {
  const pack = model.packs.find((one) => one.id === packId);
  const takes = pack?.runner === null;
  const run = await system.open(packId, processId, opening);
  if (!pack || !takes) {
    if (!run.ended) throw new Error(`Pack ${packId} was run, and is not there or another's.`);
    return;
  }
  pack.runner = processId;
  pack.named = null;
  const rows = pack.jobs
    .filter((job) => job.place === 'out')
    .map((job) => ({ job, attempt: job.attempt, stale: job.discard === 'passed' }));
  const [only] = rows;
  if (only && pack.jobs.length === 1 && !only.stale) {
    only.job.attempt += 1;
    only.job.started = true;
  }
  const modelRun = { pack, rows, at: -1, givesBack: model.paused || opening.stopping, lost: false };
  model.runs.push(modelRun);
  goOn(model, modelRun, run);
  if (!opening.impatient || modelRun.at >= modelRun.rows.length - 1) return;
  // Its first row runs; the time of those behind it is up.
  await run.returned;
  for (const row of modelRun.rows.splice(modelRun.at + 1)) leaveRow(model, modelRun, row);
}

/** The rows behind the one that ended: begun, given back or discarded, and the pack's end behind the last. */
function goOn(model: Model, run: ModelRun, real: HeldRun): void {
  for (run.at += 1; run.at < run.rows.length; run.at += 1) {
    const row = run.rows[run.at] as ModelRun['rows'][number];
    if (!row.stale && !run.givesBack) {
      if (real.jobId === row.job.id) return;
      throw new Error(`${row.job.id} should run, and ${real.jobId} does.`);
    }
    leaveRow(model, run, row);
  }
  if (!real.ended) throw new Error(`${real.jobId} runs, and the pack has no more rows.`);
  model.runs = model.runs.filter((one) => one !== run);
  if (!run.lost) model.packs = model.packs.filter((one) => one !== run.pack);
}

/** A row that is not begun: discarded when nobody began it in time, else back in the line. */
function leaveRow(model: Model, run: ModelRun, { job, attempt, stale }: ModelRun['rows'][number]): void {
  if (!model.holds(run, job)) return;
  if (stale) {
    model.end(job, 'cancelled');
    return;
  }
  job.attempt = attempt;
  model.again(job, 'due');
}

/** A handler goes on. What it does counts when its pack is still its own. */
export const goOnWith = fc
  .record({
    number: which,
    order: fc.constantFrom<Order>(
      'step',
      'step',
      'transaction',
      'transaction',
      'transaction that fails',
      'nothing',
      'fail',
      'fail',
      'refuse',
      'snooze',
      'sleep',
      'cancel',
    ),
  })
  .map(({ number, order }) =>
    command(`${order}(${number})`, {
      possible: (model) => model.runs.length > 0,
      happen: (model, system) => give(model, system, pick(model.runs, number), order),
    }),
  );

export async function give(model: Model, system: System, run: ModelRun, order: Order): Promise<void> {
  const real = system.runs.find((one) => one.packId === run.pack.id) as HeldRun;
  await real.order(order);
  await system.written();
  if (real.ended) system.runs.splice(system.runs.indexOf(real), 1);
  const { job, attempt } = run.rows[run.at] as ModelRun['rows'][number];
  const held = model.holds(run, job);
  if (order === 'step' && held) {
    job.effects.add('half');
    if (real.jobId !== job.id) throw new Error(`${job.id} did not go on behind its step.`);
    return;
  }
  if (held) become(model, job, attempt + 1, order);
  else run.lost ||= order === 'step' || order === 'transaction';
  goOn(model, run, real);
}

function become(model: Model, job: ModelJob, start: number, order: Order): void {
  const uncharged = order === 'snooze' || order === 'sleep';
  job.attempt = uncharged ? start - 1 : start;
  if (order === 'transaction') job.effects.add('whole');
  if (order === 'transaction' || order === 'nothing') model.end(job, 'done');
  else if (order === 'cancel') model.end(job, 'cancelled');
  else if (order === 'refuse') model.end(job, 'dead');
  else if (uncharged) model.again(job, order === 'snooze' ? 'due' : 'later');
  else if (start >= job.attempts) model.end(job, 'dead');
  else model.again(job, 'later');
}

/** A pack's worker is gone, and its handlers with it. */
export const kill = which.map((number) =>
  command(`kill(${number})`, {
    possible: (model) => model.runs.length > 0,
    async happen(model, system) {
      const run = pick(model.runs, number);
      model.runs = model.runs.filter((one) => one !== run);
      system.runs.splice(
        system.runs.findIndex((one) => one.packId === run.pack.id),
        1,
      );
    },
  }),
);
