/** Packs that nobody will open: those that the queue has lost, and those that a worker took and cannot begin. */
import { randomUUID } from 'node:crypto';
import { withTenant } from '@ballast/db';
import { defineJob } from '@ballast/kernel';
import { openTestPools } from '@ballast/test-kit/pools';
import { queueBackends, silentLog, startQueue } from '@ballast/test-kit/queue';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { enqueueMany } from './enqueue.ts';
import { openTaken, returnLost } from './lost.ts';
import { sweep } from './sweep.ts';
import { addPacks } from './testing/add-packs.ts';
import { forgetJobs, misplacedJobs } from './testing.ts';

const tenant = '018f0000-0000-7000-8000-000000000001';
const task = defineJob({ name: 'suite.task', payload: z.strictObject({}) });

const { database, db, jobsDb, close } = await openTestPools();

afterAll(close);
beforeEach(async () => {
  await forgetJobs(jobsDb);
  await jobsDb.sql`delete from jobs.process`;
});
afterEach(async () => {
  expect(await misplacedJobs(jobsDb)).toEqual([]);
});

/** So many jobs, each in a pack that was handed out a minute ago. Returns the packs, by id. */
async function handedOut(count: number): Promise<string[]> {
  const ids = await withTenant(db, tenant, (tx) =>
    enqueueMany(
      tx,
      task,
      Array.from({ length: count }, () => ({ payload: {} })),
    ),
  );
  await jobsDb.sql`delete from jobs.due`;
  const packs = ids.map((id) => ({
    id: randomUUID(),
    queue: 'default',
    name: task.name,
    job_ids: [id],
    dispatched_at: new Date(Date.now() - 60_000).toISOString(),
  }));
  for (let from = 0; from < count; from += 1_000) {
    await jobsDb.sql`insert into jobs.pack ${jobsDb.sql(packs.slice(from, from + 1_000))}`;
  }
  return packs.map((pack) => pack.id).sort();
}
const waiting = async () => (await jobsDb.sql`select 1 from jobs.due`).length;

it('finds what is lost behind a thousand packs that wait rightly, and all of it', async () => {
  const packs = await handedOut(3_200);
  const right = new Set(packs.slice(0, 1_100));
  const transport = { holds: async (_: string, ids: readonly string[]) => new Set(ids.filter((id) => right.has(id))) };
  expect(await sweep({ db: jobsDb, transport, log: silentLog })).toMatchObject({ lost: 2_100 });
  expect(await waiting()).toBe(2_100);
});

describe.each(queueBackends)('a pack that a worker took from the queue on %s and cannot open', (backend) => {
  const open = async () => {
    const queue = await startQueue(backend, database);
    const transport = queue.open();
    const gate = Promise.withResolvers<void>();
    const taken: string[] = [];
    const consumer = transport.consume('default', 1, async (packId) => {
      taken.push(packId);
      await gate.promise;
    });
    return {
      transport,
      taken,
      async close() {
        gate.resolve();
        await consumer.close();
        await transport.close();
        await queue.stop();
      },
    };
  };
  const look = (transport: Parameters<typeof returnLost>[1], taken: ReturnType<typeof openTaken>) =>
    returnLost(jobsDb, transport, { settledAfterMs: 10_000, suspect: true, taken });

  it('returns its jobs, uncharged and beyond suspicion, and leaves its slot; what waits behind it stays', async () => {
    const { transport, taken, close: end } = await open();
    const packs = await handedOut(2);
    await addPacks(transport, packs);
    await expect.poll(() => taken.length, { timeout: 20_000 }).toBe(1);
    const seen = openTaken(transport, 300);
    const from = performance.now();
    expect(await look(transport, seen)).toBe(0);
    await expect.poll(() => look(transport, seen), { timeout: 20_000 }).toBe(1);
    expect(performance.now() - from).toBeGreaterThan(300);
    expect(await jobsDb.sql`select id from jobs.pack`).toEqual([{ id: packs.find((id) => id !== taken[0]) }]);
    expect(await jobsDb.sql`select attempt, job.alone from jobs.due join jobs.job on job.id = due.job_id`).toEqual([
      { attempt: 0, alone: false },
    ]);
    // It fills nobody's slots any more: the other one alone is under way.
    await expect.poll(() => transport.inFlight('default')).toBe(1);
    await end();
  });

  it('is left to a living worker that names it, and is forgotten once it is opened', async () => {
    const { transport, taken, close: end } = await open();
    const [packId = ''] = await handedOut(1);
    await addPacks(transport, [packId]);
    await expect.poll(() => taken.length, { timeout: 20_000 }).toBe(1);
    // At once: whatever is looked at twice has been taken for too long.
    const seen = openTaken(transport, 0.001);
    const process = randomUUID();
    await jobsDb.sql`
      insert into jobs.process (id, role, release, host, slots, knows, packs)
      values (${process}, 'worker', 'test', 'here', '{}', '{}', ${[packId]}::uuid[])`;
    for (let looks = 0; looks < 3; looks++) expect(await look(transport, seen)).toBe(0);
    await jobsDb.sql`update jobs.process set packs = '{}'`;
    expect(await look(transport, seen)).toBe(0);
    await jobsDb.sql`update jobs.pack set runner_id = ${process}, opened_at = now()`;
    for (let looks = 0; looks < 3; looks++) expect(await look(transport, seen)).toBe(0);
    await expect.poll(() => transport.holds('default', [packId])).toEqual(new Set([packId]));
    await end();
  });
});
