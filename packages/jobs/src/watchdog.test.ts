/** Who ends itself when packs wait: the worker that does not take them, and not the one beside it. */
import { randomUUID } from 'node:crypto';
import { withTenant } from '@ballast/db';
import { defineJob } from '@ballast/kernel';
import { openTestPools } from '@ballast/test-kit/pools';
import { queueBackends, silentLog, startQueue } from '@ballast/test-kit/queue';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { enqueue } from './enqueue.ts';
import { addPacks } from './testing/add-packs.ts';
import { forgetJobs } from './testing.ts';
import type { Transport } from './transport.ts';
import { startWatchdog } from './watchdog.ts';
import { type RegisteredJob, startWorker } from './work.ts';

const tenant = '018f0000-0000-7000-8000-000000000001';
const task = defineJob({ name: 'suite.task', payload: z.strictObject({}) });

const { database, db, jobsDb, close } = await openTestPools();

afterAll(close);
beforeEach(() => forgetJobs(jobsDb));
afterEach(() => vi.restoreAllMocks());

const add = (queue = 'default') => withTenant(db, tenant, (tx) => enqueue(tx, { ...task, queue }, {}));

/** A job in a pack that was handed out a minute ago, and that the queue has. */
async function handedOut(transport: Transport): Promise<string> {
  const jobIds = [await add()];
  const packId = randomUUID();
  await jobsDb.sql`delete from jobs.due`;
  await jobsDb.sql`
    insert into jobs.pack (id, queue, name, job_ids, dispatched_at)
    values (${packId}, 'default', ${task.name}, ${jobIds}::uuid[], now() - interval '1 minute')`;
  await addPacks(transport, [packId]);
  return packId;
}

describe.each(queueBackends)('a watchdog beside a queue on %s', (backend) => {
  it('barks at packs that wait in the queue, and at none that another worker has taken and does not open', async () => {
    const queue = await startQueue(backend, database);
    const transport = queue.open();
    const gate = Promise.withResolvers<void>();
    let taken = 0;
    const other = transport.consume('default', 1, () => {
      taken += 1;
      return gate.promise;
    });
    await handedOut(transport);
    await expect.poll(() => taken, { timeout: 20_000 }).toBe(1);
    let looks = 0;
    let barked = false;
    const dog = startWatchdog({
      db: jobsDb,
      transport: {
        async holds(...asked) {
          const held = await transport.holds(...asked);
          looks += 1;
          return held;
        },
      },
      log: silentLog,
      idleQueues: () => ['default'],
      onWedged: () => {
        barked = true;
      },
      idleMs: 50,
      everyMs: 50,
    });
    await expect.poll(() => looks, { timeout: 20_000 }).toBeGreaterThan(2);
    expect(barked).toBe(false);
    // The other worker's only slot is full: this one waits.
    await handedOut(transport);
    await expect.poll(() => barked, { timeout: 20_000 }).toBe(true);
    dog.close();
    gate.resolve();
    await other.close();
    await transport.close();
    await queue.stop();
  });
});

it('of a worker that takes nothing sends SIGTERM to its own process; a worker whose slots are full is not wedged', async () => {
  const queue = await startQueue('postgres', database);
  const kill = vi.spyOn(process, 'kill').mockReturnValue(true);
  const gate = Promise.withResolvers<void>();
  const busyEnds = vi.fn();
  const start = (transport: Transport, name: string, more = {}) => {
    // It runs for as long as that takes.
    const job = { ...task, queue: name, timeoutMs: 600_000 };
    const registered: RegisteredJob<null> = {
      job: job as never,
      load: async () => ({ job, run: () => gate.promise }) as never,
    };
    return startWorker({
      db,
      jobsDb,
      transport,
      jobs: [registered],
      services: null,
      queues: { [name]: 1 },
      log: silentLog,
      release: 'test',
      ...more,
    });
  };
  const transports = [queue.open(), queue.open()] as const;
  const busy = await start(transports[0], 'busy', { onWedged: busyEnds });
  for (let jobs = 0; jobs < 2; jobs++) await add('busy');
  await expect.poll(() => busy.inFlight(), { timeout: 20_000 }).toBe(1);
  const waits = () => jobsDb.sql`
    update jobs.pack set dispatched_at = now() - interval '1 minute' where queue = 'busy' and runner_id is null returning 1`;
  await expect.poll(async () => (await waits()).length, { timeout: 20_000 }).toBe(1);
  // As BullMQ after an outage: connected, and it hands nothing over.
  const deaf: Transport = { ...transports[1], consume: () => ({ close: async () => {}, abandon: async () => {} }) };
  const wedged = await start(deaf, 'wedged');
  await add('wedged');
  await expect.poll(() => kill.mock.calls, { timeout: 120_000, interval: 200 }).toEqual([[process.pid, 'SIGTERM']]);
  // It was there before, and a pack waits for it all the time.
  expect(busyEnds).not.toHaveBeenCalled();
  expect(await waits()).toHaveLength(1);
  gate.resolve();
  for (const worker of [busy, wedged]) await worker.close({ graceMs: 5_000 });
  for (const transport of transports) await transport.close();
  await queue.stop();
});
