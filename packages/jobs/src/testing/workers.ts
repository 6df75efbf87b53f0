import { type Database, sqlOf, type Tx, withTenant } from '@ballast/db';
import { defineJob, type JobContext } from '@ballast/kernel';
import { openTestPools } from '@ballast/test-kit/pools';
import { type queueBackends, silentLog, startQueue, type TestQueue } from '@ballast/test-kit/queue';
import { expect, vi } from 'vitest';
import { z } from 'zod';
import { type EnqueueOptions, enqueue } from '../enqueue.ts';
import { forgetJobs, misplacedJobs } from '../testing.ts';
import type { Transport } from '../transport.ts';
import { type RegisteredJob, type RunningWorker, startWorker, type WorkerOptions } from '../work.ts';

export const tenant = '018f0000-0000-7000-8000-000000000001';
/** What the workers of these suites know. Their queue is `default`, with four slots. No run of it ends by its time. */
export const effect = defineJob({
  name: 'suite.effect',
  payload: z.strictObject({ n: z.int() }),
  attempts: 3,
  backoff: { firstMs: 10, maxMs: 10 },
  timeoutMs: 60_000,
});
/** The same for tests of runs that outlast their time, which is long enough for those that do not. */
export const brief = { ...effect, timeoutMs: 3_000 };

export type Run = (input: { payload: { n: number }; ctx: JobContext<Tx> }) => Promise<unknown>;

/** What a worker is told of a job with this handler. */
export const registered = (job: typeof effect, run: Run): RegisteredJob<null> => ({
  job: job as RegisteredJob['job'],
  load: async () => ({ job, run: run as never }),
});

export interface Workers {
  backend: (typeof queueBackends)[number];
  /** As the app's role. */
  appUrl: string;
  db: Database;
  jobsDb: Database;
  queue: TestQueue;
  /** Starts one, with this handler. */
  work(run: Run, more?: Partial<WorkerOptions<null>>): Promise<RunningWorker>;
  add(n: number, options?: EnqueueOptions): Promise<string>;
  /** The effect of a job, for its transaction. Nothing but the fence keeps a second one out. */
  insert(n: number, ctx: JobContext<Tx>): (tx: Tx) => Promise<void>;
  effects(): Promise<{ n: number; attempt: number }[]>;
  job(id: string): Promise<{ state: string; attempt: number; failures: string[] } | undefined>;
  becomes(id: string, state: string): Promise<void>;
  /** Between tests: closes the workers, and finds every job in one place. */
  tidy(): Promise<void>;
  close(): Promise<void>;
}

/** A database and a queue of a suite's own, and the workers that it starts there. */
export async function openWorkers(backend: Workers['backend']): Promise<Workers> {
  const pools = await openTestPools({ table: 'effect (n integer, tenant_id uuid, attempt integer)' });
  const { database, db, jobsDb } = pools;
  const queue = await startQueue(backend, database);
  const started: { worker: RunningWorker; transport: Transport }[] = [];

  const job = async (id: string) => {
    const [row] = await jobsDb.sql<{ state: string; attempt: number; failures: string[] }[]>`
      select state, attempt, array(select message from jobs.failure where job_id = id order by created_at) as failures
      from jobs.status where id = ${id}`;
    return row;
  };

  return {
    backend,
    appUrl: database.appUrl,
    db,
    jobsDb,
    queue,
    async work(run, more = {}) {
      const transport = queue.open();
      const worker = await startWorker({
        db,
        jobsDb,
        transport,
        jobs: [registered(effect, run)],
        services: null,
        queues: { default: 4 },
        log: silentLog,
        release: 'test',
        ...more,
      });
      started.push({ worker, transport });
      return worker;
    },
    add: (n, options = {}) => withTenant(db, tenant, (tx) => enqueue(tx, effect, { n }, options)),
    insert: (n, ctx) => async (tx) => {
      await sqlOf(tx)`insert into effect values (${n}, ballast.tenant_id(), ${ctx.attempt})`;
    },
    effects: () => db.sql<{ n: number; attempt: number }[]>`select n, attempt from effect order by n`,
    job,
    becomes: (id, state) => until(async () => expect(await job(id)).toMatchObject({ state })),
    async tidy() {
      for (const { worker, transport } of started.splice(0)) {
        await worker.close({ graceMs: 5_000 });
        await transport.close();
      }
      expect(await misplacedJobs(jobsDb)).toEqual([]);
      await forgetJobs(jobsDb);
      await db.sql`delete from effect`;
    },
    async close() {
      await Promise.all([db.close(), jobsDb.close()]);
      await queue.stop();
      await database.drop();
    },
  };
}

/** As long as it takes on a busy machine. */
export const until = <Result>(look: () => Promise<Result>) => vi.waitFor(look, { timeout: 100_000, interval: 20 });
