/** Runs that are over while a transaction of their handler is still open: it holds the job's row, and nobody else may wait for that. */

import { sqlOf, type Tx } from '@ballast/db';
import { defineBatchHandler, type JobContext } from '@ballast/kernel';
import { openPatiently } from '@ballast/test-kit/pools';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { brief, openWorkers, type Run, registered, tenant, until } from './testing/workers.ts';
import type { WorkerOptions } from './work.ts';

const workers = await openWorkers('postgres');
const { appUrl, jobsDb, add, insert, effects, job, becomes, tidy, close } = workers;
const work = (run: Run, more: Partial<WorkerOptions<null>> = {}) =>
  workers.work(run, { jobs: [registered(brief, run)], ...more });
const tookTooLong = `The run took longer than ${brief.timeoutMs} ms.`;

let release = async () => {};

afterEach(async () => {
  await release();
  await tidy();
});
afterAll(close);

/** Whoever asks for the lock waits for `release`. */
async function holdLock(): Promise<void> {
  const held = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  const holding = jobsDb.sql.begin(async (sql) => {
    await sql`select pg_advisory_xact_lock(1)`;
    held.resolve();
    await released.promise;
  });
  await held.promise;
  release = async () => {
    released.resolve();
    await holding;
  };
}
const waitForLock = (tx: Tx) => sqlOf(tx)`select pg_advisory_xact_lock(1)`;
const runIsOver = ({ step }: JobContext<Tx>) =>
  until(() =>
    expect(step('late', async () => {})).rejects.toHaveProperty(
      'internal',
      expect.stringContaining('the run has ended'),
    ),
  );

describe('a handler that outlasts its time inside ctx.transaction', () => {
  it.each(['commits', 'fails'])('keeps nobody waiting, and its job is as that transaction ends: it %s', async (how) => {
    const begun = Promise.withResolvers<JobContext<Tx>>();
    await work(async ({ payload, ctx }) => {
      if (payload.n === 2) return;
      await ctx.transaction(async (tx) => {
        await insert(payload.n, ctx)(tx);
        if (ctx.attempt > 1) return;
        begun.resolve(ctx);
        await waitForLock(tx);
        if (how === 'fails') throw new Error('too late anyway');
      });
    });
    await holdLock();
    const id = await add(1);
    await runIsOver(await begun.promise);
    // Nobody lets the lock go before it is.
    await becomes(await add(2), 'done');
    expect(await job(id)).toMatchObject({ state: 'dispatched', failures: [] });
    await release();
    await becomes(id, 'done');
    const attempt = how === 'commits' ? 1 : 2;
    expect(await job(id)).toMatchObject({
      attempt,
      failures: how === 'commits' ? [] : [tookTooLong],
    });
    expect(await effects()).toEqual([{ n: 1, attempt }]);
  });

  it('is rid of it by the limit of its pool, and its job runs again', async () => {
    const short = openPatiently({ url: appUrl, transactionTimeoutMs: 15_000 });
    await work(
      ({ payload, ctx }) =>
        ctx.transaction(async (tx) => {
          await insert(payload.n, ctx)(tx);
          if (ctx.attempt === 1) await new Promise(() => {});
        }),
      { db: short },
    );
    const id = await add(1);
    await becomes(id, 'done');
    expect(await job(id)).toMatchObject({ attempt: 2, failures: [tookTooLong] });
    expect(await effects()).toEqual([{ n: 1, attempt: 2 }]);
    await short.close();
  });

  it('begins no other try of it after a conflict', async () => {
    const begun = Promise.withResolvers<JobContext<Tx>>();
    const tries: number[] = [];
    await work(({ payload, ctx }) =>
      ctx.transaction(async (tx) => {
        tries.push(ctx.attempt);
        await insert(payload.n, ctx)(tx);
        if (ctx.attempt > 1) return;
        begun.resolve(ctx);
        await waitForLock(tx);
        await sqlOf(tx)`do $$ begin raise exception 'could not serialize access' using errcode = '40001'; end $$`;
      }),
    );
    await holdLock();
    const id = await add(1);
    await runIsOver(await begun.promise);
    await release();
    await becomes(id, 'done');
    expect(tries).toEqual([1, 2]);
  });

  it('may still commit while its process ends', async () => {
    const begun = Promise.withResolvers<JobContext<Tx>>();
    const worker = await work(({ payload, ctx }) =>
      ctx.transaction(async (tx) => {
        await insert(payload.n, ctx)(tx);
        begun.resolve(ctx);
        await waitForLock(tx);
      }),
    );
    await holdLock();
    const id = await add(1);
    const ctx = await begun.promise;
    const closed = worker.close({ graceMs: 50 });
    await runIsOver(ctx);
    await release();
    await closed;
    expect(await job(id)).toMatchObject({ state: 'done', attempt: 1, failures: [] });
    expect(await effects()).toEqual([{ n: 1, attempt: 1 }]);
  });
});

