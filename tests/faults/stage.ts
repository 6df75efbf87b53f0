import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { type Database, withTenant } from '@ballast/db';
import { type EnqueueOptions, enqueueMany } from '@ballast/jobs/enqueue';
import { misplacedJobs } from '@ballast/jobs/testing';
import type { JobDefinition } from '@ballast/kernel';
import { createTestDatabase, type TestDatabase } from '@ballast/test-kit/database';
import { openPatiently } from '@ballast/test-kit/pools';
import { startQueue, type TestQueue } from '@ballast/test-kit/queue';
import { startStopwatch } from '@ballast/test-kit/stopwatch';
import { expect, vi } from 'vitest';
import { effect } from './handlers.ts';

const tenant = '018f0000-0000-7000-8000-000000000001';

/** Silence (15 s), one sweep (5 s), the run, and room for a busy machine: goal E of the fault table. */
export const goalMs = 60_000;
/** Goal E of the fault table: a store that is back is consumed from again. */
export const consumingWithinMs = 15_000;

export type Backend = 'postgres' | 'redis';

/** What a fault is played on: a database and a queue of its own, and workers in processes of their own. */
export interface Stage {
  database: TestDatabase;
  db: Database;
  jobsDb: Database;
  /** The superuser's pool, for faults of Postgres itself. */
  admin: Database;
  queue: TestQueue;
  /** Starts a worker process; resolves when it is ready. `hear` is told what it says, on either stream. */
  worker(environment?: Record<string, string>, hear?: (said: string) => void): Promise<ChildProcess>;
  /** Commits `count` jobs for one tenant, their rows numbered from `from`. Returns their ids. */
  produce(count: number, options?: EnqueueOptions & { from?: number; job?: JobDefinition<never> }): Promise<string[]>;
  /** How many jobs there are in each state. */
  states(): Promise<Record<string, number>>;
  /** A of the fault table, for jobs without effects in the database. */
  allDone(count: number): Promise<void>;
  /** A and B of the fault table: every job is done, and had its effects once. */
  allDoneOnce(count: number): Promise<void>;
  /** No start was in vain: nothing has failed, and no job was started twice. */
  startedOnce(): Promise<void>;
  close(): Promise<void>;
}

export async function openStage(
  backend: Backend,
  redisFlags: readonly string[] = [],
  creating = createTestDatabase(),
): Promise<Stage> {
  const database = await creating;
  const db = openPatiently({ url: database.appUrl, applicationName: 'faults' });
  const jobsDb = openPatiently({ url: database.dispatcherUrl, applicationName: 'faults' });
  const admin = openPatiently({ url: database.adminUrl, applicationName: 'faults-admin', maxConnections: 1 });
  const owner = openPatiently({ url: database.ownerUrl, applicationName: 'faults' });
  await owner.sql.unsafe('create table effect (n integer not null, at timestamptz not null default clock_timestamp())');
  await owner.sql.unsafe('grant all on effect to ballast_app');
  await owner.close();
  const queue = await startQueue(backend, database, undefined, redisFlags);
  const processes: ChildProcess[] = [];

  const states = async () => {
    const rows = await jobsDb.sql<{ state: string; jobs: number }[]>`
      select state, count(*)::int as jobs from jobs.status group by state`;
    return Object.fromEntries(rows.map((row) => [row.state, row.jobs]));
  };
  const allDone = (count: number) =>
    vi.waitFor(async () => expect(await states()).toEqual({ done: count }), { timeout: goalMs, interval: 200 });

  return {
    database,
    db,
    jobsDb,
    admin,
    queue,
    states,
    worker(environment = {}, hear = () => {}) {
      const child = spawn(process.execPath, [join(import.meta.dirname, 'worker-process.ts')], {
        env: {
          ...process.env,
          APP_URL: database.appUrl,
          DISPATCHER_URL: database.dispatcherUrl,
          ...(queue.redis ? { REDIS_QUEUE_URL: queue.redis.url } : {}),
          ...environment,
        },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      processes.push(child);
      for (const stream of [child.stdout, child.stderr]) stream?.on('data', (said) => hear(String(said)));
      return saying(child, 'ready').then(() => child);
    },
    produce: (count, { from = 0, job = effect as JobDefinition<never>, ...options } = {}) =>
      withTenant(db, tenant, (tx) =>
        enqueueMany(
          tx,
          job,
          Array.from({ length: count }, (_, index) => ({
            payload: { n: from + index, ...(job.version === 2 ? { note: 'later' } : {}) } as never,
            ...options,
          })),
        ),
      ),
    allDone,
    async allDoneOnce(count) {
      await allDone(count);
      const [effects] = await db.sql`select count(*)::int as rows, count(distinct n)::int as jobs from effect`;
      expect(effects).toEqual({ rows: count, jobs: count });
    },
    async startedOnce() {
      // First what tells why.
      expect(await jobsDb.sql`select job_id, message from jobs.failure`).toEqual([]);
      expect(await jobsDb.sql`select id, attempt from jobs.job where attempt <> 1`).toEqual([]);
    },
    async close() {
      for (const child of processes) {
        child.removeAllListeners('exit');
        child.kill('SIGKILL');
      }
      // Whatever was killed: a job in no place is lost, one in two places would run twice.
      const misplaced = await misplacedJobs(jobsDb);
      await Promise.all([db.close(), jobsDb.close(), admin.close()]);
      await queue.stop();
      await database.drop();
      expect(misplaced).toEqual([]);
    },
  };
}

/** Opens a stage for one play, and closes it whatever happens. */
export async function on(
  backend: Backend,
  play: (stage: Stage) => Promise<void>,
  redisFlags: readonly string[] = [],
  creating?: Promise<TestDatabase>,
) {
  const stage = await openStage(backend, redisFlags, creating);
  try {
    await play(stage);
  } finally {
    await stage.close();
  }
}

/** Resolves when the process prints `word`; rejects with what it said when it ends before. */
export function saying(child: ChildProcess, word: string): Promise<void> {
  const errors: string[] = [];
  child.stderr?.on('data', (chunk) => errors.push(String(chunk)));
  return new Promise((resolve, reject) => {
    child.stdout?.on('data', (chunk) => {
      if (String(chunk).includes(word)) resolve();
    });
    child.once('exit', (code) => {
      reject(new Error(`The worker ended (${code}) before it said "${word}":\n${errors.join('')}`));
    });
  });
}

export function exited(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => child.once('exit', () => resolve()));
}

/** A supervisor: starts the worker anew whenever it ends, also when it never came to be ready, until the stage closes. */
export function supervised(stage: Stage, environment: Record<string, string>): Promise<unknown> {
  const again = () => void supervised(stage, environment);
  return stage.worker(environment).then((child) => child.once('exit', again), again);
}

/** Resolves when at least `count` jobs are done. */
export const someDone = (stage: Stage, count = 1) =>
  vi.waitFor(async () => expect((await stage.states()).done).toBeGreaterThanOrEqual(count), {
    timeout: goalMs,
    interval: 50,
  });

/** Milliseconds until more jobs are done than there are now and `grace` could end that were under way; or all there are. */
export async function untilMoreDone(stage: Stage, grace = 0): Promise<number> {
  const watch = startStopwatch();
  const states = await stage.states();
  const all = Object.values(states).reduce((sum, jobs) => sum + jobs, 0);
  await someDone(stage, Math.min((states.done ?? 0) + grace + 1, all));
  return Math.round(watch.stop());
}
