import { withTenant } from '@ballast/db';
import { defineJob, type JobDefinition } from '@ballast/kernel';
import { openTestPools } from '@ballast/test-kit/pools';
import { silentLog } from '@ballast/test-kit/queue';
import type postgres from 'postgres';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  cancelHeld,
  cancelJob,
  countJobs,
  holdJobs,
  readHeld,
  readHoldable,
  releaseJobs,
  retryJobs,
  runNow,
} from './control.ts';
import { enqueue } from './enqueue.ts';
import { holdSome } from './hold.ts';
import { returnPacks } from './line-up.ts';
import { sweep } from './sweep.ts';
import { forgetJobs, misplacedJobs, runDueJobs } from './testing.ts';

const tenant = '018f0000-0000-7000-8000-000000000001';
const runner = '018f0000-0000-7000-8000-0000000000aa';
const mail = defineJob({ name: 'suite.mail', payload: z.strictObject({}) });
const report = defineJob({ name: 'suite.report', payload: z.strictObject({}), queue: 'reports' });

const { db, jobsDb, close } = await openTestPools();

afterAll(close);
beforeEach(() => forgetJobs(jobsDb));
afterEach(async () => {
  expect(await misplacedJobs(jobsDb)).toEqual([]);
});

const anHour = 3_600_000;
const add = (job: JobDefinition<object>, options = {}) => withTenant(db, tenant, (tx) => enqueue(tx, job, {}, options));
const run = () => {
  const load = (job: JobDefinition<object>) => async () => ({ job, run: async () => {} });
  const jobs = [mail, report].map((job) => ({ job: job as never, load: load(job) as never }));
  return runDueJobs({ db, jobsDb, services: null, jobs });
};
const stateOf = async (id: string) => (await jobsDb.sql`select state from jobs.status where id = ${id}`)[0]?.state;
const total = (kinds: readonly { jobs: number }[]) => kinds.reduce((sum, { jobs }) => sum + jobs, 0);

/** Hands out all that is due of the queue in one pack. */
async function handOut(sql: postgres.Sql | postgres.TransactionSql, opened = false): Promise<string> {
  const [pack] = await sql<{ id: string }[]>`
    with gone as (delete from jobs.due where queue = 'default' returning job_id)
    insert into jobs.pack (id, queue, name, job_ids, runner_id, opened_at)
    values (gen_random_uuid(), 'default', ${mail.name}, array(select job_id from gone), ${opened ? runner : null}, now())
    returning id`;
  return (pack as { id: string }).id;
}

