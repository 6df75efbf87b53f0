import fc from 'fast-check';
import { startHeartbeat } from '../../heartbeat.ts';
import type { Model } from '../model.ts';
import { kinds, processes, type System } from '../system.ts';
import { command, pick, which } from './command.ts';
import { same } from './operate.ts';

/** A heartbeat arrives and names what its process runs, or a process falls silent. */
export const beatOrFallSilent = fc
  .record({ processId: fc.constantFrom(...processes), silent: fc.constantFrom(false, false, true) })
  .map(({ processId, silent }) =>
    command(`${silent ? 'silence of' : 'beat of'} ${processId.slice(-2)}`, {
      async happen(model) {
        if (silent) model.living.delete(processId);
        else model.beat(processId);
      },
    }),
  );

/** The queue loses a pack, with what it was told about it. */
export const losePack = which.map((number) =>
  command(`lose pack(${number})`, {
    possible: (model) => model.packs.length > 0,
    async happen(model, system) {
      const pack = pick(model.packs, number);
      pack.queued = false;
      system.queue.delete(pack.id);
    },
  }),
);

/** The queue loses everything, and the next look of a dispatcher finds that out. */
export const wipe = fc.constant(
  command('wipe', {
    async happen(model, system) {
      system.wipe();
      const lost = model.packs.filter((pack) => pack.runner === null);
      const returned = lost.reduce((sum, pack) => sum + model.returnPack(pack, { suspect: false }), 0);
      for (const pack of model.packs) pack.queued = false;
      same('returned', await system.look(), returned);
      same('returned again', await system.look(), null);
    },
  }),
);

/** What began and will not end returns; what nobody started in time is cancelled; perhaps old rows leave. */
export const sweepAll = fc
  .constantFrom(false, false, true)
  .map((remove) =>
    command(`sweep${remove ? ' and remove' : ''}`, { happen: (model, system) => sweepBoth(model, system, remove) }),
  );

export async function sweepBoth(model: Model, system: System, remove: boolean): Promise<void> {
  await writeBeats(model, system);
  const sum = (counts: number[]) => counts.reduce((total, count) => total + count, 0);
  const orphaned = model.sweepOrphans(model.packs.filter((pack) => model.isOrphan(pack)));
  const unknown = model.packs.filter((pack) => pack.runner === null && !pack.queued);
  const lost = sum(unknown.map((pack) => model.returnPack(pack, { suspect: true })));
  const stale = model.at('due').filter((job) => job.discard === 'passed');
  for (const job of stale) model.end(job, 'cancelled');
  const old = remove ? [...model.at('done'), ...model.at('cancelled')] : [];
  model.jobs = model.jobs.filter((job) => !old.includes(job));
  const expected = { orphaned, lost, stale: stale.length, removed: old.length };
  same('swept', JSON.stringify(await system.sweep(remove)), JSON.stringify(expected));
}

/** The heartbeats as the model has them, by a clock in which a minute passed since those that have ended. */
async function writeBeats(model: Model, system: System): Promise<void> {
  const { sql } = system.jobsDb;
  await sql`delete from jobs.process`;
  for (const id of model.living) {
    const named = model.packs.filter((pack) => pack.runner === id && pack.named).map((pack) => pack.id);
    await sql`
      insert into jobs.process (id, role, release, host, slots, knows, packs, listed_at)
      values (${id}, 'worker', 'test', 'here', '{}', '{}', ${named}::uuid[], now() - interval '5 seconds')`;
  }
  const before = model.packs.filter((pack) => pack.named !== null).map((pack) => pack.id);
  await sql`
    update jobs.pack set opened_at = now() - case when id = any(${before}::uuid[]) then interval '10 seconds' else '0' end
    where runner_id is not null`;
}

/** The foreign kind's module is switched on, whereupon what was parked waits again, or off, or was off for a minute. */
export const deploy = fc.constantFrom('on', 'off', 'forgotten').map((becomes) =>
  command(`foreign kind ${becomes}`, {
    async happen(model, system) {
      model.knowsForeign = becomes === 'on';
      if (becomes === 'on') await switchOn(model, system);
      if (becomes !== 'forgotten') return;
      const { name, version } = kinds.foreign;
      await system.jobsDb.sql`
        insert into jobs.kind (name, version, known_at) values (${name}, ${version}, now() - interval '2 minutes')
        on conflict (name, version) do update set known_at = excluded.known_at`;
      model.foreignForgotten = true;
    },
  }),
);

export async function switchOn(model: Model, system: System): Promise<void> {
  const { name, version } = kinds.foreign;
  const presence = {
    processId: '018f0000-0000-7000-8000-0000000000af',
    role: 'worker',
    release: 'test',
    slots: {},
    knows: [`${name}@${version}`],
    schedules: [],
    now: () => ({ packs: [], runMs: {} }),
  };
  const heartbeat = await startHeartbeat(system.jobsDb, presence, { debug() {}, info() {}, warn() {}, error() {} });
  await heartbeat.close();
  model.knowsForeign = true;
  model.foreignForgotten = false;
  for (const job of model.at('aside')) model.again(job, 'due');
}
