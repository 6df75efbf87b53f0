/** What a dispatcher does with a queue that is slow, full or away. Its Postgres is real; the queue only notes what it was given. */
import { withTenant } from '@ballast/db';
import { defineJob, type Log } from '@ballast/kernel';
import { openTestPools } from '@ballast/test-kit/pools';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { pauseQueue, resumeQueue } from './control.ts';
import { type Dispatcher, startDispatcher } from './dispatch.ts';
import { enqueueMany } from './enqueue.ts';
import { forgetJobs, misplacedJobs } from './testing.ts';

const tenant = '018f0000-0000-7000-8000-000000000001';
const task = defineJob({ name: 'suite.task', payload: z.strictObject({}) });
const slots = 2;
const limited = { ...task, name: 'suite.limited', concurrency: 1 };

const { db, jobsDb, close } = await openTestPools();

const added: string[] = [];
/** How often the queue was asked what is under way: once in each round in which something waits. */
let asked = 0;
const lines: string[] = [];
const log: Log = { debug() {}, info() {}, error() {}, warn: (_, message) => void lines.push(message) };
let dispatcher: Dispatcher | null = null;

afterAll(close);
beforeEach(async () => {
  await forgetJobs(jobsDb);
  added.length = 0;
  asked = 0;
  lines.length = 0;
  await jobsDb.sql`delete from jobs.process`;
  await jobsDb.sql`
    insert into jobs.process (id, role, release, host, slots, knows)
    values (gen_random_uuid(), 'worker', 'test', 'here', ${JSON.stringify({ default: slots })}::text::jsonb, '{suite.task@1,suite.limited@1}')`;
});
afterEach(async () => {
  await dispatcher?.close();
  dispatcher = null;
  expect(await misplacedJobs(jobsDb)).toEqual([]);
});

const add = (count: number, of = tenant, job = task) =>
  withTenant(db, of, (tx) =>
    enqueueMany(
      tx,
      job,
      Array.from({ length: count }, () => ({ payload: {} })),
    ),
  );

/** As `enqueue` does, without the announcement behind the commit. */
const addUnannounced = (count: number) => jobsDb.sql`
  select jobs.add(${task.name}, 1, 'default', 8::smallint, null, null, null, null, array[gen_random_uuid()], array['{}'], null, null, null, array[${tenant}]::uuid[], null)
  from generate_series(1, ${count}::int)`;

/** Before it listens it is not told; a wake that comes too early is a poll's. */
const listening = () =>
  expect
    .poll(
      async () =>
        (
          await jobsDb.sql`select 1 from pg_stat_activity where datname = current_database() and query ilike 'listen%ballast_jobs%'`
        ).length,
      { timeout: 20_000 },
    )
    .toBeGreaterThan(0);

/** @param onAdd runs before the queue has taken the packs; @param onAsked when it has counted them. */
function start(
  onAdd: (packIds: readonly string[]) => Promise<unknown> = async () => {},
  pollEveryMs = 60_000,
  onAsked: () => unknown = () => {},
): void {
  const transport = {
    kind: 'redis',
    epoch: null,
    connected: () => true,
    inFlight: async () => {
      asked += 1;
      const packs = added.length;
      onAsked();
      return packs;
    },
    add: async (_: string, packIds: readonly string[]) => {
      await onAdd(packIds);
      added.push(...packIds);
    },
  };
  dispatcher = startDispatcher({ db: jobsDb, transport: transport as never, log, pollEveryMs });
}
const counts = async () => {
  const rows = await jobsDb.sql<{ state: string; jobs: number }[]>`
    select state, count(*)::int as jobs from jobs.status group by 1`;
  return Object.fromEntries(rows.map((row) => [row.state, row.jobs]));
};

