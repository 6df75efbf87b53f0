import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { type Database, openDatabase, withTenant } from '@ballast/db';
import { enqueueMany } from '@ballast/jobs/enqueue';
import { misplacedJobs } from '@ballast/jobs/testing';
import { createTestDatabase } from '@ballast/test-kit/database';
import { startQueue, type TestQueue } from '@ballast/test-kit/queue';
import { expect, vi } from 'vitest';
import { effect } from './worker-process.ts';

const tenant = '018f0000-0000-7000-8000-000000000001';

/** Silence (15 s), one sweep (5 s), the run, and room for a busy machine: goal E of the fault table. */
export const goalMs = 60_000;

/** What a fault is played on: a database and a queue of its own, and workers in processes of their own. */
export interface Stage {
  db: Database;
  jobsDb: Database;
  /** The superuser's pool, for faults of Postgres itself. */
  admin: Database;
  queue: TestQueue;
  /** Starts a worker process; resolves when it is ready. */
  worker(environment?: Record<string, string>): Promise<ChildProcess>;
  /** Commits jobs for one tenant. */
  produce(count: number): Promise<unknown>;
  /** How many jobs there are in each state. */
  states(): Promise<Record<string, number>>;
  /** A and B of the fault table: every job is done, and had its effects once. */
  allDoneOnce(count: number): Promise<void>;
  close(): Promise<void>;
}

export async function openStage(backend: 'postgres' | 'redis', redisFlags: readonly string[] = []): Promise<Stage> {
  const database = await createTestDatabase();
  const db = openDatabase({ url: database.appUrl, applicationName: 'faults' });
  const jobsDb = openDatabase({ url: database.dispatcherUrl, applicationName: 'faults' });
  const admin = openDatabase({ url: database.adminUrl, applicationName: 'faults-admin', maxConnections: 1 });
  const owner = openDatabase({ url: database.ownerUrl, applicationName: 'faults' });
  await owner.sql.unsafe('create table effect (n integer not null)');
  await owner.sql.unsafe('grant all on effect to ballast_app');
  await owner.close();
  const queue = await startQueue(backend, database, undefined, redisFlags);
  const processes: ChildProcess[] = [];

  const states = async () => {
    const rows = await jobsDb.sql<{ state: string; jobs: number }[]>`
      select state, count(*)::int as jobs from jobs.status group by state`;
    return Object.fromEntries(rows.map((row) => [row.state, row.jobs]));
  };

  return {
    db,
    jobsDb,
    admin,
    queue,
    states,
    worker(environment = {}) {
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
      return saying(child, 'ready').then(() => child);
    },
    produce: (count) =>
      withTenant(db, tenant, (tx) =>
        enqueueMany(
          tx,
          effect,
          Array.from({ length: count }, (_, n) => ({ payload: { n } })),
        ),
      ),
    async allDoneOnce(count) {
      await vi.waitFor(async () => expect(await states()).toEqual({ done: count }), { timeout: goalMs, interval: 200 });
      const [effects] = await db.sql`select count(*)::int as rows, count(distinct n)::int as jobs from effect`;
      expect(effects).toEqual({ rows: count, jobs: count });
    },
    async close() {
      // Whatever was killed: a job in no place is lost, one in two places would run twice.
      expect(await misplacedJobs(jobsDb)).toEqual([]);
      for (const child of processes) {
        child.removeAllListeners('exit');
        child.kill('SIGKILL');
      }
      await Promise.all([db.close(), jobsDb.close(), admin.close()]);
      await queue.stop();
      await database.drop();
    },
  };
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
