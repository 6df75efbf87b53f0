import { type Database, withTenant } from '@ballast/db';
import { defineJob } from '@ballast/kernel';
import { createTestDatabase, type TestDatabase } from '@ballast/test-kit/database';
import { openPatiently } from '@ballast/test-kit/pools';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { holdAfterRestore } from './after-restore.ts';
import { claim } from './claim.ts';
import { releaseJobs } from './control.ts';
import { enqueue } from './enqueue.ts';
import { misplacedJobs } from './misplaced.ts';

const tenant = '018f0000-0000-7000-8000-000000000001';
const mail = defineJob({ name: 'suite.mail', payload: z.strictObject({ n: z.int() }) });

let database: TestDatabase;
let db: Database;
let jobsDb: Database;
let admin: Database;
beforeEach(async () => {
  database = await createTestDatabase();
  db = openPatiently({ url: database.appUrl });
  jobsDb = openPatiently({ url: database.dispatcherUrl });
  admin = openPatiently({ url: database.adminUrl });
});
afterEach(async () => {
  await Promise.all([db.close(), jobsDb.close(), admin.close()]);
  await database.drop();
});

const add = (n: number, options: Parameters<typeof enqueue>[3] = {}) =>
  withTenant(db, tenant, (tx) => enqueue(tx, mail, { n }, options));
const states = async () => {
  const rows = await jobsDb.sql<{ state: string; jobs: number }[]>`
    select state, count(*)::int as jobs from jobs.status group by state`;
  return Object.fromEntries(rows.map((row) => [row.state, row.jobs]));
};

describe('after a restore', () => {
  it('every open job is held, wherever it was, and what has ended stays ended', async () => {
    await add(1);
    const fleet = { slots: new Map(), knows: new Set(['suite.mail@1']), runMs: new Map() };
    await claim(jobsDb, { queue: 'default', freePacks: 1, rowsPerPack: 1, fleet, afterLane: null });
    await jobsDb.sql`update jobs.pack set runner_id = gen_random_uuid(), opened_at = now()`;
    await jobsDb.sql`update jobs.job set started_at = now()`;
    await add(2);
    await add(3, { runAt: new Date(Date.now() + 3_600_000) });
    await add(4, { key: 'one' });
    const parked = await add(5);
    await jobsDb.sql`
      with gone as (delete from jobs.due where job_id = ${parked} returning *)
      insert into jobs.aside (job_id, why, queue, name, version) select job_id, 'parked', queue, name, version from gone`;
    const ended = await add(6);
    await jobsDb.sql`delete from jobs.due where job_id = ${ended}`;
    await jobsDb.sql`update jobs.job set state = 'done', ended_at = now() where id = ${ended}`;

    expect(await holdAfterRestore(admin.sql)).toEqual({ jobs: 5, handedOut: 1, slots: 0 });
    expect(await states()).toEqual({ held: 5, done: 1 });
    expect(await misplacedJobs(jobsDb)).toEqual([]);
    expect(
      await claim(jobsDb, { queue: 'default', freePacks: 9, rowsPerPack: 1, fleet, afterLane: null }),
    ).toMatchObject({
      packs: [],
    });
    // Said twice, nothing more happens.
    expect(await holdAfterRestore(admin.sql)).toEqual({ jobs: 5, handedOut: 0, slots: 0 });

    // What is added from now on is nobody's repeat, whatever its key.
    await add(7, { key: 'one' });
    expect(await states()).toEqual({ held: 5, done: 1, pending: 1 });
    await releaseJobs(jobsDb, {});
    expect(await states()).toEqual({ done: 1, pending: 6 });
    expect(await misplacedJobs(jobsDb)).toEqual([]);
  });

  it('slots that have passed are not caught up, and are counted; those to come stay', async () => {
    const minuteMs = 60_000;
    // Half an hour from any slot of its own: none comes meanwhile.
    const lastSlot = new Date((Math.floor(Date.now() / minuteMs) - 30) * minuteMs);
    const firstPassed = new Date(lastSlot.getTime() - 120 * minuteMs);
    await jobsDb.sql`
      insert into jobs.schedule (name, cron, zone, next_slot) values
        ('suite.hourly', ${`${lastSlot.getUTCMinutes()} * * * *`}, 'UTC', ${firstPassed.toISOString()}),
        ('suite.later', '0 0 1 1 *', 'UTC', now() + interval '1 day')`;
    expect(await holdAfterRestore(admin.sql)).toMatchObject({ slots: 3 });
    const rows = await jobsDb.sql`select name, next_slot > now() as comes from jobs.schedule order by name`;
    expect(rows).toEqual([
      { name: 'suite.hourly', comes: true },
      { name: 'suite.later', comes: true },
    ]);
  });
});