describe('a dispatcher', () => {
  // Few and many: the claim of an idle system is another statement.
  it.each([1, 20])(
    'has committed a pack before the queue is given it, and holds no transaction meanwhile (%i jobs)',
    async (jobs) => {
      const seen: unknown[] = [];
      await add(jobs);
      start(async (packIds) => {
        const { sql } = jobsDb;
        const [packs] =
          await sql`select count(*)::int as there from jobs.pack where id = any(${packIds as string[]}::uuid[])`;
        const open = await sql`
        select query from pg_stat_activity
        where usename = current_user and datname = current_database() and pid <> pg_backend_pid() and xact_start is not null and state <> 'active'`;
        seen.push([packs?.there === packIds.length, [...open]]);
      });
      await expect.poll(() => added.length, { timeout: 20_000 }).toBe(Math.min(jobs, 2 * slots));
      expect(seen.length).toBeGreaterThan(0);
      for (const one of seen) expect(one).toEqual([true, []]);
    },
  );

  it('hands out no more than twice the slots, whatever waits, and goes on when one is free', async () => {
    await add(50);
    start();
    await expect.poll(() => added.length, { timeout: 20_000 }).toBe(2 * slots);
    dispatcher?.wake();
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(await counts()).toEqual({ dispatched: 2 * slots, pending: 50 - 2 * slots });
    added.pop();
    dispatcher?.slotFreed();
    await expect.poll(counts, { timeout: 20_000 }).toEqual({ dispatched: 2 * slots + 1, pending: 49 - 2 * slots });
  });

  it('gives each slot that becomes free to the next tenant in turn', async () => {
    const other = '018f0000-0000-7000-8000-0000000000ff';
    await add(20);
    start();
    await expect.poll(() => added.length, { timeout: 20_000 }).toBe(2 * slots);
    await add(1, other);
    const out = async () =>
      (await jobsDb.sql`select 1 from jobs.status where tenant_id = ${other} and state = 'dispatched'`).length;
    // The first goes to whoever was first when nothing was free; the other tenant is behind that one.
    for (let freed = 1; freed <= 3 && (await out()) === 0; freed++) {
      added.pop();
      dispatcher?.slotFreed();
      await expect.poll(() => added.length, { timeout: 20_000 }).toBe(2 * slots);
    }
    expect(await out()).toBe(1);
  });

  it('looks again when a pack ended while it counted', async () => {
    // Full when it counts, and empty right after; nothing else wakes it.
    added.push(...Array.from({ length: 2 * slots }, String));
    let full = false;
    const end = () => {
      full = false;
      added.length = 0;
      dispatcher?.slotFreed();
    };
    start(
      async () => {},
      60_000,
      () => full && end(),
    );
    // The round that follows as soon as it listens.
    await expect.poll(() => asked, { timeout: 20_000 }).toBe(1);
    await addUnannounced(5);
    full = true;
    dispatcher?.wake();
    await expect.poll(counts, { timeout: 20_000 }).toEqual({ dispatched: 2 * slots, pending: 5 - 2 * slots });
  });

  /** Ends the pack that is out, as a worker would, and tells the dispatcher. Returns its tenant once the next is out. */
  async function endOf(packId: string): Promise<string> {
    const [row] = await jobsDb.sql<{ tenant: string }[]>`
      with gone as (delete from jobs.pack where id = ${packId} returning job_ids), done as (
        update jobs.job set state = 'done' from gone where id = any(job_ids) returning tenant_id as tenant
      ) select tenant from done`;
    added.splice(added.indexOf(packId), 1);
    dispatcher?.slotFreed();
    return row?.tenant as string;
  }

  it('gives each tenant of a limited kind its turn', async () => {
    const tenants = [tenant, '018f0000-0000-7000-8000-0000000000ff'];
    for (const one of tenants) await add(10, one, limited as never);
    start();
    const ended: string[] = [];
    while (ended.length < 6) {
      await expect.poll(() => added.length, { timeout: 20_000 }).toBe(1);
      ended.push(await endOf(added[0] as string));
    }
    for (const one of tenants) expect(ended.filter((of) => of === one)).toHaveLength(3);
  });

  it('rests while a kind is at its limit, however many wait for it, and goes on when one has ended', async () => {
    const many = Array.from(
      { length: 70 },
      (_, n) => `018f0000-0000-7000-8000-0000000001${String(n).padStart(2, '0')}`,
    );
    for (const one of many) await add(1, one, limited as never);
    await add(1, 'ffffffff-ffff-7fff-bfff-ffffffffffff');
    start();
    // It wakes once more when it listens.
    await listening();
    // Whatever is not limited is found behind all that waits, in the same pass.
    await expect.poll(() => added.length, { timeout: 20_000 }).toBe(2);
    let before = -1;
    const rests = () => {
      const sameAsBefore = asked === before;
      before = asked;
      return sameAsBefore;
    };
    await expect.poll(rests, { timeout: 20_000, interval: 1_000 }).toBe(true);
    // A pass takes two rounds, and one that found nothing comes behind each that found something.
    expect(asked).toBeLessThan(12);
    const [first] = await jobsDb.sql<{ id: string }[]>`select id from jobs.pack where name = ${limited.name}`;
    await endOf(first?.id as string);
    await expect.poll(() => added.length, { timeout: 20_000 }).toBe(2);
    expect(added).not.toContain(first?.id);
  });

  it('takes back at once what the queue did not take, uncharged, and waits longer each time', async () => {
    let tries = 0;
    let away = true;
    await add(3);
    start(async () => {
      tries += 1;
      if (away) throw new Error('away');
    }, 20);
    await expect.poll(() => tries, { timeout: 20_000 }).toBeGreaterThan(1);
    // It pauses for a fifth of a second and more between its tries, and has returned the jobs by then.
    await expect.poll(counts, { timeout: 20_000 }).toEqual({ pending: 3 });
    const [before, since] = [tries, performance.now()];
    // Under load somebody commits at any moment, and each commit is announced.
    const waking = setInterval(() => dispatcher?.wake(), 20);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    clearInterval(waking);
    expect(tries - before).toBeLessThan(2 + (performance.now() - since) / 400);
    expect(lines).toContain('dispatch failed; rows wait in Postgres');
    expect(await jobsDb.sql`select 1 from jobs.job where attempt <> 0`).toEqual([]);
    away = false;
    await expect.poll(() => added.length, { timeout: 20_000 }).toBe(3);
  });

  it('hears of a commit, and does not wait for its poll', async () => {
    start();
    await listening();
    await add(1);
    await expect.poll(() => added.length, { timeout: 20_000 }).toBe(1);
  });

  it('finds by its poll what nobody announced', async () => {
    start(async () => {}, 200);
    await new Promise((resolve) => setTimeout(resolve, 500));
    await addUnannounced(1);
    await expect.poll(() => added.length, { timeout: 20_000 }).toBe(1);
  });

  it('hands out nothing of a paused queue, and goes on when it is resumed', async () => {
    await pauseQueue(jobsDb, 'default');
    await add(2);
    start(async () => {}, 50);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect([added, await counts()]).toEqual([[], { pending: 2 }]);
    await resumeQueue(jobsDb, 'default');
    await expect.poll(() => added.length, { timeout: 20_000 }).toBe(2);
  });
});
