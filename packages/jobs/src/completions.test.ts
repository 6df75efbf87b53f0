/** Outcomes: written together, repeated while Postgres is away, and only for whoever still has the job. */
import { randomUUID } from 'node:crypto';
import { withTenant } from '@ballast/db';
import { defineJob } from '@ballast/kernel';
import { openPatiently, openTestPools } from '@ballast/test-kit/pools';
import { silentLog } from '@ballast/test-kit/queue';
import { openTcpProxy } from '@ballast/test-kit/tcp-proxy';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { openCompletions, type RowEnding } from './completions.ts';
import { enqueueMany } from './enqueue.ts';
import { forgetJobs, misplacedJobs } from './testing.ts';

const tenant = '018f0000-0000-7000-8000-000000000001';
const task = defineJob({ name: 'suite.task', payload: z.strictObject({}) });

const { database, db, jobsDb, close } = await openTestPools();

afterAll(close);
beforeEach(() => forgetJobs(jobsDb));
afterEach(async () => {
  expect(await misplacedJobs(jobsDb)).toEqual([]);
});

const done = { state: 'done', afterMs: null, uncharge: false, failure: null, attempt: 1 } as const;
const retried = { state: 'pending', afterMs: 60_000, uncharge: false, failure: 'no', attempt: 1 } as const;
const states = async () =>
  (await jobsDb.sql<{ state: string; attempt: number }[]>`select state, attempt from jobs.status order by id`).map(
    (row) => `${row.state} ${row.attempt}`,
  );

/** Jobs in one pack that somebody has opened. */
async function opened(count: number): Promise<{ ids: string[]; packId: string }> {
  const ids = await withTenant(db, tenant, (tx) =>
    enqueueMany(
      tx,
      task,
      Array.from({ length: count }, () => ({ payload: {} })),
    ),
  );
  const packId = randomUUID();
  await jobsDb.sql`
    with gone as (delete from jobs.due where job_id = any(${ids}::uuid[]))
    insert into jobs.pack (id, queue, name, job_ids, runner_id, opened_at)
    values (${packId}, 'default', ${task.name}, ${ids}::uuid[], ${tenant}, now())`;
  return { ids, packId };
}

describe('outcomes', () => {
  it('that are told while others are written travel together', async () => {
    const { ids, packId } = await opened(200);
    let statements = 0;
    const counted = new Proxy(jobsDb, {
      get: (target, property) => {
        if (property === 'sql') statements += 1;
        return Reflect.get(target, property);
      },
    });
    const completions = openCompletions(counted, silentLog);
    const written = await Promise.all(ids.map((jobId) => completions.write({ ...done, jobId, packId })));
    await completions.close(packId);
    expect(new Set(written)).toEqual(new Set([true]));
    expect(statements).toBeLessThan(10);
    expect(new Set(await states())).toEqual(new Set(['done 1']));
    expect(await jobsDb.sql`select id from jobs.pack`).toEqual([]);
  });

  it.each([
    ['all done', done],
    ['not all', retried],
  ] as const)(
    'are not written by whoever has lost the job, and the others of the group are (%s)',
    async (_, ending) => {
      const lost = await opened(1);
      const kept = await opened(1);
      const write = (jobId: string | undefined, packId: string, what: Omit<RowEnding, 'jobId' | 'packId'>) =>
        completions.write({ ...what, jobId: jobId as string, packId });
      const completions = openCompletions(jobsDb, silentLog);
      // By a pack that is gone, and by one that is there and not its own.
      expect(
        await Promise.all([
          write(lost.ids[0], randomUUID(), ending),
          write(lost.ids[0], kept.packId, done),
          write(kept.ids[0], kept.packId, ending),
        ]),
      ).toEqual([false, false, true]);
      expect(await states()).toEqual(['dispatched 0', ending === done ? 'done 1' : 'pending 1']);
      const failures = await jobsDb.sql<{ id: string }[]>`select job_id as id from jobs.failure`;
      expect(failures.map((row) => row.id)).toEqual(ending === done ? [] : kept.ids);
    },
  );

  it('wait while Postgres is away, and are written once it is back', async () => {
    const { ids, packId } = await opened(3);
    const proxy = await openTcpProxy(database.dispatcherUrl);
    const link = openPatiently({ url: proxy.url, maxConnections: 1 });
    const tries: string[] = [];
    const log = { ...silentLog, warn: (_: object, message: string) => void tries.push(message) };
    const completions = openCompletions(link, log);
    await link.sql`select 1`;
    await proxy.stop();
    let settled = 0;
    const written = Promise.all(
      ids.map((jobId, n) =>
        completions.write({ ...(n === 0 ? retried : done), jobId, packId }).finally(() => (settled += 1)),
      ),
    );
    const closed = completions.close(packId);
    await expect.poll(() => tries.length, { timeout: 60_000 }).toBeGreaterThan(2);
    expect(new Set(tries)).toEqual(new Set(['outcomes cannot be written; repeating']));
    expect([settled, await states()]).toEqual([0, Array(3).fill('dispatched 0')]);
    await proxy.start();
    expect(await written).toEqual([true, true, true]);
    await closed;
    expect(await states()).toEqual(['pending 1', 'done 1', 'done 1']);
    await link.close();
    await proxy.close();
  });

  it('are left to the sweep when the process gives up, and no pack is ended without them', async () => {
    const { ids, packId } = await opened(1);
    const proxy = await openTcpProxy(database.dispatcherUrl);
    const link = openPatiently({ url: proxy.url, maxConnections: 1 });
    const completions = openCompletions(link, silentLog);
    await link.sql`select 1`;
    await proxy.stop();
    const written = completions.write({ ...done, jobId: ids[0] as string, packId });
    const refused = expect(written).rejects.toThrow();
    completions.giveUp();
    await refused;
    await proxy.start();
    await expect(completions.close(packId)).rejects.toThrow();
    expect(await states()).toEqual(['dispatched 0']);
    await link.close();
    await proxy.close();
  });
});
