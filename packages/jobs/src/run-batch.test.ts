import { sqlOf, type Tx, withTenant } from '@ballast/db';
import {
  type BatchHandler,
  type BatchItem,
  cancel,
  defineBatchHandler,
  defineJob,
  type Outcome,
  snooze,
} from '@ballast/kernel';
import { openTestPools } from '@ballast/test-kit/pools';
import { silentLog } from '@ballast/test-kit/queue';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { claim } from './claim.ts';
import { openCompletions } from './completions.ts';
import { cancelJob, pauseQueue, resumeQueue } from './control.ts';
import { enqueueMany } from './enqueue.ts';
import { runPack } from './run-pack.ts';
import { forgetJobs, misplacedJobs, runDueJobs } from './testing.ts';

const tenants = ['018f0000-0000-7000-8000-000000000001', '018f0000-0000-7000-8000-000000000002'] as const;
const write = defineJob({ name: 'suite.write', payload: z.strictObject({ n: z.int() }), batch: 10, attempts: 2 });
const limited = defineJob({ name: 'suite.limited', payload: z.strictObject({ n: z.int() }), concurrency: 2 });
type Item = BatchItem<{ n: number }>;

const { db, jobsDb, close } = await openTestPools({ table: 'effect (n integer, tenant_id uuid)' });

afterAll(close);
beforeEach(async () => {
  await forgetJobs(jobsDb);
  await db.sql`delete from effect`;
});
afterEach(async () => {
  expect(await misplacedJobs(jobsDb)).toEqual([]);
});

const add = (numbers: number[], tenant: string = tenants[0], job = write) =>
  withTenant(db, tenant, (tx) =>
    enqueueMany(
      tx,
      job,
      numbers.map((n) => ({ payload: { n } })),
    ),
  );
const insert = (tx: Tx, items: readonly Item[]) => sqlOf(tx)`
  insert into effect select n, ballast.tenant_id() from unnest(${items.map((item) => item.payload.n)}::int[]) as n`;
const run = (runBatch: BatchHandler<{ n: number }, Tx, null>['runBatch'], job = write) =>
  runDueJobs({
    db,
    jobsDb,
    services: null,
    jobs: [{ job: job as never, load: async () => defineBatchHandler(job, runBatch) }],
  });
const claimed = () =>
  claim(jobsDb, {
    queue: 'default',
    freePacks: 10,
    rowsPerPack: 20,
    afterLane: null,
    fleet: {
      slots: new Map([['default', 5]]),
      knows: new Set(['suite.limited@1', 'suite.write@1']),
      runMs: new Map(),
    },
  });
/** As a worker of this process would. */
const runHere = (
  handler: BatchHandler<{ n: number }, Tx, null>,
  packId: string,
  more: { stopping?: () => boolean; shutdown?: AbortSignal } = {},
) =>
  runPack(
    {
      db,
      jobsDb,
      processId: tenants[0],
      completions: openCompletions(jobsDb, silentLog),
      services: null,
      log: silentLog,
      shutdown: new AbortController().signal,
      find: () => ({ job: write as never, load: async () => handler as never }),
      unknownAfterMs: () => 5_000,
      stopping: () => false,
      returned: () => {},
      measured: () => {},
      ...more,
    },
    packId,
  );
const states = async () => {
  const rows = await jobsDb.sql<{ n: number; state: string; attempt: number }[]>`
    select (body ->> 'n')::int as n, state, attempt from jobs.status order by 1`;
  return rows.map((row) => `${row.n} ${row.state} ${row.attempt}`);
};
const effects = async () => (await db.sql<{ n: number }[]>`select n from effect order by n`).map((row) => row.n);

