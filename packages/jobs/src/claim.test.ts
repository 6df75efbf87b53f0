import { withTenant } from '@ballast/db';
import { defineJob } from '@ballast/kernel';
import { openTestPools } from '@ballast/test-kit/pools';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { claim } from './claim.ts';
import { claimFew } from './claim-few.ts';
import type { Turns } from './claim-limited.ts';
import { enqueue, enqueueMany } from './enqueue.ts';
import type { Fleet } from './fleet.ts';
import { returnPacks } from './line-up.ts';
import { forgetJobs, misplacedJobs } from './testing.ts';

const quick = defineJob({ name: 'suite.quick', payload: z.strictObject({}) });
const fresh = defineJob({ name: 'suite.fresh', payload: z.strictObject({}) });
const tenants = [1, 2, 3].map((n) => `018f0000-0000-7000-8000-00000000000${n}`) as [string, string, string];

/** A fleet that knows both jobs and has measured one of them. */
const fleet: Fleet = {
  slots: new Map([['default', 10]]),
  knows: new Set(['suite.quick@1', 'suite.fresh@1']),
  runMs: new Map([['suite.quick', 10]]),
};

const { db, jobsDb, close } = await openTestPools();

afterAll(close);

beforeEach(async () => {
  await forgetJobs(jobsDb);
});

const add = (job: typeof quick, count: number, tenant = tenants[0]) =>
  withTenant(db, tenant, (tx) =>
    enqueueMany(
      tx,
      job,
      Array.from({ length: count }, () => ({ payload: {} })),
    ),
  );
const claimed = (freePacks: number, more: Partial<Parameters<typeof claim>[1]> = {}) =>
  claim(jobsDb, { queue: 'default', freePacks, rowsPerPack: 20, fleet, afterLane: null, ...more });
const sizes = (packs: readonly { rows: unknown[] }[]) => packs.map((pack) => pack.rows.length).sort((a, b) => b - a);

