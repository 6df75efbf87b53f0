import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Database, sqlOf, type Tx, withScope, withTenant } from '@ballast/db';
import { cancel, defineJob, type JobContext, secret, snooze } from '@ballast/kernel';
import { parseKeyRing } from '@ballast/kernel/key-ring';
import { createTestDatabase, type TestDatabase } from '@ballast/test-kit/database';
import { openPatiently } from '@ballast/test-kit/pools';
import { silentLog } from '@ballast/test-kit/queue';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { listJobs, showJob } from './control.ts';
import { enqueue } from './enqueue.ts';
import { sweep } from './sweep.ts';
import { forgetJobs, runDueJobs } from './testing.ts';

const tenant = '018f0000-0000-7000-8000-000000000001';
const job = defineJob({
  name: 'suite.import',
  payload: z.strictObject({ token: secret(z.string()) }),
  backoff: { firstMs: 3_600_000, maxMs: 3_600_000 },
});

let database: TestDatabase;
let db: Database;
let jobsDb: Database;
let admin: Database;

beforeAll(async () => {
  database = await createTestDatabase();
  const keys = parseKeyRing(`k:${randomBytes(32).toString('base64')}`);
  db = openPatiently({ url: database.appUrl, keys });
  jobsDb = openPatiently({ url: database.dispatcherUrl });
  admin = openPatiently({ url: database.adminUrl });
  await admin.sql.unsafe(
    `create table public.said (fraction real, at timestamptz default clock_timestamp());
     create function public.saying() returns trigger language plpgsql security definer as
       $$ begin insert into public.said (fraction) values (new.fraction); return new; end $$;
     create trigger saying after insert or update on jobs.progress for each row execute function public.saying()`,
    [],
    { prepare: false },
  );
});
afterEach(async () => {
  await forgetJobs(jobsDb);
  await admin.sql`delete from public.said`;
});
afterAll(async () => {
  await Promise.all([db.close(), jobsDb.close(), admin.close()]);
  await database.drop();
});

const add = () => withTenant(db, tenant, (tx) => enqueue(tx, job, { token: 'hunter2' }));
const run = (handler: (ctx: JobContext<Tx>) => Promise<unknown>) =>
  runDueJobs({
    db,
    jobsDb,
    services: null,
    jobs: [
      {
        job: job as never,
        load: async () => ({ job, run: (async ({ ctx }: { ctx: JobContext<Tx> }) => handler(ctx)) as never }),
      },
    ],
  });
const said = async () =>
  (await admin.sql<{ fraction: number }[]>`select fraction from public.said order by at`).map((row) => row.fraction);
const sweepOnce = () =>
  sweep({ db: jobsDb, transport: { holds: async () => new Set<string>() }, log: silentLog, keepEndedDays: 0 });
const progressOf = async (id: string) => (await showJob(jobsDb, id))?.progress;

