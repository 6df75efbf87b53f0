import { setTimeout as sleep } from 'node:timers/promises';
import { type Database, openDatabase, sqlOf, type Tx, withTenant } from '@ballast/db';
import { AppError, cancel, defineJob, type JobContext, snooze } from '@ballast/kernel';
import { createTestDatabase, type TestDatabase } from '@ballast/test-kit/database';
import { queueBackends, silentLog, startQueue, type TestQueue } from '@ballast/test-kit/queue';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { enqueue, enqueueMany } from './enqueue.ts';
import { returnPacks } from './line-up.ts';
import { sweep } from './sweep.ts';
import { forgetJobs, misplacedJobs } from './testing.ts';
import type { Transport } from './transport.ts';
import { startWatchdog } from './watchdog.ts';
import { type RegisteredJob, type RunningWorker, startWorker, type WorkerOptions } from './work.ts';

const tenant = '018f0000-0000-7000-8000-000000000001';
const effect = defineJob({
  name: 'suite.effect',
  payload: z.strictObject({ n: z.int() }),
  attempts: 3,
  backoff: { firstMs: 10, maxMs: 10 },
  timeoutMs: 1_000,
});

type Run = (input: { payload: { n: number }; ctx: JobContext<Tx> }) => Promise<unknown>;