describe('claim', () => {
  it('sends one row per pack while there are packs enough', async () => {
    await add(quick, 5);
    expect(sizes((await claimed(8)).packs)).toEqual([1, 1, 1, 1, 1]);
  });

  it('fills packs evenly under load, up to fifty milliseconds of measured run time', async () => {
    await add(quick, 10);
    expect(sizes((await claimed(3)).packs)).toEqual([4, 4, 2]);
    await add(quick, 50);
    expect(sizes((await claimed(3)).packs)).toEqual([5, 5, 5]);
  });

  it('lets rows share a pack that run together for two milliseconds at most, though packs are free', async () => {
    await add(quick, 50);
    const { packs } = await claimed(60, { fleet: { ...fleet, runMs: new Map([['suite.quick', 0.1]]) } });
    expect(sizes(packs)).toEqual([20, 20, 10]);
  });

  it('claims no more than the packs that are free, and leaves the rest pending', async () => {
    await add(quick, 35);
    expect(sizes((await claimed(3)).packs)).toEqual([5, 5, 5]);
    expect(await jobsDb.sql`select 1 from jobs.status where state = 'pending'`).toHaveLength(20);
  });

  it('tells whether it took all that was due', async () => {
    await add(quick, 12, tenants[0]);
    await add(quick, 1, tenants[1]);
    // Of the first tenant as many rows as it had a share: there may be more.
    expect(await claimed(3, { rowsPerPack: 2 })).toMatchObject({ drained: false, left: false });
    // What lies before the cursor was not seen.
    expect(await claimed(100, { afterLane: tenants[0] })).toMatchObject({ packs: [], drained: false });
    expect(await claimed(100)).toMatchObject({ drained: true });
    expect(await jobsDb.sql`select 1 from jobs.due`).toEqual([]);
  });

  it('sends a job whose run time nobody knows alone', async () => {
    await add(fresh, 9);
    expect(sizes((await claimed(3)).packs)).toEqual([1, 1, 1]);
  });

  it('sends a row that took a worker down alone', async () => {
    await add(quick, 9);
    await jobsDb.sql`update jobs.due set alone = true`;
    expect(sizes((await claimed(3)).packs)).toEqual([1, 1, 1]);
  });

  it('never mixes jobs in a pack', async () => {
    await add(quick, 10);
    await add(fresh, 2);
    const { packs } = await claimed(3);
    const names = await jobsDb.sql<{ jobs: number }[]>`
      select count(distinct job.name)::int as jobs
      from jobs.pack cross join lateral unnest(job_ids) as member (id) join jobs.job on job.id = member.id group by pack.id`;
    expect(packs).toHaveLength(3);
    expect(names.every((row) => row.jobs === 1)).toBe(true);
  });

  it('takes tenants in turn', async () => {
    await add(quick, 40, tenants[0]);
    await add(quick, 1, tenants[1]);
    await add(quick, 1, tenants[2]);
    await claimed(1);
    const served = await jobsDb.sql<{ tenant: string }[]>`
      select distinct tenant_id as tenant from jobs.status where state = 'dispatched' order by 1`;
    expect(served.map((row) => row.tenant)).toEqual(tenants);
  });

  it('goes on behind the tenant that was served last', async () => {
    await add(quick, 3, tenants[0]);
    await add(quick, 3, tenants[1]);
    const { packs } = await claimed(100, { afterLane: tenants[0] });
    expect(packs.flatMap((pack) => pack.rows.map((row) => row.lane))).toEqual(Array(3).fill(tenants[1]));
    expect(await claimed(100, { afterLane: tenants[1] })).toMatchObject({ packs: [], lastLane: null, left: false });
  });

  it('gives each tenant its turn when one slot at a time becomes free', async () => {
    for (const tenant of tenants) await add(fresh, 4, tenant);
    const served: (string | undefined)[] = [];
    let afterLane: string | null = null;
    for (let claims = 0; claims < 8; claims++) {
      const { packs, lastLane } = await claimed(1, { afterLane });
      served.push(...packs.map((pack) => pack.rows[0]?.lane));
      afterLane = lastLane;
    }
    expect(served.slice(0, 3).sort()).toEqual(tenants);
    for (const tenant of tenants) expect(served.filter((lane) => lane === tenant).length).toBeGreaterThanOrEqual(2);
  });

  it('passes over no tenant when there are more than it looks at', async () => {
    const many = Array.from(
      { length: 70 },
      (_, n) => `018f0000-0000-7000-8000-0000000001${String(n).padStart(2, '0')}`,
    );
    for (const tenant of many) await add(fresh, 2, tenant);
    const served: (string | undefined)[] = [];
    let afterLane: string | null = null;
    for (let claims = 0; claims < 15 && served.length < 140; claims++) {
      const { packs, lastLane } = await claimed(7, { afterLane });
      served.push(...packs.map((pack) => pack.rows[0]?.lane));
      afterLane = lastLane;
    }
    expect(served.slice(0, 70)).toEqual(many);
  });

  it('takes a kind in its turn though the tenant behind it could share a pack', async () => {
    await add(quick, 40, tenants[0]);
    await add(fresh, 3, tenants[1]);
    await add(quick, 40, tenants[2]);
    const served: string[] = [];
    let afterLane: string | null = null;
    for (let claims = 0; claims < 3; claims++) {
      const { packs, lastLane } = await claimed(1, { afterLane });
      served.push(...packs.map((pack) => pack.name));
      afterLane = lastLane;
    }
    expect(served).toContain(fresh.name);
  });

  it('takes the lowest priority of a tenant first, then the oldest', async () => {
    const task = (priority?: number) => ({ payload: {}, ...(priority === undefined ? {} : { priority }) });
    const ids = await withTenant(db, tenants[0], (tx) =>
      enqueueMany(tx, fresh, [task(5), task(), task(-3), task(5), task(-3)]),
    );
    const [late, usual, first, last, second] = ids;
    const order: string[] = [];
    for (let claims = 0; claims < 5; claims++) {
      const { packs } = await claimed(1);
      order.push(...packs.flatMap((pack) => pack.rows.map((row) => row.id)));
    }
    expect(order).toEqual([first, second, usual, late, last]);
  });

  describe('of a limited kind', () => {
    const limit = (job: typeof quick, concurrency = 1) => ({ ...job, concurrency }) as never;
    const many = (count: number) =>
      Array.from({ length: count }, (_, n) => `018f0000-0000-7000-8000-0000000001${String(n).padStart(2, '0')}`);
    /** What one dispatcher claims while packs end: every claim in which there is room is followed by one in which there is none. */
    const dispatcher = (freePacks = 8) => {
      const turns = new Map<string, string | null>();
      let afterLane: string | null = null;
      const once = async () => {
        const { packs, ...found } = await claimed(freePacks, { turns, afterLane });
        afterLane = found.lastLane;
        for (const [kind, lane] of found.turns as Turns) turns.set(kind, lane);
        return packs;
      };
      return async () => {
        const packs = await once();
        expect(await once()).toEqual([]);
        await jobsDb.sql`delete from jobs.pack`;
        return packs.flatMap((pack) => pack.rows.map((row) => row.lane));
      };
    };
    const served = async (claims: number, next: () => Promise<string[]>) => {
      const times = new Map<string, number>();
      for (let claim = 0; claim < claims; claim++)
        for (const lane of await next()) times.set(lane, (times.get(lane) ?? 0) + 1);
      return [...times.values()];
    };

    it('gives each tenant its turn when one pack at a time may be out', async () => {
      for (const tenant of tenants) await add(limit(fresh), 10, tenant);
      expect(await served(6, dispatcher())).toEqual([2, 2, 2]);
    });

    it('gives each tenant its turn where a pack takes rows of several, or a batch those of one', async () => {
      for (const tenant of many(8)) await add(limit(quick), 10, tenant);
      expect(await served(2, dispatcher(1))).toHaveLength(8);
      await forgetJobs(jobsDb);
      for (const tenant of tenants) await add(limit({ ...quick, batch: 4 } as never), 8, tenant);
      expect(await served(6, dispatcher())).toEqual([8, 8, 8]);
    });

    it('gives each tenant its turn when there are more lines than a claim looks at', async () => {
      for (const tenant of many(70)) await add(limit(fresh), 2, tenant);
      expect(await served(70, dispatcher())).toEqual(Array(70).fill(1));
    });

    it('gives each tenant as many turns whichever of several dispatchers claims', async () => {
      for (const tenant of tenants.slice(0, 2)) await add(limit(fresh), 10, tenant);
      const dispatchers = [dispatcher(), dispatcher(), dispatcher()];
      let claims = 0;
      expect(await served(12, async () => (dispatchers[claims++ % 3] as () => Promise<string[]>)())).toEqual([6, 6]);
    });

    it('begins anywhere, so that many dispatchers do not all begin with the same tenant', async () => {
      for (const tenant of tenants.slice(0, 2)) await add(limit(fresh), 41, tenant);
      // Where the two lanes lie, one of them comes first in a third of the cases or more; 40 at once would be one in ten millions.
      expect(await served(40, () => dispatcher()())).toHaveLength(2);
    });

    it('begins with what must travel alone and has waited longest: those behind it may travel along in any pack', async () => {
      for (const tenant of tenants) await add(limit(quick), 20, tenant);
      const suspects = await jobsDb.sql<{ id: string }[]>`
        update jobs.due set alone = true
        where job_id in (select distinct on (lane) job_id from jobs.due order by lane, run_at, job_id) returning job_id as id`;
      const oldestFirst = suspects.map(({ id }) => id).sort();
      expect(oldestFirst).toHaveLength(3);
      for (const id of oldestFirst) {
        const { packs } = await claimed(1, { turns: new Map() });
        expect(packs.map((pack) => pack.rows.map((row) => row.id))).toEqual([[id]]);
        await jobsDb.sql`delete from jobs.pack`;
      }
    });

    it('holds up nothing of other kinds', async () => {
      await add(limit(fresh), 10, tenants[0]);
      await add(limit(fresh), 10, tenants[1]);
      await add(quick, 3, tenants[2]);
      const { packs, left } = await claimed(8, { turns: new Map() });
      const names = packs.flatMap((pack) => pack.rows.map(() => pack.name));
      expect(names.sort()).toEqual([fresh.name, quick.name, quick.name, quick.name]);
      expect(left).toBe(true);
    });
  });

  it('gives each of the few rows of an idle queue its own pack, at once', async () => {
    await add(quick, 3, tenants[0]);
    await add(fresh, 1, tenants[1]);
    const { packs, clear } = await claimed(8, { idle: true });
    expect(clear).toBe(true);
    expect(sizes(packs)).toEqual([1, 1, 1, 1]);
    expect(await jobsDb.sql`select 1 from jobs.due`).toEqual([]);
    expect(await misplacedJobs(jobsDb)).toEqual([]);
  });

  it('looks closer where an idle queue holds more than a few, or one that nobody knows', async () => {
    await add(quick, 5);
    const many = await claimed(8, { idle: true });
    expect([many.clear, sizes(many.packs)]).toEqual([false, [1, 1, 1, 1, 1]]);
    await add(quick, 1);
    const { packs, clear } = await claimed(8, { idle: true, fleet: { ...fleet, knows: new Set(['suite.fresh@1']) } });
    expect([clear, packs]).toEqual([false, []]);
    expect(await misplacedJobs(jobsDb)).toEqual([]);
  });

  it.each([true, false])(
    'sends a job that may be started once alone, however it came into the line (idle: %s)',
    async (idle) => {
      const once = { ...quick, attempts: 1 };
      for (const options of [{}, {}, { key: 'a' }, { key: 'b' }])
        await withTenant(db, tenants[0], (tx) => enqueue(tx, once, {}, options));
      await add(once, 2);
      const packs = (await claimed(2, { idle })).packs;
      expect(sizes(packs)).toEqual([1, 1]);
      await returnPacks(
        jobsDb.sql,
        packs.map((pack) => pack.id),
        false,
      );
      expect(sizes((await claimed(3, { idle })).packs)).toEqual([1, 1, 1]);
      expect(sizes((await claimed(9, { idle })).packs)).toEqual([1, 1, 1]);
    },
  );

  it.each([true, false])(
    'takes a job with a key together with its key, and none that is too late (idle: %s)',
    async (idle) => {
      await withTenant(db, tenants[0], (tx) =>
        enqueueMany(tx, quick, [
          { payload: {}, key: 'k' },
          { payload: {}, discardAfter: new Date(Date.now() - 1_000) },
          { payload: {}, discardAfter: new Date(Date.now() + 60_000) },
        ]),
      );
      expect(sizes((await claimed(8, { idle })).packs)).toEqual([1, 1]);
      expect(await jobsDb.sql`select 1 from jobs.key`).toEqual([]);
      expect(await jobsDb.sql`select 1 from jobs.due where discard_after < now()`).toHaveLength(1);
      expect(await jobsDb.sql`select 1 from jobs.due`).toHaveLength(1);
    },
  );

  it('leaves what is too late where it is, also when nothing else keeps it from going out at once', async () => {
    await withTenant(db, tenants[0], (tx) =>
      enqueueMany(tx, quick, [{ payload: {} }, { payload: {}, discardAfter: new Date(Date.now() - 1_000) }]),
    );
    const { packs, clear } = await claimed(8, { idle: true });
    expect([clear, sizes(packs)]).toEqual([true, [1]]);
    expect(await jobsDb.sql`select 1 from jobs.due where discard_after < now()`).toHaveLength(1);
  });

  it('holds an idle queue to the limit of a kind, too', async () => {
    await add({ ...quick, concurrency: 2 } as never, 4);
    const knows = { ...fleet, runMs: new Map() };
    expect((await claimed(8, { idle: true, fleet: knows })).packs).toHaveLength(2);
    expect((await claimed(8, { idle: true, fleet: knows })).packs).toHaveLength(0);
  });

  it('skips what nobody alive knows', async () => {
    await add(quick, 3);
    expect((await claimed(8, { fleet: { ...fleet, knows: new Set(['suite.fresh@1']) } })).packs).toEqual([]);
  });

  it('shares rows among dispatchers without handing one out twice', async () => {
    await add(quick, 60);
    const all = await Promise.all(Array.from({ length: 5 }, () => claimed(2)));
    const ids = all.flatMap((one) => one.packs.flatMap((pack) => pack.rows.map((row) => row.id)));
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.length).toBeGreaterThan(0);
  });

  it('hands out nothing of a paused queue when nobody has looked', async () => {
    await add(quick, 2);
    await jobsDb.sql`insert into jobs.queue (name, paused_at) values ('default', now())`;
    const few = () => claimFew(jobsDb, { queue: 'default', freePacks: 8, fleet, unasked: true });
    expect(await few()).toEqual([]);
    await jobsDb.sql`delete from jobs.queue`;
    expect(await few()).toHaveLength(2);
  });

  it('does not wait for the disk itself, and leaves its session as it was', async () => {
    const { sql } = jobsDb;
    const waits = () =>
      sql.begin(async (tx) => {
        const claimedHere = await claim(
          { ...jobsDb, sql: { begin: (work: (on: typeof tx) => unknown) => work(tx) } } as never,
          {
            queue: 'default',
            freePacks: 8,
            rowsPerPack: 20,
            fleet,
            afterLane: null,
          },
        );
        const [row] = await tx<{ waits: string }[]>`select current_setting('synchronous_commit') as waits`;
        return [claimedHere.packs.length, row?.waits];
      });
    await add(quick, 1);
    expect(await waits()).toEqual([1, 'off']);
    await add(quick, 1);
    expect((await claimed(8, { idle: true })).packs).toHaveLength(1);
    const settings = await Promise.all(
      Array.from({ length: 10 }, () => sql<{ waits: string }[]>`select current_setting('synchronous_commit') as waits`),
    );
    expect(new Set(settings.map(([row]) => row?.waits))).toEqual(new Set(['on']));
  });
});
