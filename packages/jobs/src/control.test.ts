import { withTenant } from '@ballast/db';
import { defineJob, type JobDefinition } from '@ballast/kernel';
import { openTestPools } from '@ballast/test-kit/pools';
import { silentLog } from '@ballast/test-kit/queue';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { cancelJob, countJobs, listJobs, pauseQueue, resumeQueue, retryJobs, runNow, showJob } from './control.ts';
import { enqueue, enqueueMany } from './enqueue.ts';
import { startHeartbeat } from './heartbeat.ts';
import { look } from './look.ts';
import { forgetJobs, misplacedJobs, runDueJobs } from './testing.ts';

const tenant = '018f0000-0000-7000-8000-000000000001';
const task = defineJob({ name: 'suite.task', payload: z.strictObject({ fail: z.boolean() }), attempts: 1 });

const { db, jobsDb, close } = await openTestPools();

afterAll(close);

afterEach(async () => {
  expect(await misplacedJobs(jobsDb)).toEqual([]);
});

beforeEach(async () => {
  await forgetJobs(jobsDb);
  await jobsDb.sql`delete from jobs.queue`;
  await jobsDb.sql`delete from jobs.process`;
});

const add = (fail: boolean, options = {}) => withTenant(db, tenant, (tx) => enqueue(tx, task, { fail }, options));
const run = (job: JobDefinition<{ fail: boolean }> = task) =>
  runDueJobs({
    db,
    jobsDb,
    services: null,
    jobs: [
      {
        job: job as JobDefinition,
        load: async () => ({
          job,
          run: async ({ payload }: { payload: { fail: boolean } }) => {
            if (payload.fail) throw new Error('failed on purpose');
          },
        }),
      },
    ],
  });
const presenceOf = (processId: string) => ({
  processId,
  role: 'worker',
  release: 'test',
  slots: { default: 1 },
  knows: ['suite.task@2'],
  schedules: [],
  now: () => ({ packs: [], runMs: {} }),
});
const stateOf = async (id: string) => (await showJob(jobsDb, id))?.state;

