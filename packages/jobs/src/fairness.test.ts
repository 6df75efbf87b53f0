/** That no backlog holds up another tenant, and that nobody pays for how many tenants wait. */
import { sqlOf, withScope, withTenant } from '@ballast/db';
import { defineJob, type JobDefinition } from '@ballast/kernel';
import { onServer } from '@ballast/test-kit/database';
import { openPatiently, openTestPools } from '@ballast/test-kit/pools';
import { queueBackends, silentLog, startQueue } from '@ballast/test-kit/queue';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { claim } from './claim.ts';
import { enqueue } from './enqueue.ts';
import { forgetJobs } from './testing.ts';
import type { Transport } from './transport.ts';
import { startWorker } from './work.ts';

const task = defineJob({ name: 'suite.task', payload: z.strictObject({}) });
const crowded = '018f0000-0000-7000-8000-000000000001';
const other = '018f0000-0000-7000-8000-0000000000ff';

// One session: what it counts of itself is complete when it is asked.
const { database, db, jobsDb, close } = await openTestPools({ jobsConnections: 1 });

// It would be counted with what a claim reads.
beforeAll(() => onServer(database.ownerUrl, (owner) => owner`alter table jobs.due set (autovacuum_enabled = false)`));
afterAll(close);
beforeEach(() => forgetJobs(jobsDb));

/** As `enqueueMany` would, without carrying each id from here. */
const addMany = (jobs: number, tenant: string, job: Pick<JobDefinition, 'name' | 'concurrency'> = task) =>
  withScope(jobsDb, {}, async (tx) => {
    await sqlOf(tx)`
      select jobs.add(${job.name}, 1, 'default', 8::smallint, null, ${job.concurrency}::smallint, null, null, array_agg(gen_random_uuid()),
        array_agg('{}'::text), null, null, null, array_agg(tenant::uuid), null)
      from (select case when ${tenant} = '' then gen_random_uuid()::text else ${tenant} end as tenant from generate_series(1, ${jobs}::int)) as one`;
  });

/** Jobs that were handed out and that have started, by their tenants, and a worker that runs them, each for as long as `runMs` says. */
async function startCrowd(
  backend: (typeof queueBackends)[number],
  job: typeof task,
  slots: number,
  runMs: () => number,
) {
  const queue = await startQueue(backend, database);
  const transport = queue.open();
  const own = openPatiently({ url: database.dispatcherUrl });
  const started: (string | null)[] = [];
  const handedOut: string[][] = [];
  const noted: Transport = {
    ...transport,
    async add(name, packIds) {
      const packs = await own.sql<{ tenants: string[] }[]>`
        select array(select tenant_id from jobs.job where job.id = any(job_ids)) as tenants
        from unnest(${packIds as string[]}::uuid[]) with ordinality as given (id, place) join jobs.pack using (id) order by place`;
      handedOut.push(...packs.map(({ tenants }) => tenants));
      await transport.add(name, packIds);
    },
  };
  const worker = await startWorker<null>({
    db,
    jobsDb: own,
    transport: noted,
    services: null,
    log: silentLog,
    release: 'suite',
    queues: { default: slots },
    jobs: [
      {
        job: job as never,
        load: async () => ({
          job: job as never,
          run: async ({ ctx }) => {
            started.push(ctx.tenantId);
            await new Promise((resolve) => setTimeout(resolve, runMs()));
          },
        }),
      },
    ],
  });
  return {
    started,
    /** Resolves when so many more have started. */
    async more(jobs: number) {
      const from = started.length;
      await expect.poll(() => started.length - from, { timeout: 60_000 }).toBeGreaterThan(jobs);
    },
    /** How many others start before a job that is added now, counted from its commit. */
    async startedBefore(tenant: string) {
      const from = started.length;
      await withTenant(db, tenant, (tx) => enqueue(tx, job, {}));
      const committed = started.length;
      await expect.poll(() => started.indexOf(tenant, from), { timeout: 60_000 }).toBeGreaterThanOrEqual(0);
      return Math.max(0, started.indexOf(tenant, from) - committed);
    },
    /** How many packs are handed out before that of a job that is added now, counted from its commit. */
    async handedOutBefore(tenant: string) {
      const from = handedOut.length;
      await withTenant(db, tenant, (tx) => enqueue(tx, job, {}));
      const committed = handedOut.length;
      const place = () => handedOut.findIndex((tenants, at) => at >= from && tenants.includes(tenant));
      await expect.poll(place, { timeout: 60_000 }).toBeGreaterThanOrEqual(0);
      return Math.max(0, place() - committed);
    },
    async close() {
      await worker.close({ graceMs: 1_000 });
      await transport.close();
      await Promise.all([own.close(), queue.stop()]);
    },
  };
}

