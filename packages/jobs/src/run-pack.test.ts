import { randomUUID } from 'node:crypto';
import { withTenant } from '@ballast/db';
import { defineHandler, defineJob } from '@ballast/kernel';
import { openPatiently, openTestPools } from '@ballast/test-kit/pools';
import { openTcpProxy } from '@ballast/test-kit/tcp-proxy';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { claim } from './claim.ts';
import { openCompletions } from './completions.ts';
import { enqueueMany } from './enqueue.ts';
import { runPack } from './run-pack.ts';
import { forgetJobs, misplacedJobs } from './testing.ts';

const tenant = '018f0000-0000-7000-8000-000000000001';
const job = defineJob({ name: 'suite.job', payload: z.strictObject({ n: z.int() }) });
const log = { debug() {}, info() {}, warn() {}, error() {} };

const { database, db, jobsDb, close } = await openTestPools();

afterEach(async () => {
  expect(await misplacedJobs(jobsDb)).toEqual([]);
  await forgetJobs(jobsDb);
});
afterAll(close);

/** Adds jobs and claims them into one pack. */
async function handOut(count: number): Promise<string> {
  await withTenant(db, tenant, (tx) =>
    enqueueMany(
      tx,
      job,
      Array.from({ length: count }, (_, n) => ({ payload: { n } })),
    ),
  );
  const fleet = { slots: new Map(), knows: new Set(['suite.job@1']), runMs: new Map([['suite.job', 0.1]]) };
  const { packs } = await claim(jobsDb, { queue: 'default', freePacks: 1, rowsPerPack: count, fleet, afterLane: null });
  return packs[0]?.id as string;
}

function runnerOf(
  run: () => Promise<void>,
  more: { jobsDb?: typeof jobsDb; shutdown?: AbortSignal; stopping?: () => boolean; find?: () => undefined } = {},
) {
  const handler = defineHandler(job, run);
  const counts = { returned: 0 };
  const runner = {
    db,
    jobsDb,
    processId: '018f0000-0000-7000-8000-000000000009',
    completions: openCompletions(jobsDb, log),
    services: null,
    log,
    shutdown: new AbortController().signal,
    find: () => ({ job, load: async () => handler }),
    unknownAfterMs: () => 60_000,
    stopping: () => false,
    returned: () => (counts.returned += 1),
    measured: () => {},
    ...more,
  };
  return { counts, run: (packId: string) => runPack(runner as never, packId) };
}

const states = async () =>
  (await jobsDb.sql<{ state: string; attempt: number }[]>`select state, attempt from jobs.status order by id`).map(
    (row) => `${row.state} ${row.attempt}`,
  );

it('returns the rows whose turn has not come, uncharged, while the one before them still runs', async () => {
  const packId = await handOut(3);
  const released = Promise.withResolvers<void>();
  const { counts, run } = runnerOf(() => released.promise);
  const running = run(packId);
  await expect.poll(states).toEqual(['dispatched 0', 'pending 0', 'pending 0']);
  await expect.poll(() => counts.returned).toBe(1);
  expect(await misplacedJobs(jobsDb)).toEqual([]);
  released.resolve();
  await running;
  expect(await states()).toEqual(['done 1', 'pending 0', 'pending 0']);
});

it('returns them too when none of those before it ever waits for anything', async () => {
  const packId = await handOut(20);
  let begun = 0;
  const { counts, run } = runnerOf(async () => {
    begun += 1;
    for (const until = performance.now() + 60; performance.now() < until; );
  });
  await run(packId);
  // The first two take longer than a tenth of a second together; a busy machine begins no second one.
  expect([1, 2]).toContain(begun);
  await expect.poll(() => counts.returned).toBe(1);
  expect(await states()).toEqual(Array.from({ length: 20 }, (_, n) => (n < begun ? 'done 1' : 'pending 0')));
});

it('begins none once the process stops, and returns them uncharged', async () => {
  const packId = await handOut(3);
  let stopping = false;
  const { run } = runnerOf(
    async () => {
      stopping = true;
    },
    { stopping: () => stopping },
  );
  await run(packId);
  expect(await states()).toEqual(['done 1', 'pending 0', 'pending 0']);
});

it('begins none of a pack that arrives when the process stops already, alone in it or not', async () => {
  const never = async () => expect.unreachable('Nobody may begin it.');
  const { run } = runnerOf(never, { stopping: () => true });
  await run(await handOut(1));
  await run(await handOut(2));
  expect(new Set(await states())).toEqual(new Set(['pending 0']));
});

