/** What nobody started in time leaves the line at once, however much it is and whatever else is broken. */
import { randomUUID } from 'node:crypto';
import { withTenant } from '@ballast/db';
import { defineJob, type Log } from '@ballast/kernel';
import { openTestPools } from '@ballast/test-kit/pools';
import { silentLog } from '@ballast/test-kit/queue';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { enqueueMany } from './enqueue.ts';
import { startSweep, sweep } from './sweep.ts';
import { forgetJobs, misplacedJobs } from './testing.ts';

const tenant = '018f0000-0000-7000-8000-000000000001';
const task = defineJob({ name: 'suite.task', payload: z.strictObject({}) });

const { db, jobsDb, close } = await openTestPools();

afterAll(close);
beforeEach(() => forgetJobs(jobsDb));
afterEach(async () => {
  expect(await misplacedJobs(jobsDb)).toEqual([]);
});

const add = (count: number, options = {}) =>
  withTenant(db, tenant, (tx) =>
    enqueueMany(
      tx,
      task,
      Array.from({ length: count }, () => ({ payload: {}, ...options })),
    ),
  );
const stale = () => ({ discardAfter: new Date(Date.now() - 1_000) });
const left = async () => (await jobsDb.sql`select 1 from jobs.due`).length;
/** One sweep has time for all of it. */
const sweeping = {
  db: jobsDb,
  transport: { holds: async () => new Set<string>() },
  log: silentLog,
  removeForMs: 60_000,
};

it('is cancelled batch after batch, until none is left', async () => {
  await add(3_500, stale());
  await add(2);
  expect(await sweep(sweeping)).toMatchObject({ stale: 3_500 });
  expect(await left()).toBe(2);
});

it('is cancelled for as long as a sweep has time, and the rest by the next one', async () => {
  await add(1_500, stale());
  const inNoTime = { ...sweeping, removeForMs: 0, remove: false };
  expect(await sweep(inNoTime)).toMatchObject({ stale: 1_000 });
  expect(await sweep(inNoTime)).toMatchObject({ stale: 500 });
});

it('is passed by while its key is held, and keeps nothing behind it from being cancelled', async () => {
  const discardAfter = new Date(Date.now() + 500);
  await withTenant(db, tenant, (tx) =>
    enqueueMany(
      tx,
      task,
      Array.from({ length: 1_200 }, (_, n) => ({ payload: {}, discardAfter, ...(n < 3 ? { key: `k${n}` } : {}) })),
    ),
  );
  await expect
    .poll(async () => (await jobsDb.sql`select 1 where now() > ${discardAfter.toISOString()}`).length)
    .toBe(1);
  await jobsDb.sql.begin(async (sql) => {
    await sql`select 1 from jobs.key for update`;
    expect(await sweep({ ...sweeping, remove: false })).toMatchObject({ stale: 1_197 });
  });
  expect(await sweep({ ...sweeping, remove: false })).toMatchObject({ stale: 3 });
});

describe('while the queue does not answer', () => {
  const deaf = {
    holds: () => Promise.reject(new Error('no answer')),
    drop: () => Promise.reject(new Error('no answer')),
  };
  const hourAgo = new Date(Date.now() - 3_600_000).toISOString();

  /** A pack that somebody silent has opened, one that nobody has, a stale job, and one that ended long ago. */
  async function somethingOfAll() {
    for (const opened of [{ runner_id: tenant, opened_at: hourAgo }, {}]) {
      const ids = await add(1);
      await jobsDb.sql`delete from jobs.due`;
      await jobsDb.sql`
        insert into jobs.pack ${jobsDb.sql({ id: randomUUID(), queue: 'default', name: task.name, job_ids: ids, dispatched_at: hourAgo, ...opened })}`;
    }
    await add(1, stale());
    await jobsDb.sql`
      insert into jobs.job (id, name, version, queue, lane, priority, state, attempts, run_at, ended_at, body)
      values ('018f0000-0000-7000-8000-0000000000ff', ${task.name}, 1, 'default', ${tenant}, 0, 'done', 1, ${hourAgo}, '2024-04-21', '{}')`;
  }

  it('everything else is swept', async () => {
    await somethingOfAll();
    expect(await sweep({ ...sweeping, transport: deaf })).toEqual({ orphaned: 1, lost: 0, stale: 1, removed: 1 });
    // And the pack is not lost for good.
    expect(await sweep(sweeping)).toEqual({ orphaned: 0, lost: 1, stale: 0, removed: 0 });
  });

  it('what was returned is counted and said, and what could not be asked is said too', async () => {
    await somethingOfAll();
    const said: string[] = [];
    const log: Log = {
      ...silentLog,
      warn: (fields: object, message: string) => said.push(`${message} ${JSON.stringify(fields)}`),
    };
    const repaired: unknown[] = [];
    const observe = {
      dispatched() {},
      started() {},
      ended() {},
      repaired: (why: string, jobs: number) => void repaired.push([why, jobs]),
    };
    const sweeper = startSweep({ ...sweeping, transport: deaf, log, observe, everyMs: 20 });
    await expect
      .poll(() => repaired, { timeout: 20_000 })
      .toEqual([
        ['orphaned', 1],
        ['stale', 1],
      ]);
    await sweeper.close();
    expect(said.slice(0, 2)).toEqual([
      'sweep could not look for lost packs {"error":"no answer"}',
      'sweep returned jobs {"orphaned":1,"lost":0,"stale":1,"removed":1}',
    ]);
  });
});