describe.each(queueBackends)('on %s, workers', (backend) => {
  it('start another tenant’s job before what was handed out behind 100,000 jobs could run twice', async () => {
    const slots = 5;
    let runMs = () => 20;
    await addMany(100_000, crowded);
    const crowd = await startCrowd(backend, task, slots, () => runMs());
    await crowd.more(200);
    // Measured by then, so packs are as full as they get: twice the slots are out, in packs of 100 ms at most, and once
    // more what runs between the commit and the claim. Within max(1 s, 2 h) then, on a machine that has nothing else to do.
    expect(await crowd.startedBefore(other)).toBeLessThan(3 * slots * (100 / runMs()));
    // Each as long as it likes: slots become free one at a time, each of them a turn.
    runMs = () => 250 + Math.random() * 200;
    // Until the heartbeat has told how long they run now, packs hold two, of which the second goes back.
    const told = () =>
      jobsDb.sql`select 1 from jobs.process where (run_ms ->> ${task.name})::float > 200 and beat_at > now() - interval '10 seconds'`;
    await expect.poll(async () => (await told()).length, { timeout: 60_000 }).toBe(1);
    await crowd.more(2 * slots);
    // Twice the slots are out, of which one in each slot has started; the next slot may be the crowded tenant's once more,
    // and whatever was being claimed at the commit. Fourteen starts are a second; without turns it would be all of them.
    expect(await crowd.startedBefore(other)).toBeLessThan(3 * slots);
    await crowd.close();
  });

  it('start the jobs of a limited kind by turns, whichever tenant’s backlog was there before', async () => {
    const limited = { ...task, name: 'suite.limited', concurrency: 2 };
    const others = Array.from({ length: 6 }, (_, n) => `018f0000-0000-7000-8000-00000000010${n}`);
    await addMany(1_000, crowded, limited);
    const crowd = await startCrowd(backend, limited as never, 5, () => 60);
    await crowd.more(6);
    // Two at most were being claimed at the commit. Of those that follow each is another tenant's.
    for (const tenant of others) expect(await crowd.handedOutBefore(tenant)).toBeLessThanOrEqual(2);
    const from = crowd.started.length;
    for (const tenant of others) await addMany(20, tenant, limited);
    await crowd.more(7 * 8);
    for (const tenant of others)
      expect(crowd.started.slice(from).filter((one) => one === tenant).length).toBeGreaterThan(3);
    await crowd.close();
  });
});

it('a claim reads as much with 10,000 tenants in the line as with 100', async () => {
  const fleet = {
    slots: new Map([['default', 10]]),
    knows: new Set(['suite.task@1']),
    runMs: new Map([['suite.task', 5]]),
  };
  const readBy = async (tenants: number) => {
    await forgetJobs(jobsDb);
    await addMany(tenants, '');
    const before = await blocksRead();
    const { packs } = await claim(jobsDb, { queue: 'default', freePacks: 20, rowsPerPack: 20, fleet, afterLane: null });
    expect(packs.flatMap((pack) => pack.rows)).toHaveLength(64);
    return (await blocksRead()) - before;
  };
  // A session that ends reports what it has read.
  const others = () => jobsDb.sql`
    select 1 from pg_stat_activity
    where datname = current_database() and usename = current_user and pid <> pg_backend_pid()`;
  await expect.poll(async () => (await others()).length).toBe(0);
  const few = await readBy(100);
  const many = await readBy(10_000);
  // The index is a level deeper.
  expect(many).toBeLessThan(2 * few);
});

async function blocksRead(): Promise<number> {
  await jobsDb.sql`select pg_stat_force_next_flush()`;
  await jobsDb.sql`select 1`;
  const [row] = await jobsDb.sql<{ blocks: number }[]>`
    select (heap_blks_hit + heap_blks_read + idx_blks_hit + idx_blks_read)::int as blocks
    from pg_statio_user_tables where schemaname = 'jobs' and relname = 'due'`;
  return row?.blocks ?? 0;
}