describe('jobs that are held', () => {
  it('are those that have not begun, of a kind, of a queue, or all, and stay until they are released', async () => {
    await add(mail);
    await handOut(jobsDb.sql, true);
    const packed = await add(mail);
    await handOut(jobsDb.sql);
    const [due, later] = [await add(mail), await add(mail, { runAt: new Date(Date.now() + anHour) })];
    const parked = await add(mail);
    await jobsDb.sql`
      with gone as (delete from jobs.due where job_id = ${parked})
      insert into jobs.aside (job_id, why, queue, name, version) values (${parked}, 'parked', 'default', ${mail.name}, 1)`;
    const other = await add(report);

    expect(await readHoldable(jobsDb, {})).toEqual({
      kinds: [
        { queue: 'default', name: mail.name, jobs: 4 },
        { queue: 'reports', name: report.name, jobs: 1 },
      ],
      running: 1,
    });
    expect(await holdJobs(jobsDb, { name: mail.name })).toEqual({
      kinds: [{ queue: 'default', name: mail.name, jobs: 4 }],
      running: 1,
      missed: 0,
    });
    for (const id of [packed, due, later, parked]) expect(await stateOf(id)).toBe('held');
    expect(await countJobs(jobsDb)).toContainEqual(expect.objectContaining({ state: 'held', jobs: 4 }));
    expect(await run()).toMatchObject([{ name: report.name, state: 'done' }]);
    expect(await stateOf(other)).toBe('done');

    expect(await readHeld(jobsDb, {})).toEqual([{ queue: 'default', name: mail.name, jobs: 4 }]);
    expect(await releaseJobs(jobsDb, { queue: 'reports' })).toEqual([]);
    expect(await releaseJobs(jobsDb, { queue: 'default' })).toEqual([{ queue: 'default', name: mail.name, jobs: 4 }]);
    // At its own time.
    expect(await run()).toHaveLength(3);
    expect(await stateOf(later)).toBe('pending');
    expect(await releaseJobs(jobsDb, {})).toEqual([]);
  });

  it('can be one alone, cancelled, and neither run now nor retried', async () => {
    const [one, two] = [await add(mail), await add(mail)];
    expect(total((await holdJobs(jobsDb, { id: one })).kinds)).toBe(1);
    expect(await holdJobs(jobsDb, { id: one })).toEqual({ kinds: [], running: 0, missed: 0 });
    expect([await stateOf(one), await stateOf(two)]).toEqual(['held', 'pending']);
    expect(await runNow(jobsDb, one)).toBe(false);
    expect(await retryJobs(jobsDb, { id: one })).toBe(0);
    expect(await cancelJob(jobsDb, one)).toBe(true);
    expect(await releaseJobs(jobsDb, { id: one })).toEqual([]);
    expect(await stateOf(one)).toBe('cancelled');
  });

  it('give up their key: who adds one of it meanwhile need not wait for the release', async () => {
    const held = await add(mail, { key: 'k', runAt: new Date(Date.now() + anHour) });
    await holdJobs(jobsDb, {});
    expect(await add(mail, { key: 'k' })).not.toBe(held);
    expect(await run()).toHaveLength(1);
  });

  it('are discarded behind their release when their time has passed', async () => {
    const id = await add(mail, { discardAfter: new Date(Date.now() - 1_000) });
    await holdJobs(jobsDb, {});
    const sweepNow = () =>
      sweep({ db: jobsDb, transport: { holds: async () => new Set() }, log: silentLog, remove: false });
    expect(await sweepNow()).toMatchObject({ stale: 0 });
    await releaseJobs(jobsDb, {});
    expect(await sweepNow()).toMatchObject({ stale: 1 });
    expect(await stateOf(id)).toBe('cancelled');
  });

  it('can be cancelled together, and run again when that was wrong', async () => {
    const held = [await add(mail), await add(mail), await add(report)];
    await holdJobs(jobsDb, {});
    const waiting = await add(mail);
    expect(await cancelHeld(jobsDb, { name: mail.name })).toEqual([{ queue: 'default', name: mail.name, jobs: 2 }]);
    expect(await Promise.all([...held, waiting].map(stateOf))).toEqual(['cancelled', 'cancelled', 'held', 'pending']);
    expect(await retryJobs(jobsDb, { name: mail.name })).toBe(2);
    expect(await run()).toHaveLength(3);
  });

  it('cannot be held or released by the app', async () => {
    await add(mail);
    await expect(holdJobs(db, {})).rejects.toThrow(/permission denied/);
    await expect(releaseJobs(db, {})).rejects.toThrow(/permission denied/);
  });
});

