import type { Database } from '@ballast/db';
import { defineJob, defineSchedule, type ScheduleDefinition } from '@ballast/kernel';
import { createTestDatabase, type TestDatabase } from '@ballast/test-kit/database';
import { openPatiently } from '@ballast/test-kit/pools';
import { silentLog, startQueue, type TestQueue } from '@ballast/test-kit/queue';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { listSchedules } from './list-schedules.ts';
import { type RegisteredJob, startWorker } from './work.ts';

const tidy = defineJob({ name: 'suite.tidy', payload: z.strictObject({}) });
const round = defineSchedule({ name: 'suite.round', job: tidy, payload: {}, cron: '0 0 1 1 *' });

let database: TestDatabase;
let db: Database;
let jobsDb: Database;
let queue: TestQueue;
let runs = 0;

beforeAll(async () => {
  database = await createTestDatabase();
  db = openPatiently({ url: database.appUrl });
  jobsDb = openPatiently({ url: database.dispatcherUrl });
  queue = await startQueue('postgres', database);
});

afterAll(async () => {
  await Promise.all([db.close(), jobsDb.close()]);
  await queue.stop();
  await database.drop();
});

/** A worker with the module on or off. Returns how to end it. */
async function work(schedules: readonly ScheduleDefinition[], more = {}): Promise<() => Promise<void>> {
  const transport = queue.open();
  const handler = {
    job: tidy,
    run: async () => {
      runs += 1;
    },
  };
  // A registry holds jobs of any payload; the type of this one's is narrower.
  const jobs = [{ job: tidy, load: async () => handler }] as unknown as RegisteredJob<null>[];
  const options = { db, jobsDb, transport, jobs, schedules, services: null, log: silentLog, release: 'test', ...more };
  const worker = await startWorker(options).catch(async (error) => {
    await transport.close();
    throw error;
  });
  return async () => {
    await worker.close({ graceMs: 5_000 });
    await transport.close();
  };
}

const rows = () => jobsDb.sql`select * from jobs.schedule`;
const yearAgo = () => jobsDb.sql`update jobs.schedule set next_slot = now() - interval '1 year'`;

it('a schedule of a module that is off rests, and catches up when the module is on again', async () => {
  await (await work([round]))();
  await yearAgo();
  const before = await rows();
  let looks = 0;
  const counted = new Proxy(jobsDb, {
    get: (target, property) => {
      if (property === 'sql') looks += 1;
      return Reflect.get(target, property);
    },
  });
  const end = await work([], { jobsDb: counted });
  looks = 0;
  await new Promise((resolve) => setTimeout(resolve, 3_500));
  // A look each second, and a heartbeat, sweep and watchdog now and then: a due row that nobody runs costs nothing more.
  expect(looks).toBeLessThan(20);
  await end();
  expect({ runs, rows: await rows() }).toEqual({ runs: 0, rows: before });

  expect(await listSchedules(jobsDb)).toMatchObject([{ name: 'suite.round', known: false }]);
  const endOn = await work([round]);
  expect(await listSchedules(jobsDb)).toMatchObject([{ name: 'suite.round', known: true }]);
  await vi.waitFor(() => expect(runs).toBe(1), { timeout: 25_000, interval: 20 });
  await endOn();
  expect(runs).toBe(1);
});

it('a schedule that cannot be run is refused before the process is known to the others', async () => {
  const wrong = { ...round, zone: 'Mars/Olympus' };
  await expect(work([wrong])).rejects.toThrow("The schedule 'suite.round': its time zone 'Mars/Olympus' is unknown.");
  expect(await jobsDb.sql`select id from jobs.process`).toEqual([]);
});
