import { withTenant } from '@ballast/db';
import { defineHandler, defineJob } from '@ballast/kernel';
import { openTestPools } from '@ballast/test-kit/pools';
import { afterAll, expect, it } from 'vitest';
import { z } from 'zod';
import { claim } from './claim.ts';
import { openCompletions } from './completions.ts';
import { enqueueMany } from './enqueue.ts';
import { runPack } from './run-pack.ts';
import { misplacedJobs } from './testing.ts';

const tenant = '018f0000-0000-7000-8000-000000000001';
const job = defineJob({ name: 'suite.job', payload: z.strictObject({ n: z.int() }) });
const log = { debug() {}, info() {}, warn() {}, error() {} };

const { db, jobsDb, close } = await openTestPools();

afterAll(close);

it('returns the rows whose turn has not come, uncharged, while the one before them still runs', async () => {
  await withTenant(db, tenant, (tx) =>
    enqueueMany(
      tx,
      job,
      [1, 2, 3].map((n) => ({ payload: { n } })),
    ),
  );
  const fleet = { slots: new Map(), knows: new Set(['suite.job@1']), runMs: new Map([['suite.job', 0.1]]) };
  const { packs } = await claim(jobsDb, { queue: 'default', freePacks: 1, rowsPerPack: 3, fleet, afterLane: null });
  const released = Promise.withResolvers<void>();
  const handler = defineHandler(job, async () => {
    await released.promise;
  });
  let returned = 0;
  const runner = {
    db,
    jobsDb,
    processId: '018f0000-0000-7000-8000-000000000009',
    completions: openCompletions(jobsDb, log),
    services: null,
    log,
    shutdown: new AbortController().signal,
    find: () => ({ job, load: async () => handler }),
    stopping: () => false,
    returned: () => (returned += 1),
    measured: () => {},
  };
  const running = runPack(runner as never, packs[0]?.id as string);
  const states = async () =>
    (await jobsDb.sql<{ state: string; attempt: number }[]>`select state, attempt from jobs.status order by id`).map(
      (row) => `${row.state} ${row.attempt}`,
    );
  await expect.poll(states).toEqual(['dispatched 0', 'pending 0', 'pending 0']);
  await expect.poll(() => returned).toBe(1);
  expect(await misplacedJobs(jobsDb)).toEqual([]);
  released.resolve();
  await running;
  expect(await states()).toEqual(['done 1', 'pending 0', 'pending 0']);
  expect(await misplacedJobs(jobsDb)).toEqual([]);
});
