import { type Database, sqlOf, type Tx, withTenant } from '@ballast/db';
import { enqueue, enqueueMany } from '@ballast/jobs/enqueue';
import { startSweep } from '@ballast/jobs/sweep';
import { forgetJobs } from '@ballast/jobs/testing';
import { type RegisteredJob, startWorker } from '@ballast/jobs/work';
import { cancel, defineHandler, defineJob, type Outcome, snooze } from '@ballast/kernel';
import { createTestDatabase, type TestDatabase } from '@ballast/test-kit/database';
import { openPatiently } from '@ballast/test-kit/pools';
import { silentLog, startQueue } from '@ballast/test-kit/queue';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { type Metrics, openMetrics } from './metrics.ts';
import { countEnqueued, jobMetrics } from './metrics-jobs.ts';
import { parseMetrics } from './testing/parse-metrics.ts';

const tenant = '018f0000-0000-7000-8000-000000000001';
const once = defineJob({
  name: 'suite.once',
  payload: z.strictObject({ end: z.string() }),
  attempts: 2,
  backoff: { firstMs: 1, maxMs: 1 },
});

let database: TestDatabase;
let db: Database;
let jobsDb: Database;
let metrics: Metrics;

beforeAll(async () => {
  database = await createTestDatabase();
  db = openPatiently({ url: database.appUrl });
  jobsDb = openPatiently({ url: database.dispatcherUrl });
  metrics = openMetrics({ service: 'worker', release: '1', modules: [] });
});
afterAll(async () => {
  metrics.close();
  await Promise.all([db.close(), jobsDb.close()]);
  await database.drop();
});

const ends: Record<string, (attempt: number) => Outcome> = {
  cancelled: () => cancel('not needed'),
  snoozed: () => snooze(600_000),
  dead: () => ({ outcome: 'dead', error: new Error('cannot help') }),
  retried: (attempt) => (attempt === 1 ? { outcome: 'retry', error: new Error('again') } : { outcome: 'done' }),
};

const handler = defineHandler<{ end: string }, Tx, null>(once, async ({ payload, ctx }) => {
  if (payload.end !== 'transaction') return ends[payload.end]?.(ctx.attempt);
  await ctx.transaction(async (tx) => {
    await sqlOf(tx)`select 1`;
  });
});

it('counts jobs from the commit to every end, with times', async () => {
  const stopCounting = countEnqueued(metrics);
  const queue = await startQueue('postgres', database);
  const transport = queue.open();
  await withTenant(db, tenant, async (tx) => {
    const payloads = ['transaction', 'nothing', 'cancelled', 'snoozed', 'dead', 'retried'];
    await enqueueMany(
      tx,
      once,
      payloads.map((end) => ({ payload: { end } })),
    );
    await enqueue(tx, once, { end: 'nothing' }, { key: 'k', runAt: new Date(Date.now() + 600_000) });
    await enqueue(tx, once, { end: 'nothing' }, { key: 'k' });
  });
  await withTenant(db, tenant, async (tx) => {
    await enqueue(tx, once, { end: 'nothing' });
    throw new Error('rolled back');
  }).catch(() => {});
  const worker = await startWorker({
    db,
    jobsDb,
    transport,
    jobs: [{ job: once, load: async () => handler } as unknown as RegisteredJob<null>],
    services: null,
    log: silentLog,
    release: 'suite',
    observe: jobMetrics(metrics),
  });
  const of = 'job="suite.once",queue="default"';
  const ended = (samples: Map<string, number>, end: string) =>
    samples.get(`ballast_jobs_ended_total{job="suite.once",outcome="${end}",queue="default"}`);
  await expect
    .poll(
      async () => {
        const samples = parseMetrics(await metrics.scrape());
        const ends = ['done', 'retried', 'dead', 'cancelled', 'snoozed'].map((end) => [end, ended(samples, end)]);
        return { ...Object.fromEntries(ends), dispatched: samples.get(`ballast_jobs_dispatched_total{${of}}`) };
      },
      { timeout: 60_000 },
    )
    // A pack that the worker gave back is dispatched once more.
    .toEqual({
      ...{ done: 3, retried: 1, dead: 1, cancelled: 1, snoozed: 1 },
      dispatched: expect.toSatisfy((dispatched: number) => dispatched >= 7),
    });
  const samples = parseMetrics(await metrics.scrape());
  expect(samples.get(`ballast_jobs_enqueued_total{${of}}`)).toBe(7);
  expect(samples.get(`ballast_jobs_started_total{${of}}`)).toBe(7);
  for (const name of ['wait', 'run', 'dispatch_lag']) {
    expect(samples.get(`ballast_job_${name}_seconds_count{${of}}`)).toBe(7);
  }
  const [wait = 0, lag = 0] = ['wait', 'dispatch_lag'].map((name) =>
    samples.get(`ballast_job_${name}_seconds_sum{${of}}`),
  );
  expect(wait).toBeGreaterThan(lag);
  // A handler that takes no time at all is still a run: what is summed is what was measured.
  expect(samples.get(`ballast_job_run_seconds_sum{${of}}`)).toBeGreaterThan(0);
  expect(samples.get('ballast_jobs_repaired_total{reason="lost"}')).toBe(0);
  await worker.close({ graceMs: 1_000 });
  await transport.close();
  await queue.stop();
  stopCounting();
});

it('counts what a sweep put right, by its reason', async () => {
  const swept = openMetrics({ service: 'worker', release: '1', modules: [] });
  const observe = jobMetrics(swept);
  await forgetJobs(jobsDb);
  const add = (options = {}) => withTenant(db, tenant, (tx) => enqueue(tx, once, { end: 'nothing' }, options));
  const handOut = (id: string, runner: string | null) => jobsDb.sql`
    with gone as (delete from jobs.due where job_id = ${id})
    insert into jobs.pack (id, queue, name, job_ids, dispatched_at, runner_id, opened_at)
    values (${id}, 'default', ${once.name}, ${[id]}::uuid[], now() - interval '1 minute', ${runner}, now() - interval '1 minute')`;
  for (const runner of [tenant, tenant, null]) await handOut(await add(), runner);
  await add({ discardAfter: new Date(Date.now() - 1_000) });
  const sweeper = startSweep({
    db: jobsDb,
    transport: { holds: async () => new Set(), drop: async () => {} },
    log: silentLog,
    observe,
    everyMs: 20,
  });
  const repaired = async () => {
    const samples = parseMetrics(await swept.scrape());
    return ['orphaned', 'lost', 'stale', 'wiped'].map((reason) =>
      samples.get(`ballast_jobs_repaired_total{reason="${reason}"}`),
    );
  };
  await expect.poll(repaired, { timeout: 60_000 }).toEqual([2, 1, 1, 0]);
  await sweeper.close();
  observe.repaired('wiped', 3);
  expect(await repaired()).toEqual([2, 1, 1, 3]);
  swept.close();
});