describe('a handler that returns without waiting for its transaction', () => {
  it.each(['commits', 'fails'])('is done when that is, and not before: it %s', async (how) => {
    const begun = Promise.withResolvers<JobContext<Tx>>();
    await work(async ({ payload, ctx }) => {
      const writes = ctx.transaction(async (tx) => {
        await insert(payload.n, ctx)(tx);
        if (ctx.attempt > 1) return;
        begun.resolve(ctx);
        await waitForLock(tx);
        if (how === 'fails') throw new Error('nobody waited for this');
      });
      await (ctx.attempt > 1 ? writes : begun.promise);
    });
    await holdLock();
    const id = await add(1);
    await runIsOver(await begun.promise);
    expect(await job(id)).toMatchObject({ state: 'dispatched' });
    await release();
    await becomes(id, 'done');
    expect((await job(id))?.failures).toEqual(how === 'commits' ? [] : ['nobody waited for this']);
    expect(await effects()).toEqual([{ n: 1, attempt: how === 'commits' ? 1 : 2 }]);
  });
});

describe('a batch handler that outlasts its time inside its transaction', () => {
  const batch = { ...brief, batch: 10 };

  it.each(['commits', 'fails'])(
    'keeps nobody waiting, and its jobs are as that transaction ends: it %s',
    async (how) => {
      const begun = Promise.withResolvers<AbortSignal>();
      let calls = 0;
      const handler = defineBatchHandler<{ n: number }, Tx, null>(batch, async ({ items, ctx }) => {
        if (items.every((item) => item.payload.n === 3)) return undefined;
        calls += 1;
        const late = calls === 1;
        await ctx.transaction(items, async (tx, live) => {
          await sqlOf(tx)`
          insert into effect select n, ${tenant}, 0 from unnest(${live.map((item) => item.payload.n)}::int[]) as n`;
          if (!late) return undefined;
          begun.resolve(ctx.signal);
          await waitForLock(tx);
          if (how === 'fails') throw new Error('too late anyway');
          return undefined;
        });
        return undefined;
      });
      await holdLock();
      const ids = [await add(1), await add(2)];
      await jobsDb.sql`update jobs.due set batch = 10`;
      const told: string[] = [];
      const tell = (_: object, message: string) => void told.push(message);
      const log = { debug() {}, info() {}, warn: tell, error: tell };
      await work(async () => {}, { jobs: [{ job: batch as never, load: async () => handler as never }], log });
      await begun.promise;
      await until(async () => expect(told).toContain('run ended inside its transaction; its outcome waits for that'));
      // Nobody lets the lock go before it is.
      await becomes(await add(3), 'done');
      expect(await job(ids[0] as string)).toMatchObject({ state: 'dispatched', failures: [] });
      await release();
      for (const id of ids) await becomes(id, 'done');
      const failures = how === 'commits' ? [] : [tookTooLong];
      for (const id of ids) expect(await job(id)).toMatchObject({ failures });
      expect((await effects()).map(({ n }) => n)).toEqual([1, 2]);
    },
  );
});
