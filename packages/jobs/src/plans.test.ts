/**
 * That no plan follows statistics. The tables of jobs fill and empty within seconds, and a session plans a statement once:
 * what it planned while next to nothing waited must not read all that waits when there are ten thousands.
 */
import { type Database, sqlOf, withScope, withTenant } from '@ballast/db';
import { defineJob } from '@ballast/kernel';
import { onServer } from '@ballast/test-kit/database';
import { openPatiently, openTestPools } from '@ballast/test-kit/pools';
import { silentLog } from '@ballast/test-kit/queue';
import { uuidv7 } from 'uuidv7';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { claim } from './claim.ts';
import { claimFew } from './claim-few.ts';
import { openCompletions } from './completions.ts';
import { type EnqueueOptions, enqueueMany } from './enqueue.ts';
import { openJobContext } from './job-context.ts';
import { lineUpRipe, look } from './look.ts';
import { type PackRunner, runPack } from './run-pack.ts';
import { cancelStale } from './stale.ts';

const tenantId = '018f0000-0000-7000-8000-000000000001';
const task = defineJob({ name: 'suite.task', payload: z.strictObject({}) });
const fleet = { slots: new Map(), knows: new Set(['suite.task@1']), runMs: new Map([['suite.task', 1_000]]) };

const { database, close } = await openTestPools();
// One session each, which counts what itself has read.
const app = openPatiently({ url: database.appUrl, maxConnections: 1 });
const dispatcher = openPatiently({
  url: database.dispatcherUrl,
  applicationName: 'suite',
  maxConnections: 1,
  steadyPlans: true,
});
const completions = openCompletions(dispatcher, silentLog);

const hourMs = 3_600_000;

const add = (count: number, options: EnqueueOptions = {}) =>
  withTenant(app, tenantId, (tx) =>
    enqueueMany(
      tx,
      task,
      Array.from({ length: count }, () => ({ payload: {}, ...options })),
    ),
  );

/** Packs of one job each, out of the line. */
async function handOut(freePacks: number): Promise<{ packId: string; jobId: string }[]> {
  const request = { queue: 'default', freePacks, rowsPerPack: 1, fleet, afterLane: null };
  const { packs } = await claim(dispatcher, request);
  return packs.map(({ id, rows }) => ({ packId: id, jobId: rows[0]?.id as string }));
}

let waiting: { packId: string; jobId: string }[] = [];
const next = () => waiting.shift() as (typeof waiting)[number];

const done = { state: 'done', afterMs: null, uncharge: false, failure: null, attempt: 1 } as const;

/** The doors of a run of this job. */
const doorsOf = ({ packId, jobId }: (typeof waiting)[number]) =>
  openJobContext(
    app,
    { id: jobId, packId, tenantId, attempt: 1 },
    { signal: new AbortController().signal },
    silentLog,
    () => {},
    () => true,
  );

/** What a worker and its dispatcher ask of Postgres all the time, and whose session it is. */
const asked: Record<string, { of: Database; work: () => Promise<unknown> }> = {
  'the look of a tick': { of: dispatcher, work: () => look(dispatcher) },
  'the claim of an idle queue': {
    of: dispatcher,
    work: () => claimFew(dispatcher, { queue: 'default', freePacks: 4, fleet, unasked: true }),
  },
  'a claim': { of: dispatcher, work: async () => waiting.push(...(await handOut(2))) },
  'what has ripened': { of: dispatcher, work: () => lineUpRipe(dispatcher) },
  'a pack that is opened, run and written': { of: dispatcher, work: () => runPack(runner, next().packId) },
  'an outcome, and the end of its pack': {
    of: dispatcher,
    async work() {
      const { packId, jobId } = next();
      const written = completions.write({ jobId, packId, ...done });
      await Promise.all([written, completions.close(packId)]);
      expect(await written).toBe(true);
    },
  },
  'an outcome that is no success': {
    of: dispatcher,
    async work() {
      const { packId, jobId } = next();
      const written = completions.write({ jobId, packId, ...done, state: 'pending', failure: 'again' });
      await Promise.all([written, completions.close(packId)]);
      expect(await written).toBe(true);
    },
  },
  'what is stale': { of: dispatcher, work: () => cancelStale(dispatcher, () => false) },
  'a transaction of a handler, with its fence and its end': {
    of: app,
    async work() {
      const doors = doorsOf(next());
      await doors.ctx.transaction(async () => {});
      expect(doors.completed()).toBe(true);
    },
  },
  'a step': { of: app, work: () => doorsOf(next()).ctx.step('first', async () => 1) },
  'a transaction of a batch': {
    of: app,
    async work() {
      const { packId, jobId } = next();
      const other = next();
      await dispatcher.sql`
        with gone as (delete from jobs.pack where id = ${other.packId})
        update jobs.pack set job_ids = array[${jobId}, ${other.jobId}]::uuid[] where id = ${packId}`;
      const ids = [jobId, other.jobId];
      await withScope(app, { tenantId, packId }, async (tx) => {
        await sqlOf(tx)`select jobs.hold(${ids}::uuid[], ${packId})`;
        await sqlOf(tx)`select jobs.complete(${ids}::uuid[], ${packId}, ${[1, 1]}::smallint[], true)`;
      });
    },
  },
};

