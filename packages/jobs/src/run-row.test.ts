/** What a handler may do, and what becomes of its job: as a worker runs it, on each queue. */
import { sqlOf } from '@ballast/db';
import { AppError, cancel, snooze } from '@ballast/kernel';
import { queueBackends } from '@ballast/test-kit/queue';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { returnPacks } from './line-up.ts';
import { brief, openWorkers, type Run, registered, tenant, until } from './testing/workers.ts';

describe.each(await Promise.all(queueBackends.map(openWorkers)))('a handler on $backend', (workers) => {
  const { db, jobsDb, work, add, insert, effects, job, becomes, tidy, close } = workers;
  afterEach(tidy);
  afterAll(close);

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
    const run: Run = async ({ payload, ctx }) => {
      if (ctx.attempt === 1) {
        await release.promise;
        await ctx.transaction(insert(payload.n, ctx)).catch((error) => late.push(error.code));
        return;
      }
      await ctx.transaction(insert(payload.n, ctx));
    };
    await work(run, { jobs: [registered(brief, run)] });
    const id = await add(1);
    await becomes(id, 'done');
    release.resolve();
    await until(async () => expect(late).toEqual(['jobs.door_closed']));
    expect(await effects()).toEqual([{ n: 1, attempt: 2 }]);
  });
});
