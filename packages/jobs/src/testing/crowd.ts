import { sqlOf, type Tx } from '@ballast/db';
import { type BatchContext, type BatchItem, cancel, type JobContext, type Outcome, snooze } from '@ballast/kernel';
import { cancelJob, holdJobs, pauseQueue, releaseJobs, resumeQueue, retryJobs, runNow } from '../control.ts';
import { returnPacks } from '../line-up.ts';
import { lineUpRipe } from '../look.ts';
import { leave } from './held-run.ts';
import { type Kind, kinds, processes, type System, tenants } from './system.ts';

/** What an actor can do, and how often it comes up. */
export const acts = {
  add: 4,
  'add with a key': 2,
  claim: 4,
  work: 10,
  cancel: 2,
  retry: 2,
  'run now': 1,
  hold: 2,
  release: 2,
  sweep: 3,
  'add fails': 1,
  'line up': 1,
  wipe: 1,
  pause: 1,
};

export interface Act {
  what: keyof typeof acts;
  /** Decides on whom, and on everything else that is open. */
  number: number;
}

export interface Crowd {
  /** One actor does these things one after the other. */
  play(list: readonly Act[]): Promise<void>;
  /** Runs every job to its end. */
  finish(): Promise<void>;
  /** Jobs that did not end, or whose effects do not fit their end. */
  wrong(): Promise<readonly unknown[]>;
  /** What failed of that which may wait, but not fail. */
  surprises: string[];
}

/** One of the workers lives; whatever the other opens may be swept away under it at any moment. */
export async function openCrowd(system: System): Promise<Crowd> {
  await system.reset();
  const { jobsDb } = system;
  await jobsDb.sql`
    insert into jobs.process (id, role, release, host, slots, knows)
    values (${processes[0]}, 'worker', 'test', 'here', '{}', '{}')`;
  const jobs: string[] = [];
  const surprises: string[] = [];
  const waiting = () => [...system.queue];

  const doings: Record<Act['what'], (number: number) => Promise<unknown>> = {
    add: async (number) => jobs.push(await system.add(kindOf(number), tenantOf(number), { priority: number % 3 })),
    'add with a key': async (number) => {
      const id = await system.add(kindOf(number), tenantOf(number), { key: number % 3 ? 'a' : 'b' });
      if (!jobs.includes(id)) jobs.push(id);
    },
    claim: async (number) => {
      const packs = await system.claim(1 + (number % 3), true);
      // Every seventh dispatcher dies between mark and add.
      if (number % 7 > 0) for (const pack of packs) system.queue.add(pack.id);
    },
    work: async (number) => {
      const packId = waiting()[number % Math.max(1, system.queue.size)];
      if (!packId) return;
      // Every fifth pack is handed out once more.
      if (number % 5 > 0) system.queue.delete(packId);
      await system.work(packId, {
        processId: processes[number % 2] as string,
        stopping: number % 11 === 0,
        handle: (ctx) => handle(ctx, number),
        handleBatch: (items, ctx) => handleBatch(items, ctx, number),
      });
    },
    cancel: (number) => onJob(number, (id) => cancelJob(jobsDb, id)),
    retry: (number) => onJob(number, (id) => retryJobs(jobsDb, { id })),
    'run now': (number) => onJob(number, (id) => runNow(jobsDb, id)),
    // Every fifth holds all there is of a name.
    hold: (number) => onJob(number, (id) => holdJobs(jobsDb, number % 5 ? { id } : { name: kinds.often.name }, 200)),
    release: (number) => onJob(number, (id) => releaseJobs(jobsDb, number % 2 ? { id } : {})),
    sweep: () => system.sweep(false),
    'add fails': (number) =>
      returnPacks(jobsDb.sql, [waiting()[number % Math.max(1, system.queue.size)] ?? processes[0]], false),
    'line up': () => lineUpRipe(jobsDb),
    wipe: async () => {
      system.wipe();
      await system.look();
    },
    pause: (number) => (number % 2 ? pauseQueue : resumeQueue)(jobsDb, 'default'),
  };

  async function onJob(number: number, work: (id: string) => Promise<unknown>): Promise<void> {
    const id = jobs[number % Math.max(1, jobs.length)];
    if (id) await work(id);
  }

  return {
    surprises,
    async play(list) {
      for (const { what, number } of list) {
        await doings[what](number).catch((error: Error) => surprises.push(`${what}: ${error.message}`));
      }
    },
    async finish() {
      await resumeQueue(jobsDb, 'default');
      system.wipe();
      // The living worker has ended its packs: what is still opened belongs to nobody.
      await jobsDb.sql`delete from jobs.process`;
      await releaseJobs(jobsDb, {});
      for (let round = 0; round < 20; round++) {
        await system.sweep(false);
        await jobsDb.sql`
          with ripe as (update jobs.later set run_at = now() - interval '1 second' returning job_id)
          update jobs.job set run_at = now() - interval '1 second' from ripe where job.id = ripe.job_id`;
        await lineUpRipe(jobsDb);
        // Again for those that their kind's limit held back.
        for (let packs = await system.claim(100, true); packs.length > 0; packs = await system.claim(100, true)) {
          for (const { id } of packs)
            await system.work(id, { processId: processes[1], handle: finishing, handleBatch: leaveAll });
        }
      }
    },
    async wrong() {
      return jobsDb.sql`
        select * from (
          select id, state, (select count(*)::int from effect where job_id = job.id and part = 'whole') as whole,
                 (select count(*)::int from effect where job_id = job.id and part = 'half') as half,
                 (select count(*)::int from jobs.due where job_id = job.id) + (select count(*)::int from jobs.later where job_id = job.id)
                 + (select count(*)::int from jobs.aside where job_id = job.id)
                 + (select count(*)::int from jobs.pack where job.id = any(job_ids)) as places
          from jobs.job
        ) as found
        where state = 'open' or whole <> (state = 'done')::int or half > 1 or places > 0`;
    },
  };
}