const run = async () => {};
const runner: PackRunner<null> = {
  db: app,
  jobsDb: dispatcher,
  processId: uuidv7(),
  completions,
  services: null,
  log: silentLog,
  shutdown: new AbortController().signal,
  find: () => ({ job: task, load: async () => ({ job: task, run }) }),
  unknownAfterMs: () => 5_000,
  stopping: () => false,
  returned() {},
  measured() {},
};

/** A session reports what it has read some seconds later, unless it is told to. */
const report = ({ sql }: Pick<Database, 'sql'>) => sql`select pg_stat_force_next_flush()`;

/** Blocks of the jobs' tables and their indexes that all who have reported have touched so far, and this session. */
async function blocks({ sql }: Database): Promise<number> {
  await report({ sql });
  const [row] = await sql<{ touched: number }[]>`
    select sum(heap_blks_hit + heap_blks_read + coalesce(idx_blks_hit + idx_blks_read, 0))::int as touched
    from pg_statio_user_tables where schemaname = 'jobs'`;
  return row?.touched ?? Number.NaN;
}

beforeAll(async () => {
  // It would be counted, too.
  for (const table of ['due', 'later', 'pack', 'job', 'key'])
    await onServer(
      database.ownerUrl,
      (owner) => owner`alter table jobs.${owner(table)} set (autovacuum_enabled = false)`,
    );
  await dispatcher.sql`
    insert into jobs.process (id, role, release, host, slots, knows)
    values (gen_random_uuid(), 'worker', 'suite', 'here', '{"default": 4}', '{suite.task@1}')`;
  await add(100);
  await add(100, { runAt: new Date(Date.now() + hourMs) });
  waiting = await handOut(50);
  await onServer(database.adminUrl, (admin) => admin`vacuum analyze`);
  // More often than a plan is tried out with the values that it is asked for.
  for (let times = 0; times < 8; times++) for (const { work } of Object.values(asked)) await work();
  await add(20_000);
  await add(20_000, { runAt: new Date(Date.now() + hourMs) });
  await onServer(database.adminUrl, async (admin) => {
    await admin`
      with job as (
        insert into jobs.job (id, name, version, queue, lane, priority, attempts, run_at, body)
        select gen_random_uuid(), 'suite.task', 1, 'default', ${tenantId}, 0, 1, now(), '{}' from generate_series(1, 10000)
        returning id
      )
      insert into jobs.pack (id, queue, name, job_ids) select gen_random_uuid(), 'default', 'suite.task', array[id] from job`;
    await report({ sql: admin });
  });
});
afterAll(async () => {
  await Promise.all([app.close(), dispatcher.close()]);
  await close();
});

/** Ten thousand packs are more than a hundred blocks, twenty thousand due jobs more than two hundred. */
const bound = 80;

describe('planned while a few jobs waited, and asked while twenty thousand wait and ten thousand are handed out', () => {
  it.each(Object.entries(asked))('%s touches a few blocks', async (_, { of, work }) => {
    for (const session of [app, dispatcher]) await report(session);
    const before = await blocks(of);
    await work();
    const touched = (await blocks(of)) - before;
    expect(touched).toBeGreaterThan(0);
    expect(touched).toBeLessThan(bound);
  });
});
