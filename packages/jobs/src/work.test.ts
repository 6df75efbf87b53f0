import { setTimeout as sleep } from 'node:timers/promises';
import { withTenant } from '@ballast/db';
import { queueBackends, silentLog } from '@ballast/test-kit/queue';
import { startStopwatch } from '@ballast/test-kit/stopwatch';
import { Redis } from 'ioredis';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { enqueue, enqueueMany } from './enqueue.ts';
import { sweep } from './sweep.ts';
import { addPacks } from './testing/add-packs.ts';
import { effect, openWorkers, type Run, tenant, until } from './testing/workers.ts';
import { startWatchdog } from './watchdog.ts';

describe.each(await Promise.all(queueBackends.map(openWorkers)))('a worker on $backend', (workers) => {
  const { backend, db, jobsDb, queue, work, add, insert, effects, job, becomes, tidy, close } = workers;
  afterEach(tidy);
  afterAll(close);

  /** Hands jobs out without adding the pack to the queue; `opened` by a runner of which nobody knows. */
  async function pack(ids: string[], { opened = false, minutesAgo = 0 } = {}): Promise<string> {
    const [row] = await jobsDb.sql<{ id: string }[]>`
      with gone as (delete from jobs.due where job_id = any(${ids}::uuid[]))
      insert into jobs.pack (id, queue, name, job_ids, dispatched_at, runner_id, opened_at)
      values (gen_random_uuid(), 'default', ${effect.name}, ${ids}::uuid[], now() - ${minutesAgo} * interval '1 minute',
              ${opened ? tenant : null}, now())
      returning id`;
    return (row as { id: string }).id;
  }

  it('hands back what it cannot finish within the grace time, uncharged', async () => {
    const started = Promise.withResolvers<void>();
    const worker = await work(async ({ ctx }) => {
      started.resolve();
      await new Promise((_, reject) => ctx.signal.addEventListener('abort', () => reject(ctx.signal.reason)));
    });
    const id = await add(1);
    const placeOf = () => jobsDb.sql`select run_at::text as at from jobs.job where id = ${id}`;
    const place = await placeOf();
    await started.promise;
    await worker.close({ graceMs: 50 });
    expect(await job(id)).toMatchObject({ state: 'pending', attempt: 0, failures: [] });
    // It does not go behind what was added after it.
    expect(await placeOf()).toEqual(place);
  });

  it('starts nothing a second time that may start once: what it had begun and cannot finish is dead', async () => {
    const once = { ...effect, name: 'suite.once', attempts: 1 };
    const started = Promise.withResolvers<void>();
    const run: Run = async ({ ctx }) => {
      started.resolve();
      await new Promise((_, reject) => ctx.signal.addEventListener('abort', () => reject(ctx.signal.reason)));
    };
    const load = async () => ({ job: once, run: run as never });
    const worker = await work(run, { jobs: [{ job: once as never, load }] });
    const id = await withTenant(db, tenant, (tx) => enqueue(tx, once, { n: 1 }));
    await started.promise;
    await worker.close({ graceMs: 50 });
    expect(await job(id)).toMatchObject({
      state: 'dead',
      attempt: 1,
      failures: [expect.stringMatching(/^The end of its process cut it off\..*retry it to start it again/)],
    });
  });

  it('hands back what ignores its signal, too, and what waits behind it: others begin both at once', async () => {
    const started = Promise.withResolvers<void>();
    const never = new Promise<void>(() => {});
    const stubborn = await work(
      async () => {
        started.resolve();
        await never;
      },
      { queues: { default: 1 } },
    );
    const ids = [await add(1)];
    await started.promise;
    ids.push(await add(2));
    await until(async () => expect(await job(ids[1] as string)).toMatchObject({ state: 'dispatched' }));
    await stubborn.close({ graceMs: 50 });
    expect(await job(ids[0] as string)).toMatchObject({ state: 'pending', attempt: 0 });
    const watch = startStopwatch();
    await work(async ({ payload, ctx }) => ctx.transaction(insert(payload.n, ctx)));
    for (const id of ids) await becomes(id, 'done');
    // Waiting for a lock to run out takes sixteen seconds, and for silence fifteen.
    expect(watch.stop()).toBeLessThan(12_000);
    expect(await effects()).toEqual([
      { n: 1, attempt: 1 },
      { n: 2, attempt: 1 },
    ]);
  });

  it('leaves a version that nobody knows waiting, and runs it when somebody does', async () => {
    await work(async () => {});
    const next = { ...effect, version: 2 };
    const id = await withTenant(db, tenant, (tx) => enqueue(tx, next, { n: 1 }));
    await add(2).then((known) => becomes(known, 'done'));
    expect(await job(id)).toMatchObject({ state: 'pending', attempt: 0 });
  });

  it('does not run what grew stale or is not due', async () => {
    const stale = await add(1, { discardAfter: new Date(Date.now() - 1_000) });
    const later = await add(2, { runAt: new Date(Date.now() + 3_600_000) });
    await work(async ({ payload, ctx }) => ctx.transaction(insert(payload.n, ctx)));
    await becomes(await add(3), 'done');
    expect(await effects()).toEqual([{ n: 3, attempt: 1 }]);
    await sweep({ db: jobsDb, transport: queue.open(), log: silentLog });
    expect(await job(stale)).toMatchObject({ state: 'cancelled' });
    expect(await job(later)).toMatchObject({ state: 'pending' });
  });

  it('returns rows whose pack the queue does not know, uncharged', async () => {
    const id = await add(1);
    await pack([id]);
    const transport = queue.open();
    const options = { db: jobsDb, transport, log: silentLog };
    expect(await sweep(options)).toMatchObject({ lost: 0 });
    expect(await sweep({ ...options, settledAfterMs: 0 })).toMatchObject({ lost: 1 });
    expect(await job(id)).toMatchObject({ state: 'pending', attempt: 0 });
    await transport.close();
  });

  it('returns rows of a silent runner: those that were charged stay so, neighbours are not, all alone from now on', async () => {
    const [started, last] = [await add(1), await add(2)];
    const neighbours = [await add(3), await add(4)];
    await pack(neighbours, { opened: true });
    await pack([started], { opened: true });
    await jobsDb.sql`update jobs.job set attempt = 1, started_at = now() where id = ${started}`;
    await pack([last], { opened: true });
    await jobsDb.sql`update jobs.job set attempt = 3, started_at = now() where id = ${last}`;
    const transport = queue.open();
    expect(await sweep({ db: jobsDb, transport, log: silentLog })).toMatchObject({ orphaned: 4 });
    await transport.close();
    const rows = await jobsDb.sql`select state, attempt, alone from jobs.status order by id`;
    expect(rows).toEqual([
      { state: 'pending', attempt: 1, alone: true },
      { state: 'dead', attempt: 3, alone: true },
      { state: 'pending', attempt: 0, alone: true },
      { state: 'pending', attempt: 0, alone: true },
    ]);
  });

  if (backend === 'redis')
    it('knows within five seconds that the queue was wiped, and runs what waited', async () => {
      const gate = Promise.withResolvers<void>();
      const first = await work(
        async ({ payload, ctx }) => {
          await gate.promise;
          await ctx.transaction(insert(payload.n, ctx));
        },
        { queues: { default: 1 } },
      );
      const ids = await withTenant(db, tenant, (tx) =>
        enqueueMany(
          tx,
          effect,
          Array.from({ length: 10 }, (_, n) => ({ payload: { n } })),
        ),
      );
      await until(async () => expect(first.inFlight()).toBe(1));
      const redis = new Redis(queue.redis?.url ?? '');
      await redis.flushall();
      const watch = startStopwatch();
      gate.resolve();
      await until(async () => expect(await redis.get('ballast:epoch')).not.toBeNull());
      expect(watch.stop()).toBeLessThan(5_000);
      await redis.quit();
      for (const id of ids) await becomes(id, 'done');
      expect(await effects()).toHaveLength(10);
    });

  it('ends itself when packs wait that it does not take', async () => {
    const id = await add(1);
    const wedged = Promise.withResolvers<string>();
    const transport = queue.open();
    const packId = await pack([id], { minutesAgo: 1 });
    await addPacks(transport, [packId]);
    const dog = startWatchdog({
      db: jobsDb,
      transport,
      log: silentLog,
      idleQueues: () => ['default'],
      onWedged: () => wedged.resolve('ended'),
      idleMs: 1_000,
      everyMs: 50,
    });
    // What waited while this process was frozen says nothing about it: it has to be idle that long once it is awake.
    await sleep(200);
    const frozenMs = 1_500;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, frozenMs);
    const awakeAt = performance.now();
    expect(await wedged.promise).toBe('ended');
    expect(performance.now() - awakeAt).toBeGreaterThanOrEqual(1_000);
    dog.close();
    await work(async () => {});
    await becomes(id, 'done');
    await transport.close();
  });

  it('runs every job once on three workers', async () => {
    const run: Run = async ({ payload, ctx }) => ctx.transaction(insert(payload.n, ctx));
    await Promise.all([work(run), work(run), work(run)]);
    const items = Array.from({ length: 300 }, (_, n) => ({ payload: { n } }));
    await withTenant(db, tenant, (tx) => enqueueMany(tx, effect, items));
    // As long as it takes: beside other work, three hundred transactions took half a minute.
    await vi.waitFor(async () => expect(await jobsDb.sql`select 1 from jobs.job where state = 'open'`).toEqual([]), {
      timeout: 100_000,
      interval: 100,
    });
    const [counted] = await db.sql`select count(*)::int as rows, count(distinct n)::int as jobs from effect`;
    expect(counted).toEqual({ rows: 300, jobs: 300 });
  });

  it('gives another tenant its turn before a long backlog ends', async () => {
    const order: number[] = [];
    const items = Array.from({ length: 300 }, (_, n) => ({ payload: { n } }));
    await withTenant(db, tenant, (tx) => enqueueMany(tx, effect, items));
    const other = '018f0000-0000-7000-8000-0000000000ff';
    await withTenant(db, other, (tx) => enqueue(tx, effect, { n: -1 }));
    await work(async ({ payload }) => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      order.push(payload.n);
    });
    await until(async () => expect(order).toContain(-1));
    expect(order.indexOf(-1)).toBeLessThan(100);
  });
});