it('cancels what grew stale on its way, and runs what did not', async () => {
  const packId = await handOut(2);
  await jobsDb.sql`
    update jobs.job set discard_after = now() - interval '1 second' where id = (select min(id::text)::uuid from jobs.job)`;
  await runnerOf(async () => {}).run(packId);
  expect(await states()).toEqual(['cancelled 0', 'done 1']);
  const alone = await handOut(1);
  await jobsDb.sql`update jobs.job set discard_after = now() - interval '1 second' where state = 'open'`;
  await runnerOf(async () => expect.unreachable('It is stale.')).run(alone);
  expect(await states()).toEqual(['cancelled 0', 'done 1', 'cancelled 0']);
});

it('puts back, for seconds and uncharged, what this worker does not know, alone in its pack or not', async () => {
  const { run } = runnerOf(async () => expect.unreachable('Nobody knows it.'), { find: () => undefined });
  await run(await handOut(1));
  await run(await handOut(2));
  expect(await states()).toEqual(Array(3).fill('pending 0'));
  const [row] =
    await jobsDb.sql`select count(*)::int as later from jobs.later where run_at > now() + interval '30 seconds'`;
  expect(row).toEqual({ later: 3 });
});

it('is opened once: by whom it is handed to a second time it is discarded, while it runs and afterwards', async () => {
  const packId = await handOut(1);
  const released = Promise.withResolvers<void>();
  let begun = 0;
  const { run } = runnerOf(() => {
    begun += 1;
    return released.promise;
  });
  const running = run(packId);
  await expect.poll(() => begun).toBe(1);
  await run(packId);
  released.resolve();
  await running;
  await run(packId);
  expect(begun).toBe(1);
  expect(await states()).toEqual(['done 1']);
});

describe('a worker that is not told whether it has opened a pack', () => {
  const never = async () => expect.unreachable('Nobody may begin it.');

  /** A link to Postgres whose answers can be lost, and that notices it within seconds. */
  async function openLossyLink() {
    let losing = false;
    let connections = 0;
    // Of those connections nothing comes any more: an answer may be slower than whoever sees what it would say.
    let lost = 0;
    const proxy = await openTcpProxy(database.dispatcherUrl, () => {
      connections += 1;
      const own = connections;
      return (data) => (losing || own <= lost ? Buffer.alloc(0) : data);
    });
    const link = openPatiently({ url: proxy.url, answerTimeoutMs: 3_000, maxConnections: 1 });
    // The opening is prepared on it, so that it takes one message to Postgres.
    await runnerOf(never, { jobsDb: link }).run(randomUUID());
    return {
      link,
      proxy,
      lose(whether: boolean) {
        losing = whether;
        if (whether) lost = connections;
      },
      close: async () => {
        await link.close();
        await proxy.close();
      },
    };
  }
  const openedBy = async () => (await jobsDb.sql`select runner_id from jobs.pack`)[0]?.runner_id ?? null;

  it.each([1, 2])('gives it back, uncharged, when it had been opened (%i jobs)', async (count) => {
    const packId = await handOut(count);
    const { link, lose, close } = await openLossyLink();
    const placesBefore = await jobsDb.sql`select run_at::text as at from jobs.job order by id`;
    lose(true);
    const running = runnerOf(never, { jobsDb: link }).run(packId);
    await expect.poll(openedBy).not.toBeNull();
    if (count === 1) expect(await states()).toEqual(['dispatched 1']);
    lose(false);
    await running;
    expect(await states()).toEqual(Array.from({ length: count }, () => 'pending 0'));
    expect(await jobsDb.sql`select job_id from jobs.failure`).toEqual([]);
    // They wait for a moment, and then in the place that they had.
    expect(await jobsDb.sql`select place_at::text as at from jobs.later order by job_id`).toEqual(placesBefore);
    await close();
  });

  it('gives it back as soon as Postgres answers, when the request never arrived', async () => {
    const packId = await handOut(1);
    const { link, proxy, close } = await openLossyLink();
    await proxy.stop();
    const running = runnerOf(never, { jobsDb: link }).run(packId);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(await states()).toEqual(['dispatched 0']);
    await proxy.start();
    await running;
    expect(await states()).toEqual(['pending 0']);
    await close();
  });

  it('leaves it to the sweep when the process must go', async () => {
    const packId = await handOut(1);
    const { link, proxy, close } = await openLossyLink();
    await proxy.stop();
    const ending = new AbortController();
    const running = runnerOf(never, { jobsDb: link, shutdown: ending.signal }).run(packId);
    ending.abort();
    await expect(running).rejects.toThrow();
    expect(await states()).toEqual(['dispatched 0']);
    await close();
  });
});
