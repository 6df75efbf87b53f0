import { withTenant } from '@ballast/db';
import { defineJob } from '@ballast/kernel';
import { onServer } from '@ballast/test-kit/database';
import { openTestPools } from '@ballast/test-kit/pools';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { knownJobs, readBacklog } from './backlog.ts';
import { countJobs, pauseQueue } from './control.ts';
import { enqueueMany } from './enqueue.ts';
import { forgetJobs } from './testing.ts';

const task = defineJob({ name: 'suite.task', payload: z.strictObject({}) });
const tenants = ['018f0000-0000-7000-8000-000000000001', '018f0000-0000-7000-8000-000000000002'] as const;
const hour = 3_600_000;

// One connection, so that the statistics asked for are those of the statement before.
const { database, db, jobsDb, close } = await openTestPools({ jobsConnections: 1 });

afterAll(close);
beforeEach(async () => {
  await forgetJobs(jobsDb);
  await jobsDb.sql`delete from jobs.queue`;
});

const add = (tenant: string, queue: string, runAt: Date, count = 1) =>
  withTenant(db, tenant, (tx) =>
    enqueueMany(
      tx,
      { ...task, queue },
      Array.from({ length: count }, () => ({ payload: {}, runAt })),
    ),
  );
const ago = (ms: number) => new Date(Date.now() - ms);

describe('readBacklog', () => {
  it('is empty where nothing waits and nobody works', async () => {
    expect(await readBacklog(jobsDb)).toEqual([]);
  });

  it('counts per queue, and finds the oldest due row among all tenants', async () => {
    await add(tenants[0], 'default', ago(-hour), 3);
    await add(tenants[0], 'default', ago(60_000), 2);
    await add(tenants[1], 'default', ago(hour));
    await add(tenants[1], 'slow', ago(-hour));
    const [normal, slow] = await readBacklog(jobsDb);
    expect(normal).toMatchObject({ queue: 'default', pending: 6, due: 3, inFlight: 0, dead: 0, paused: false });
    expect(normal?.oldestDueSeconds).toBeGreaterThanOrEqual(3_600);
    expect(normal?.oldestDueSeconds).toBeLessThan(3_660);
    expect(slow).toMatchObject({ queue: 'slow', pending: 1, due: 0, oldestDueSeconds: 0 });
  });

  it('tells what is in flight, dead, parked and paused, in queues without pending rows too', async () => {
    const ids = (await add(tenants[0], 'default', ago(1_000), 3)) as [string, string, string];
    await jobsDb.sql`delete from jobs.due`;
    await jobsDb.sql`
      insert into jobs.pack (id, queue, name, job_ids) values (gen_random_uuid(), 'default', 'suite.task', array[${ids[0]}::uuid])`;
    await jobsDb.sql`update jobs.job set state = 'dead' where id = ${ids[1]}`;
    await jobsDb.sql`insert into jobs.dead (job_id, queue, name) values (${ids[1]}, 'default', 'suite.task')`;
    await jobsDb.sql`
      insert into jobs.aside (job_id, why, queue, name, version) values (${ids[2]}, 'parked', 'default', 'suite.task', 1)`;
    await pauseQueue(jobsDb, 'idle');
    expect(await readBacklog(jobsDb)).toMatchObject([
      { queue: 'default', pending: 0, inFlight: 1, dead: 1, parked: 1, paused: false },
      { queue: 'idle', pending: 0, paused: true },
    ]);
  });

  it('never reads the table of all jobs', async () => {
    await add(tenants[0], 'default', ago(1_000), 20_000);
    await jobsDb.sql`delete from jobs.due`;
    await jobsDb.sql`update jobs.job set state = 'done'`;
    await onServer(database.adminUrl, (admin) => admin`vacuum analyze jobs.job`);
    expect(await rowsScannedBy(() => readBacklog(jobsDb))).toBe(0);
    expect(await rowsScannedBy(() => countJobs(jobsDb))).toBeGreaterThanOrEqual(20_000);
  });
});

async function rowsScannedBy(work: () => Promise<unknown>): Promise<number> {
  const before = await rowsScanned();
  await work();
  return (await rowsScanned()) - before;
}

async function rowsScanned(): Promise<number> {
  await jobsDb.sql`select pg_stat_force_next_flush()`;
  await jobsDb.sql`select 1`;
  const [row] = await jobsDb.sql<{ rows: number }[]>`
    select seq_tup_read::int as rows from pg_stat_user_tables where schemaname = 'jobs' and relname = 'job'`;
  return row?.rows ?? 0;
}

describe('knownJobs', () => {
  it('names what processes have known', async () => {
    await jobsDb.sql`insert into jobs.kind (name, version) values ('b.two', 1), ('a.one', 1), ('a.one', 2)`;
    expect(await knownJobs(jobsDb)).toEqual(['a.one', 'b.two']);
  });
});
