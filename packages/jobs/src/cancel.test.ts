/** What `testing/race.test.ts` found, step by step: somebody moves the job while it is being cancelled. */
import { withTenant } from '@ballast/db';
import { defineJob } from '@ballast/kernel';
import { openTestPools } from '@ballast/test-kit/pools';
import type postgres from 'postgres';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { cancelJob } from './cancel.ts';
import { enqueueMany } from './enqueue.ts';
import { returnPacks } from './line-up.ts';
import { retryJobs } from './retry.ts';
import { forgetJobs, misplacedJobs } from './testing.ts';

const tenant = '018f0000-0000-7000-8000-000000000001';
const task = defineJob({ name: 'suite.task', payload: z.strictObject({}) });

const { db, jobsDb, close } = await openTestPools();

afterAll(close);
beforeEach(() => forgetJobs(jobsDb));
afterEach(async () => {
  expect(await misplacedJobs(jobsDb)).toEqual([]);
});

const add = (count: number) =>
  withTenant(db, tenant, (tx) =>
    enqueueMany(
      tx,
      task,
      Array.from({ length: count }, () => ({ payload: {} })),
    ),
  );

/** Hands all that is due out in one pack. */
async function handOut(sql: postgres.Sql | postgres.TransactionSql, opened = false): Promise<string> {
  const [pack] = await sql<{ id: string }[]>`
    with gone as (delete from jobs.due returning job_id)
    insert into jobs.pack (id, queue, name, job_ids, runner_id)
    values (gen_random_uuid(), 'default', ${task.name}, array(select job_id from gone), ${opened ? tenant : null}) returning id`;
  return (pack as { id: string }).id;
}

/** Cancels while `move` has moved the job and not committed yet. */
async function cancelBeside(id: string, move: (sql: postgres.TransactionSql) => Promise<unknown>): Promise<boolean> {
  let cancelled: Promise<boolean> | undefined;
  await jobsDb.sql.begin(async (sql) => {
    await move(sql);
    cancelled = cancelJob(jobsDb, id);
    await waiting();
  });
  return cancelled as Promise<boolean>;
}

/** Resolves when a session waits for another's lock. */
const waiting = () =>
  expect
    .poll(
      () =>
        jobsDb.sql`select 1 from pg_locks where not granted and pid in (select pid from pg_stat_activity where datname = current_database())`,
    )
    .toHaveLength(1);

async function placesOf(id: string): Promise<string[]> {
  const rows = await jobsDb.sql<{ place: string }[]>`
    select 'due' as place from jobs.due where job_id = ${id} union all select 'pack' from jobs.pack where ${id} = any(job_ids)`;
  return rows.map((row) => row.place);
}

describe('a job that moves while it is cancelled', () => {
  it('leaves the pack into which it was claimed', async () => {
    const [id] = (await add(1)) as [string];
    expect(await cancelBeside(id, (sql) => handOut(sql))).toBe(true);
    expect(await placesOf(id)).toEqual([]);
  });

  it('leaves the line to which its pack returned it, and waits there once when it is run again', async () => {
    const [id] = (await add(1)) as [string];
    const packId = await handOut(jobsDb.sql);
    expect(await cancelBeside(id, (sql) => returnPacks(sql, [packId], false))).toBe(true);
    expect(await placesOf(id)).toEqual([]);
    await retryJobs(jobsDb, { id });
    expect(await placesOf(id)).toEqual(['due']);
  });

  it('is not cancelled when its transaction commits first, which does not wait for who cancels', async () => {
    const [, id] = (await add(2)) as [string, string];
    const packId = await handOut(jobsDb.sql, true);
    let cancelled: Promise<boolean> | undefined;
    await db.sql.begin(async (sql) => {
      await sql`select set_config('app.pack_id', ${packId}, true)`;
      await sql`select jobs.hold(array[${id}]::uuid[], ${packId})`;
      cancelled = cancelJob(jobsDb, id);
      await waiting();
      await sql`select jobs.complete(array[${id}]::uuid[], ${packId}, array[1]::smallint[], true)`;
    });
    expect(await cancelled).toBe(false);
    expect(await jobsDb.sql`select state from jobs.job where id = ${id}`).toEqual([{ state: 'done' }]);
  });
});