describe('a job that moves while it is held', () => {
  /** Holds while `move` has moved the job and not committed yet: the first look finds it in the hands of another. */
  async function holdBeside(id: string, move: (sql: postgres.TransactionSql) => Promise<unknown>) {
    let held: ReturnType<typeof holdJobs> | undefined;
    await jobsDb.sql.begin(async (sql) => {
      await move(sql);
      expect(await holdSome(jobsDb.sql, { id })).toEqual([]);
      held = holdJobs(jobsDb, { id });
    });
    return held as ReturnType<typeof holdJobs>;
  }

  it('is found in the pack into which it was claimed', async () => {
    const id = await add(mail);
    expect(total((await holdBeside(id, (sql) => handOut(sql))).kinds)).toBe(1);
    expect(await stateOf(id)).toBe('held');
  });

  it('is found in the line to which its pack returned it', async () => {
    const id = await add(mail);
    const packId = await handOut(jobsDb.sql);
    expect(total((await holdBeside(id, (sql) => returnPacks(sql, [packId], false))).kinds)).toBe(1);
    expect(await stateOf(id)).toBe('held');
  });

  it('is left alone when a worker opened its pack', async () => {
    const id = await add(mail);
    const packId = await handOut(jobsDb.sql);
    const held = await holdBeside(id, (sql) => sql`update jobs.pack set runner_id = ${runner} where id = ${packId}`);
    expect(held).toEqual({ kinds: [], running: 1, missed: 0 });
  });

  it('is not there any more when it was cancelled', async () => {
    const id = await add(mail);
    const held = await holdBeside(
      id,
      (sql) => sql`
        with gone as (delete from jobs.due where job_id = ${id})
        update jobs.job set state = 'cancelled' where id = ${id}`,
    );
    expect(held).toEqual({ kinds: [], running: 0, missed: 0 });
  });

  it('is held when a second enqueue of its key has committed, and is missed when that takes too long', async () => {
    const id = await add(mail, { key: 'k' });
    let held: ReturnType<typeof holdJobs> | undefined;
    await withTenant(db, tenant, async (tx) => {
      await enqueue(tx, mail, {}, { key: 'k' });
      expect(await holdJobs(jobsDb, { id }, 50)).toMatchObject({ kinds: [], missed: 1 });
      held = holdJobs(jobsDb, { id });
    });
    expect(await held).toMatchObject({ missed: 0 });
    expect(await stateOf(id)).toBe('held');
  });

  it('is held once when it is held twice at the same time', async () => {
    const id = await add(mail);
    const both = await Promise.all([holdJobs(jobsDb, {}), holdJobs(jobsDb, { id })]);
    expect(total(both.flatMap((held) => held.kinds))).toBe(1);
  });
});

describe('whoever comes while a job is being held', () => {
  /** Does `what` while the hold is not committed, and waits for it. */
  async function besideHold<Result>(what: () => Promise<Result>): Promise<Result> {
    let doing: Promise<Result> | undefined;
    await jobsDb.sql.begin(async (sql) => {
      expect(total(await holdSome(sql, {}))).toBe(1);
      doing = what();
      await expect
        .poll(
          () =>
            jobsDb.sql`
              select 1 from pg_locks
              where not granted and pid in (select pid from pg_stat_activity where datname = current_database())`,
        )
        .not.toHaveLength(0);
    });
    return doing as Promise<Result>;
  }

  it('cancels it where it is then', async () => {
    const id = await add(mail);
    expect(await besideHold(() => cancelJob(jobsDb, id))).toBe(true);
    expect(await stateOf(id)).toBe('cancelled');
    expect(await readHeld(jobsDb, {})).toEqual([]);
  });

  it('opens its pack without it', async () => {
    const id = await add(mail);
    const packId = await handOut(jobsDb.sql);
    const opened = await besideHold(() =>
      jobsDb.sql`update jobs.pack set runner_id = ${runner} where id = ${packId} returning job_ids`.execute(),
    );
    expect(opened).toEqual([{ job_ids: [] }]);
    expect(await stateOf(id)).toBe('held');
  });

  it('returns its pack without it, as a sweep does', async () => {
    const id = await add(mail);
    const packId = await handOut(jobsDb.sql);
    expect(await besideHold(() => returnPacks(jobsDb.sql, [packId], true))).toBe(0);
    expect(await stateOf(id)).toBe('held');
  });

  it('makes it due in vain', async () => {
    const id = await add(mail, { runAt: new Date(Date.now() + anHour) });
    expect(await besideHold(() => runNow(jobsDb, id))).toBe(false);
    expect(await stateOf(id)).toBe('held');
  });
});
