/** Ended jobs leave after seven days, however many they are; dead and open ones stay. */

import { withTenant } from '@ballast/db';
import { defineJob } from '@ballast/kernel';
import { openTestPools } from '@ballast/test-kit/pools';
import { silentLog } from '@ballast/test-kit/queue';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { enqueueMany } from './enqueue.ts';
import { openRemoval } from './removal.ts';
import { startSweep, sweep } from './sweep.ts';
import { forgetJobs } from './testing.ts';

const tenant = '018f0000-0000-7000-8000-000000000001';
const task = defineJob({ name: 'suite.task', payload: z.strictObject({}) });

const { db, jobsDb, close } = await openTestPools();

afterAll(close);
beforeEach(() => forgetJobs(jobsDb));

/** One sweep has time for all of it. */
const sweeping = {
  db: jobsDb,
  transport: { holds: async () => new Set<string>(), drop: async () => {} },
  log: silentLog,
  removeForMs: 60_000,
};
const sweepAll = () => sweep(sweeping);

/** Jobs that were added so many days ago, and have ended in this state so many days ago. */
async function ended(count: number, state: string, addedDays: number, endedDays = addedDays): Promise<string[]> {
  const ids = await withTenant(db, tenant, (tx) =>
    enqueueMany(
      tx,
      task,
      Array.from({ length: count }, () => ({ payload: {} })),
    ),
  );
  await jobsDb.sql`delete from jobs.due where job_id = any(${ids}::uuid[])`;
  const rows = await jobsDb.sql<{ id: string }[]>`
    update jobs.job
    set id = (lpad(to_hex((extract(epoch from now() - ${addedDays} * interval '1 day') * 1000)::bigint), 12, '0') || right(replace(id::text, '-', ''), 20))::uuid,
        state = ${state}, ended_at = case when ${state} <> 'open' then now() - ${endedDays} * interval '1 day' end
    where id = any(${ids}::uuid[]) returning id`;
  return rows.map((row) => row.id);
}
const left = async () => (await jobsDb.sql<{ id: string }[]>`select id from jobs.job`).map((row) => row.id).sort();

it('removes what is done or cancelled for a week, with what lies beside it, and nothing else', async () => {
  const old = [...(await ended(2, 'done', 8)), ...(await ended(1, 'cancelled', 8))];
  const stay = [
    ...(await ended(1, 'dead', 30)),
    ...(await ended(1, 'open', 30)),
    ...(await ended(1, 'done', 6)),
    // It waited for long, and has just ended.
    ...(await ended(1, 'done', 30, 1)),
  ];
  for (const id of [...old, ...stay]) {
    await jobsDb.sql`insert into jobs.step (job_id, key) values (${id}, 'first')`;
    await jobsDb.sql`insert into jobs.failure (job_id, attempt, message) values (${id}, 1, 'once')`;
    await jobsDb.sql`insert into jobs.progress (job_id, attempt, fraction) values (${id}, 1, 0.5)`;
  }
  expect(await sweepAll()).toMatchObject({ removed: 3 });
  expect(await left()).toEqual([...stay].sort());
  for (const table of ['step', 'failure', 'progress']) {
    const beside = await jobsDb.sql<{ id: string }[]>`select job_id as id from jobs.${jobsDb.sql(table)}`;
    expect(beside.map((row) => row.id).sort(), table).toEqual([...stay].sort());
  }
});

it('removes batch after batch until none is left', async () => {
  await ended(2_100, 'done', 8);
  expect(await sweepAll()).toMatchObject({ removed: 2_100 });
  expect(await left()).toEqual([]);
});

it('removes nothing while another process has the lock of sweeps', async () => {
  await ended(1, 'done', 8);
  await jobsDb.sql.begin(async (sql) => {
    await sql`select pg_advisory_xact_lock(${0x53776570})`;
    expect(await sweepAll()).toBeNull();
  });
  expect(await left()).toHaveLength(1);
});

describe('a removal whose time is over', () => {
  it('has ended after the batch under way, and goes on behind it', async () => {
    await ended(1_500, 'done', 8);
    const removal = openRemoval({ db: jobsDb, removeForMs: 0 });
    expect([await removal.run(), removal.unfinished()]).toEqual([1_000, true]);
    expect([await removal.run(), removal.unfinished()]).toEqual([500, false]);
  });

  it('goes on in the next sweep, and not when old rows are looked for again', async () => {
    await ended(2_500, 'done', 8);
    const sweeper = startSweep({ ...sweeping, everyMs: 20, removeForMs: 0, removeEvery: Number.POSITIVE_INFINITY });
    await expect.poll(left, { timeout: 20_000 }).toEqual([]);
    await sweeper.close();
  });
});

it('begins no further batch once the sweep is closed', async () => {
  const ids = (await ended(2_500, 'done', 8)).sort();
  await jobsDb.sql`insert into jobs.failure (job_id, attempt, message) values (${ids[1_500] as string}, 1, 'once')`;
  const sweeper = startSweep({ ...sweeping, everyMs: 20 });
  let closed: Promise<void> | undefined;
  await jobsDb.sql.begin(async (sql) => {
    // The second batch waits for this, and is told to be the last meanwhile.
    await sql`select 1 from jobs.failure for update`;
    await expect.poll(async () => (await left()).length).toBe(1_500);
    const waiting = () => jobsDb.sql`
      select 1 from pg_locks join pg_stat_activity using (pid) where datname = current_database() and not granted`;
    await expect.poll(async () => (await waiting()).length).toBe(1);
    closed = sweeper.close();
  });
  await closed;
  expect(await left()).toEqual(ids.slice(2_000));
});