describe('a batch handler', () => {
  it('gets the jobs of one tenant together, as many as its job says, and commits all with their effects', async () => {
    await add([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    await add([21, 22], tenants[1]);
    const calls: [string | null, number][] = [];
    await run(async ({ items, ctx }) => {
      calls.push([ctx.tenantId, items.length]);
      await ctx.transaction(items, async (tx, live) => void (await insert(tx, live)));
      return undefined;
    });
    expect(calls.sort((a, b) => b[1] - a[1])).toEqual([[tenants[0], 10], expect.anything(), expect.anything()]);
    expect(calls.filter(([tenant]) => tenant === tenants[1])).toEqual([[tenants[1], 2]]);
    expect(await effects()).toHaveLength(14);
    expect(new Set((await states()).map((row) => row.split(' ')[1]))).toEqual(new Set(['done']));
  });

  it('reports an outcome for each', async () => {
    await add([1, 2, 3, 4]);
    let calls = 0;
    await run(async ({ items, ctx }) => {
      calls += 1;
      if (calls > 1) return undefined;
      await ctx.transaction(items, async (tx, live) => {
        await insert(
          tx,
          live.filter((item) => item.payload.n === 1),
        );
        const outcome: Record<number, Outcome> = {
          2: cancel('not needed'),
          3: snooze(60_000),
          4: { outcome: 'dead', error: new Error('never') },
        };
        return new Map(
          live.flatMap((item) => (outcome[item.payload.n] ? [[item.jobId, outcome[item.payload.n] as Outcome]] : [])),
        );
      });
      return undefined;
    });
    expect(await states()).toEqual(['1 done 1', '2 cancelled 1', '3 pending 0', '4 dead 1']);
    expect(await effects()).toEqual([1]);
  });

  it('is handed only those that are still its own once it has locked them', async () => {
    const [, second] = await add([1, 2, 3]);
    const live: number[] = [];
    await run(async ({ items, ctx }) => {
      await cancelJob(jobsDb, second as string);
      await ctx.transaction(items, async (tx, held) => {
        live.push(...held.map((item) => item.payload.n));
        await insert(tx, held);
        return undefined;
      });
      return undefined;
    });
    expect(live).toEqual([1, 3]);
    expect(await effects()).toEqual([1, 3]);
    expect(await states()).toEqual(['1 done 1', '2 cancelled 0', '3 done 1']);
  });

  it('that throws fails them all, with nothing written; a payload that does not fit is dead by itself', async () => {
    await add([1, 2]);
    const [bad] = await add([3]);
    await jobsDb.sql`update jobs.job set body = '{"n": "three"}' where id = ${bad as string}`;
    await run(async ({ items, ctx }) => {
      expect(items).toHaveLength(2);
      await ctx.transaction(items, async (tx, live) => {
        await insert(tx, live);
        throw new Error('half-way');
      });
      return undefined;
    });
    expect(await effects()).toEqual([]);
    const rows = await jobsDb.sql`select state, attempt from jobs.status order by state`;
    expect(rows).toEqual([
      { state: 'dead', attempt: 1 },
      { state: 'pending', attempt: 1 },
      { state: 'pending', attempt: 1 },
    ]);
  });

  it('is not called when no payload of them fits', async () => {
    await add([1, 2]);
    await jobsDb.sql`update jobs.job set body = '{"n": "one"}'`;
    let calls = 0;
    const ran = await run(async () => {
      calls += 1;
      return undefined;
    });
    expect(ran.map(({ state, failure }) => `${state}: ${failure}`)).toEqual(
      Array(2).fill(expect.stringMatching(/^dead: The payload does not fit version 1/)),
    );
    expect(calls).toBe(0);
  });

  it('is told by its signal when its time is over, and each of its jobs is charged', async () => {
    const short = { ...write, timeoutMs: 1_000 };
    await add([1, 2], tenants[0], short);
    let reason: unknown;
    await run(async ({ ctx }) => {
      if (!ctx.signal.aborted) await new Promise((resolve) => ctx.signal.addEventListener('abort', resolve));
      reason = ctx.signal.reason;
      throw ctx.signal.reason;
    }, short);
    expect(reason).toMatchObject({ message: 'The run took longer than 1000 ms.' });
    expect(await states()).toEqual(['1 pending 1', '2 pending 1']);
  });

  it('that ignores its signal loses its turn, and can write nothing more', async () => {
    const short = { ...write, timeoutMs: 1_000 };
    await add([1], tenants[0], short);
    const late = Promise.withResolvers<string>();
    const released = Promise.withResolvers<void>();
    await run(async ({ items, ctx }) => {
      await released.promise;
      await ctx
        .transaction(items, async (tx, live) => void (await insert(tx, live)))
        .catch((error) => late.resolve(error.message));
      return undefined;
    }, short);
    expect(await states()).toEqual(['1 pending 1']);
    released.resolve();
    expect(await late.promise).toContain('ended before');
    expect(await effects()).toEqual([]);
  });

  it.each(['paused', 'stopping', 'stale'] as const)('does not begin what is %s', async (why) => {
    await add([1, 2]);
    const { packs } = await claimed();
    if (why === 'paused') await pauseQueue(jobsDb, 'default');
    if (why === 'stale')
      await jobsDb.sql`update jobs.job set discard_after = now() - interval '1 second' where body ->> 'n' = '1'`;
    const seen: number[] = [];
    const handler = defineBatchHandler(write, async ({ items }) => {
      seen.push(...items.map((item) => item.payload.n));
      return undefined;
    });
    await runHere(handler, packs[0]?.id as string, { stopping: () => why === 'stopping' });
    await resumeQueue(jobsDb, 'default');
    expect(seen).toEqual(why === 'stale' ? [2] : []);
    expect(await states()).toEqual(why === 'stale' ? ['1 cancelled 0', '2 done 1'] : ['1 pending 0', '2 pending 0']);
  });

  it('that is cut off by the end of its process gives its jobs back, uncharged', async () => {
    await add([1, 2]);
    const { packs } = await claimed();
    const ending = new AbortController();
    const begun = Promise.withResolvers<void>();
    const handler = defineBatchHandler<{ n: number }, Tx, null>(write, async ({ ctx }) => {
      const told = new Promise((_, reject) => ctx.signal.addEventListener('abort', () => reject(ctx.signal.reason)));
      begun.resolve();
      await told;
      return undefined;
    });
    const running = runHere(handler, packs[0]?.id as string, { shutdown: ending.signal });
    await begun.promise;
    ending.abort(new Error('going'));
    await running;
    expect(await states()).toEqual(['1 pending 0', '2 pending 0']);
  });

  it('and its job must agree: a handler of single jobs is refused, by name', async () => {
    await add([1]);
    const single = { job: write as never, load: async () => ({ job: write, run: async () => {} }) };
    const ran = await runDueJobs({ db, jobsDb, services: null, jobs: [single] });
    expect(ran).toMatchObject([{ state: 'pending', failure: expect.stringContaining('suite.write says how large') }]);
  });

  it('needs a job that says how large a batch is', () => {
    expect(() => defineBatchHandler(limited, async () => undefined)).toThrow(/how large a batch is/);
  });
});

describe('a limited kind', () => {
  it('is out no more often than it may, whoever claims, and holds up nothing behind it', async () => {
    await add([1, 2, 3, 4, 5], tenants[0], limited as never);
    await add([6]);
    const all = await Promise.all([claimed(), claimed(), claimed()]);
    const names = all.flatMap((one) => one.packs.map((pack) => pack.name));
    expect(names.sort()).toEqual(['suite.limited', 'suite.limited', 'suite.write']);
    await jobsDb.sql`delete from jobs.pack where id = (select id from jobs.pack where name = 'suite.limited' limit 1)`;
    await jobsDb.sql`update jobs.job set state = 'done' where id not in (
      select job_id from jobs.due union select unnest(job_ids) from jobs.pack)`;
    const next = await claimed();
    expect(next.packs.map((pack) => pack.name)).toEqual(['suite.limited']);
    expect(next.left).toBe(true);
  });

  it('waits for a claim of its kind that is under way, and counts what that one takes', async () => {
    await add([1, 2, 3, 4], tenants[0], limited as never);
    const [first, second] = await jobsDb.sql<{ id: string }[]>`select id from jobs.job order by id`;
    const taken = [first?.id as string, second?.id as string];
    let claiming: ReturnType<typeof claimed> | undefined;
    await jobsDb.sql.begin(async (sql) => {
      // As another dispatcher between its count and its commit.
      await sql`select pg_advisory_xact_lock(hashtext('ballast.jobs.concurrency'), hashtext('suite.limited'))`;
      await sql`delete from jobs.due where job_id = any(${taken}::uuid[])`;
      claiming = claimed();
      const waiting = () => jobsDb.sql`
        select 1 from pg_locks join pg_stat_activity using (pid)
        where locktype = 'advisory' and not granted and datname = current_database()`;
      await expect.poll(async () => (await waiting()).length).toBe(1);
      for (const id of taken)
        await sql`insert into jobs.pack (id, queue, name, job_ids) values (${id}, 'default', 'suite.limited', ${[id]}::uuid[])`;
    });
    expect(await claiming).toMatchObject({ packs: [], left: true });
    expect(await jobsDb.sql`select 1 from jobs.due`).toHaveLength(2);
  });
});