describe('ctx.progress', () => {
  it('shows while the handler’s transaction is still open', async () => {
    const id = await add();
    await run((ctx) =>
      ctx.transaction(async (tx) => {
        await sqlOf(tx)`select 1`;
        ctx.progress(0.29, 'row 29 of 100');
        await expect.poll(() => progressOf(id)).toMatchObject({ fraction: 0.29, note: 'row 29 of 100', attempt: 1 });
        expect(await listJobs(jobsDb)).toMatchObject([{ state: 'dispatched', progress: { fraction: 0.29 } }]);
      }),
    );
    // Superseded: the job is done.
    expect(await progressOf(id)).toBeNull();
  });

  it('writes once a second whatever it is told, and the last word before a repeat', async () => {
    const id = await add();
    await run(async (ctx) => {
      const until = performance.now() + 2_500;
      for (let n = 0; performance.now() < until; n++) {
        ctx.progress(n / 1_000);
        await sleep(5);
      }
      ctx.progress(0.99, 'nearly');
      throw new Error('not quite');
    });
    const written = await said();
    expect(written[0]).toBe(0);
    expect(written.at(-1)).toBeCloseTo(0.99);
    // At once, after one and two seconds, and at the end.
    expect(written.length).toBeLessThanOrEqual(4);
    expect(written.length).toBeGreaterThanOrEqual(2);
    expect(await progressOf(id)).toMatchObject({ fraction: 0.99, note: 'nearly' });
    expect(await listJobs(jobsDb)).toMatchObject([{ state: 'pending', failure: 'not quite' }]);
  });

  it.each<[string, () => unknown, boolean]>([
    ['cancelled', () => cancel('no longer wanted'), true],
    ['snoozed', () => snooze(600_000), true],
    ['dead', () => ({ outcome: 'dead', error: new Error('never') }), true],
    ['done, which supersedes it', () => undefined, false],
  ])('keeps the last word of a run that is %s', async (_end, outcome, keeps) => {
    await add();
    await run(async (ctx) => {
      ctx.progress(0);
      await expect.poll(said).toEqual([0]);
      // Written at once when the first was more than a second ago. What follows it waits in any case.
      ctx.progress(0.5);
      ctx.progress(0.75);
      return outcome();
    });
    const written = await said();
    if (keeps) expect(written.at(-1)).toBe(0.75);
    else expect(written).not.toContain(0.75);
  });

  it('refuses what is no fraction, where the handler hears of it', async () => {
    await add();
    const [ran] = await run(async (ctx) => ctx.progress(42));
    expect(ran).toMatchObject({
      state: 'pending',
      failure: 'ctx.progress takes a fraction from 0 to 1, and 42 is none.',
    });
  });

  it('takes nothing from a run that lost its job, nor after the end', async () => {
    await add();
    let late: JobContext<Tx> | undefined;
    await run(async (ctx) => {
      late = ctx;
      ctx.progress(0.1);
      await expect.poll(said).toEqual([expect.closeTo(0.1)]);
      // Nobody has heard of this process: the sweep takes its job away.
      expect(await sweepOnce()).toMatchObject({ orphaned: 1 });
      ctx.progress(0.9);
      return snooze(0);
    });
    late?.progress(1);
    await sleep(50);
    for (const fraction of await said()) expect(fraction).toBeCloseTo(0.1);
  });

  it('cuts its note, and tells no secret in it', async () => {
    const id = await add();
    await run(async (ctx) => {
      ctx.progress(0.5, `fetches /?t=hunter2 ${'x'.repeat(1_000)}`);
      return snooze(600_000);
    });
    const note = (await progressOf(id))?.note;
    expect(note).toMatch(/^fetches \/\?t=\[secret\] x+$/);
    expect(note).toHaveLength(200);
  });
});

it('only who runs a job may say how far it is, and see it', async () => {
  const id = await add();
  await run(async (ctx) => {
    ctx.progress(0.5);
    return snooze(600_000);
  });
  const app = <Result>(work: (tx: Tx) => Promise<Result>) => withScope(db, { tenantId: tenant }, work);
  expect(await app(async (tx) => [...(await sqlOf(tx)`select * from jobs.progress`)])).toEqual([]);
  expect((await app(async (tx) => sqlOf(tx)`update jobs.progress set fraction = 1`)).count).toBe(0);
  await expect(
    app((tx) =>
      Promise.resolve(sqlOf(tx)`insert into jobs.progress (job_id, attempt, fraction) values (${tenant}, 1, 1)`),
    ),
  ).rejects.toMatchObject({ code: '42501' });
  expect(await progressOf(id)).toMatchObject({ fraction: 0.5 });
});

it('leaves with its job', async () => {
  await add();
  await run(async (ctx) => {
    ctx.progress(1);
    return cancel('enough');
  });
  expect(await jobsDb.sql`select 1 from jobs.progress`).toHaveLength(1);
  await sweepOnce();
  expect(await jobsDb.sql`select 1 from jobs.progress`).toHaveLength(0);
});