const kindOf = (number: number): Kind => (['once', 'limited', 'batch', 'limited'] as const)[number % 6] ?? 'often';
const tenantOf = (number: number) => tenants[Math.floor(number / 6) % 2] as string;
const finishing = async (ctx: JobContext<Tx>) => {
  await ctx.transaction((tx) => leave(tx, ctx.jobId, 'whole'));
  return undefined;
};

const leaveAll = async (items: readonly BatchItem<unknown>[], ctx: BatchContext<Tx>) => {
  await ctx.transaction(items, async (tx, live) => {
    for (const { jobId } of live) await leave(tx, jobId, 'whole');
  });
  return undefined;
};

/** A batch that takes its time, in its transaction and before, and perhaps fails there. */
async function handleBatch(items: readonly BatchItem<unknown>[], ctx: BatchContext<Tx>, number: number) {
  await new Promise((resolve) => setTimeout(resolve, number % 17));
  await ctx.transaction(items, async (tx, live) => {
    for (const { jobId } of live) await leave(tx, jobId, 'whole');
    await sqlOf(tx)`select pg_sleep(${(number % 17) / 1_000})`;
    if (number % 8 === 0) throw new Error('failed on purpose');
  });
  return undefined;
}

/** A run that takes its time, in its transaction and between, and ends in any way. */
async function handle(ctx: JobContext<Tx>, number: number): Promise<Outcome | undefined> {
  const pauseMs = number % 17;
  const half = () => ctx.step('half', (tx) => leave(tx, ctx.jobId, 'half'));
  if (number % 2) await half();
  switch (number % 8) {
    case 0:
      throw new Error('failed on purpose');
    case 1:
      return snooze(0);
    case 2:
      return number % 3 ? snooze(0) : cancel('not needed');
    case 3:
      await ctx.transaction(async (tx) => {
        await leave(tx, ctx.jobId, 'whole');
        throw new Error('failed on purpose');
      });
      return undefined;
    default:
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
      await ctx.transaction(async (tx) => {
        await leave(tx, ctx.jobId, 'whole');
        await sqlOf(tx)`select pg_sleep(${pauseMs / 1_000})`;
      });
      return undefined;
  }
}