describe('the operator’s door', () => {
  it('lists, shows and counts', async () => {
    const dead = await add(true);
    const later = await add(false, { runAt: new Date(Date.now() + 3_600_000) });
    await run();
    expect((await listJobs(jobsDb)).map((job) => job.id)).toEqual([later, dead]);
    expect(await listJobs(jobsDb, { state: 'dead' })).toMatchObject([
      { id: dead, attempt: 1, failure: 'failed on purpose', tenantId: tenant },
    ]);
    expect(await showJob(jobsDb, dead)).toMatchObject({ payload: { fail: true }, failures: [{ attempt: 1 }] });
    expect(await showJob(jobsDb, '018f0000-0000-7000-8000-0000000000ff')).toBeNull();
    expect(await countJobs(jobsDb)).toMatchObject([
      { state: 'dead', jobs: 1, paused: false },
      { state: 'pending', jobs: 1, oldestDueSeconds: null },
    ]);
  });

  it('cancels what has not started, and nothing else', async () => {
    const waiting = await add(false);
    expect(await cancelJob(jobsDb, waiting)).toBe(true);
    expect(await cancelJob(jobsDb, waiting)).toBe(false);
    const running = await add(false);
    await jobsDb.sql`delete from jobs.due where job_id = ${running}`;
    await jobsDb.sql`update jobs.job set started_at = now() where id = ${running}`;
    await jobsDb.sql`
      insert into jobs.pack (id, queue, name, job_ids) values (gen_random_uuid(), 'default', ${task.name}, array[${running}::uuid])`;
    expect(await cancelJob(jobsDb, running)).toBe(false);
    expect(await stateOf(running)).toBe('dispatched');
  });

  it('leaves a job where it is when another has retried it meanwhile', async () => {
    const id = await add(true);
    await run();
    let retried: Promise<number> | undefined;
    await jobsDb.sql.begin(async (sql) => {
      await sql`lock table jobs.pack in access exclusive mode`;
      // It has found the dead job, and waits for the packs.
      retried = retryJobs(jobsDb, { id });
      const waiting = () => sql`select 1 from pg_locks where relation = 'jobs.pack'::regclass and not granted`;
      await expect.poll(async () => (await waiting()).length, { interval: 10 }).toBe(1);
      await sql`delete from jobs.dead where job_id = ${id}`;
      await sql`update jobs.job set state = 'open', attempt = 0, ended_at = null, started_at = null where id = ${id}`;
      await sql`insert into jobs.pack (id, queue, name, job_ids) values (gen_random_uuid(), 'default', ${task.name}, array[${id}::uuid])`;
    });
    expect(await retried).toBe(0);
    expect(await stateOf(id)).toBe('dispatched');
  });

  it('retries dead jobs by id or by name, with all their attempts', async () => {
    const [one, two] = [await add(true), await add(true)];
    await run();
    expect(await retryJobs(jobsDb, { id: one })).toBe(1);
    expect(await retryJobs(jobsDb, { name: task.name })).toBe(1);
    for (const id of [one, two])
      expect(await showJob(jobsDb, id)).toMatchObject({ state: 'pending', attempt: 0, startedAt: null, endedAt: null });
    await run();
    expect((await showJob(jobsDb, one))?.failures).toHaveLength(2);
  });

  it('retries all of a name, a thousand in a commit', async () => {
    const payloads = Array.from({ length: 2_500 }, () => ({ payload: { fail: true } }));
    const ids = await withTenant(db, tenant, (tx) => enqueueMany(tx, task, payloads));
    await jobsDb.sql`
      with gone as (delete from jobs.due), ended as (
        update jobs.job set state = 'dead', attempt = 1, ended_at = now() returning id, queue, name
      )
      insert into jobs.dead (job_id, queue, name) select id, queue, name from ended`;
    expect(await retryJobs(jobsDb, { name: task.name })).toBe(ids.length);
    expect(await jobsDb.sql`select xmin from jobs.job group by xmin`).toHaveLength(3);
    expect(await jobsDb.sql`select from jobs.due`).toHaveLength(ids.length);
    expect(await jobsDb.sql`select from jobs.dead`).toHaveLength(0);
  });

  it('makes a waiting job due', async () => {
    const later = await add(false, { runAt: new Date(Date.now() + 3_600_000) });
    expect(await run()).toEqual([]);
    expect(await runNow(jobsDb, later)).toBe(true);
    expect(await run()).toMatchObject([{ state: 'done' }]);
  });

  it('pauses a queue and resumes it', async () => {
    await jobsDb.sql`
      insert into jobs.process (id, role, release, host, slots, knows)
      values (gen_random_uuid(), 'worker', 'test', 'here', '{"default": 1}', '{suite.task@1}')`;
    const id = await add(false);
    await pauseQueue(jobsDb, 'default');
    expect((await look(jobsDb)).waiting).toEqual([]);
    expect(await countJobs(jobsDb)).toMatchObject([{ paused: true }]);
    // On its way already when the queue was paused: given back by whoever opens the pack.
    expect(await run()).toMatchObject([{ state: 'pending' }]);
    expect(await showJob(jobsDb, id)).toMatchObject({ state: 'pending', attempt: 0 });
    await resumeQueue(jobsDb, 'default');
    expect((await look(jobsDb)).waiting).toEqual(['default']);
    expect(await run()).toMatchObject([{ state: 'done' }]);
  });
});

describe('a kind that nobody knows', () => {
  it('is looked at again in seconds, parked after a minute, and runs when somebody knows it', async () => {
    const next = { ...task, version: 2 };
    const id = await withTenant(db, tenant, (tx) => enqueue(tx, next, { fail: false }));
    await run();
    expect(await showJob(jobsDb, id)).toMatchObject({ state: 'pending', attempt: 0 });
    await jobsDb.sql`update jobs.kind set known_at = now() - interval '2 minutes'`;
    await runNow(jobsDb, id);
    await run();
    expect(await stateOf(id)).toBe('parked');
    const heartbeat = await startHeartbeat(jobsDb, presenceOf(id), silentLog);
    await heartbeat.close();
    expect(await stateOf(id)).toBe('pending');
    expect(await run(next)).toMatchObject([{ state: 'done' }]);
  });

  it('comes back whole, however many of it are parked: batch after batch, and with the next beat when its time was over', async () => {
    const payloads = Array.from({ length: 2_500 }, () => ({ payload: { fail: false } }));
    await withTenant(db, tenant, (tx) => enqueueMany(tx, task, payloads));
    const park = () => jobsDb.sql`
      with gone as (delete from jobs.due returning job_id, queue, name, version)
      insert into jobs.aside (job_id, why, queue, name, version) select job_id, 'parked', queue, name, version from gone`;
    const parked = async () => (await jobsDb.sql`select 1 from jobs.aside`).count;
    const start = (options?: { unparkForMs: number }) =>
      startHeartbeat(jobsDb, { ...presenceOf(tenant), knows: ['suite.task@1'] }, silentLog, options);
    await park();
    const patient = await start({ unparkForMs: 60_000 });
    expect(await parked()).toBe(0);
    await patient.close();
    await park();
    const hasty = await start({ unparkForMs: 0 });
    expect(await parked()).toBeGreaterThan(0);
    // Without a turn at each beat the rest takes forty seconds.
    await expect.poll(parked, { timeout: 30_000 }).toBe(0);
    await hasty.close();
  });
});