describe.each(queueBackends)('a worker on %s', (backend) => {
  let database: TestDatabase;
  let db: Database;
  let jobsDb: Database;
  let queue: TestQueue;
  const workers: { worker: RunningWorker; transport: Transport }[] = [];

  beforeAll(async () => {
    database = await createTestDatabase();
    db = openDatabase({ url: database.appUrl, applicationName: 'suite' });
    jobsDb = openDatabase({ url: database.dispatcherUrl, applicationName: 'suite' });
    const owner = openDatabase({ url: database.ownerUrl, applicationName: 'suite' });
    await owner.sql.unsafe(
      `create table effect (n integer, tenant_id uuid, attempt integer); grant all on effect to ballast_app`,
      [],
      { prepare: false },
    );
    await owner.close();
    queue = await startQueue(backend, database);
  });

  afterEach(async () => {
    for (const { worker, transport } of workers.splice(0)) {
      await worker.close({ graceMs: 5_000 });
      await transport.close();
    }
    expect(await misplacedJobs(jobsDb)).toEqual([]);
    await forgetJobs(jobsDb);
    await db.sql`delete from effect`;
  });

  afterAll(async () => {
    await Promise.all([db.close(), jobsDb.close()]);
    await queue.stop();
    await database.drop();
  });

  async function work(run: Run, more: Partial<WorkerOptions<null>> = {}): Promise<RunningWorker> {
    const transport = queue.open();
    const registered: RegisteredJob<null> = {
      job: effect as RegisteredJob['job'],
      load: async () => ({ job: effect, run: run as never }),
    };
    const worker = await startWorker({
      db,
      jobsDb,
      transport,
      jobs: [registered],
      services: null,
      queues: { default: 4 },
      log: silentLog,
      release: 'test',
      ...more,
    });
    workers.push({ worker, transport });
    return worker;
  }

  const add = (n: number, options = {}) => withTenant(db, tenant, (tx) => enqueue(tx, effect, { n }, options));
  const insert = (n: number, ctx: JobContext<Tx>) => async (tx: Tx) => {
    await sqlOf(tx)`insert into effect values (${n}, ballast.tenant_id(), ${ctx.attempt})`;
  };
  const effects = () => db.sql<{ n: number; attempt: number }[]>`select n, attempt from effect order by n`;
  const job = async (id: string) => {
    const [row] = await jobsDb.sql<{ state: string; attempt: number; failures: string[] }[]>`
      select state, attempt, array(select message from jobs.failure where job_id = id order by created_at) as failures
      from jobs.status where id = ${id}`;
    return row;
  };
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
  const until = <Result>(look: () => Promise<Result>) => vi.waitFor(look, { timeout: 25_000, interval: 20 });
  const becomes = (id: string, state: string) => until(async () => expect(await job(id)).toMatchObject({ state }));

  it('takes no more packs at once than its queue hands out in time', async () => {
    const many = { queues: { default: 401 } };
    if (backend === 'postgres')
      return expect(work(async () => {}, many)).rejects.toThrow(
        'This worker would take 401 packs at once, over all its queues. Without Redis a process takes at most 400',
      );
    await work(async () => {}, many);
    await becomes(await add(1), 'done');
  });

  it('commits a handler’s effects and the completion together, in the tenant’s scope', async () => {
    await work(async ({ payload, ctx }) => {
      expect(ctx.tenantId).toBe(tenant);
      await ctx.transaction(insert(payload.n, ctx));
    });
    const id = await add(1);
    await becomes(id, 'done');
    expect(await db.sql`select tenant_id from effect`).toEqual([{ tenant_id: tenant }]);
  });

  it('completes a handler that writes nothing', async () => {
    await work(async () => {});
    await becomes(await add(1), 'done');
  });

  it('rolls back a failed attempt, waits, and counts the next one', async () => {
    await work(async ({ payload, ctx }) => {
      await ctx.transaction(async (tx) => {
        await insert(payload.n, ctx)(tx);
        if (ctx.attempt < 3) throw new Error(`not yet ${ctx.attempt}`);
      });
    });
    const id = await add(7);
    await becomes(id, 'done');
    expect(await effects()).toEqual([{ n: 7, attempt: 3 }]);
    expect(await job(id)).toMatchObject({ attempt: 3, failures: ['not yet 1', 'not yet 2'] });
  });

  it('keeps a dead job with its failures, after its attempts or at once when a repeat cannot help', async () => {
    await work(async ({ payload }) => {
      if (payload.n === 1) throw new Error('always');
      throw new AppError('suite.no', { status: 422, public: 'No.', internal: 'refused' });
    });
    const [tired, refused] = await Promise.all([add(1), add(2)]);
    await becomes(tired as string, 'dead');
    await becomes(refused as string, 'dead');
    expect(await job(tired as string)).toMatchObject({ attempt: 3, failures: ['always', 'always', 'always'] });
    expect(await job(refused as string)).toMatchObject({ attempt: 1, failures: ['suite.no: refused'] });
  });

  it('cancels and snoozes when the handler says so; a snooze is not charged', async () => {
    let turns = 0;
    await work(async ({ payload }) => {
      if (payload.n === 1) return cancel('no longer needed');
      turns += 1;
      return turns < 5 ? snooze(10) : undefined;
    });
    const [cancelled, snoozed] = await Promise.all([add(1), add(2)]);
    await becomes(cancelled as string, 'cancelled');
    await becomes(snoozed as string, 'done');
    expect(await job(snoozed as string)).toMatchObject({ attempt: 1 });
  });

  it('runs a step once over all attempts, and returns what it kept', async () => {
    const seen: unknown[] = [];
    await work(async ({ payload, ctx }) => {
      const kept = await ctx.step('first', async (tx) => {
        await insert(payload.n, ctx)(tx);
        return { attempt: ctx.attempt };
      });
      seen.push(kept);
      if (ctx.attempt < 3) throw new Error('after the step');
    });
    await becomes(await add(1), 'done');
    expect(seen).toEqual([{ attempt: 1 }, { attempt: 1 }, { attempt: 1 }]);
    expect(await effects()).toEqual([{ n: 1, attempt: 1 }]);
  });

  it('reads in the tenant’s scope without writing, completing or keeping anything', async () => {
    const seen: unknown[] = [];
    await work(async ({ payload, ctx }) => {
      seen.push(await ctx.read((tx) => sqlOf(tx)`select ballast.tenant_id() as tenant`));
      await ctx.read(insert(payload.n, ctx)).catch((error) => seen.push(error.message));
      await ctx.transaction(insert(payload.n, ctx));
    });
    await becomes(await add(1), 'done');
    expect(seen).toEqual([[{ tenant }], expect.stringContaining('read-only transaction')]);
    expect(await effects()).toHaveLength(1);
  });

  it('opens one write door: a second transaction, and a step after it, are refused', async () => {
    const refused: unknown[] = [];
    await work(async ({ payload, ctx }) => {
      await ctx.transaction(insert(payload.n, ctx));
      await ctx.transaction(insert(payload.n, ctx)).catch((error) => refused.push(error.code));
      await ctx.step('late', insert(payload.n, ctx)).catch((error) => refused.push(error.code));
    });
    await becomes(await add(1), 'done');
    await until(async () => expect(refused).toEqual(['jobs.door_closed', 'jobs.door_closed']));
    expect(await effects()).toHaveLength(1);
  });

  it('rolls back when its pack was taken away while it ran', async () => {
    const started = Promise.withResolvers<void>();
    const resume = Promise.withResolvers<void>();
    await work(async ({ payload, ctx }) => {
      if (ctx.attempt > 1) return ctx.transaction(insert(payload.n, ctx));
      started.resolve();
      await resume.promise;
      return ctx.transaction(insert(payload.n, ctx));
    });
    const id = await add(1);
    await started.promise;
    await jobsDb.sql`update jobs.pack set runner_id = null`;
    const packs = await jobsDb.sql<{ id: string }[]>`select id from jobs.pack`;
    await returnPacks(
      jobsDb.sql,
      packs.map((pack) => pack.id),
      true,
    );
    await until(async () => expect(await job(id)).toMatchObject({ state: 'done', attempt: 2 }));
    resume.resolve();
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(await effects()).toEqual([{ n: 1, attempt: 2 }]);
  });

  it('takes the turn from a handler that ignores its timeout, and shuts its doors', async () => {
    const late: unknown[] = [];
    const release = Promise.withResolvers<void>();
    await work(async ({ payload, ctx }) => {
      if (ctx.attempt === 1) {
        await release.promise;
        await ctx.transaction(insert(payload.n, ctx)).catch((error) => late.push(error.code));
        return;
      }
      await ctx.transaction(insert(payload.n, ctx));
    });
    const id = await add(1);
    await becomes(id, 'done');
    release.resolve();
    await until(async () => expect(late).toEqual(['jobs.door_closed']));
    expect(await effects()).toEqual([{ n: 1, attempt: 2 }]);
  });

  it('hands back what it cannot finish within the grace time, uncharged', async () => {
    const started = Promise.withResolvers<void>();
    const worker = await work(async ({ ctx }) => {
      started.resolve();
      await new Promise((_, reject) => ctx.signal.addEventListener('abort', () => reject(ctx.signal.reason)));
    });
    const id = await add(1);
    await started.promise;
    await worker.close({ graceMs: 50 });
    expect(await job(id)).toMatchObject({ state: 'pending', attempt: 0, failures: [] });
  });

  it('hands back what ignores its signal, too, and what waits behind it: others begin both at once', {
    timeout: 90_000,
  }, async () => {
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
    const since = performance.now();
    await work(async ({ payload, ctx }) => ctx.transaction(insert(payload.n, ctx)));
    for (const id of ids) await becomes(id, 'done');
    // Waiting for a lock to run out takes sixteen seconds, and for silence fifteen.
    expect(performance.now() - since).toBeLessThan(12_000);
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
      const wipedAt = performance.now();
      gate.resolve();
      await until(async () => expect(await redis.get('ballast:epoch')).not.toBeNull());
      expect(performance.now() - wipedAt).toBeLessThan(5_000);
      await redis.quit();
      for (const id of ids) await becomes(id, 'done');
      expect(await effects()).toHaveLength(10);
    });

  it('ends itself when packs wait that it does not take', async () => {
    const id = await add(1);
    const wedged = Promise.withResolvers<string>();
    const transport = queue.open();
    const packId = await pack([id], { minutesAgo: 1 });
    await transport.add('default', [packId]);
    const dog = startWatchdog({
      db: jobsDb,
      transport,
      log: silentLog,
      idleQueues: () => ['default'],
      onWedged: () => wedged.resolve('ended'),
      idleMs: 300,
      everyMs: 50,
    });
    // What waited while this process was frozen says nothing about it: it has to be idle that long once it is awake.
    await sleep(200);
    const frozenMs = 600;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, frozenMs);
    const awakeAt = performance.now();
    expect(await wedged.promise).toBe('ended');
    expect(performance.now() - awakeAt).toBeGreaterThanOrEqual(300);
    dog.close();
    await work(async () => {});
    await becomes(id, 'done');
    await transport.close();
  });

  it('runs every job once on three workers', { timeout: 120_000 }, async () => {
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
