/** What a soak is played on: a database, a queue and the sinks, all its own. */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Database, openDatabase } from '@ballast/db';
import { createTestDatabase } from '@ballast/test-kit/database';
import { startQueue, type TestQueue } from '@ballast/test-kit/queue';
import { openSinks, type Sinks } from './sinks.ts';
import type { Assignment } from './worker-process.ts';

export interface Stage {
  /** As the app's role: who adds jobs. */
  app: Database;
  jobsDb: Database;
  /** The superuser, who sees everything. */
  admin: Database;
  queue: TestQueue;
  sinks: Sinks;
  assignment: Omit<Assignment, 'role' | 'name'>;
  /** Logs of the processes, and after a failure everything else. */
  folder: string;
  /** Writes every table that matters into the folder. */
  keepTables(): Promise<void>;
  close(options: { keepFolder: boolean }): Promise<void>;
}

const kept = [
  'asked',
  'effect',
  'jobs.job',
  'jobs.due',
  'jobs.later',
  'jobs.aside',
  'jobs.pack',
  'jobs.key',
  'jobs.dead',
  'jobs.failure',
  'jobs.step',
  'jobs.process',
];

export async function openStage(backend: 'postgres' | 'redis', folder: string): Promise<Stage> {
  await mkdir(folder, { recursive: true });
  const database = await createTestDatabase();
  await createTables(database.ownerUrl);
  const queue = await startQueue(backend, database);
  const sinks = await openSinks();
  // Whoever looks on is patient: only what is looked at may fail for want of time.
  const patient = { applicationName: 'soak', connectTimeoutSeconds: 60 };
  const app = openDatabase({ ...patient, url: database.appUrl });
  const jobsDb = openDatabase({ ...patient, url: database.dispatcherUrl, maxConnections: 4 });
  const admin = openDatabase({ ...patient, url: database.adminUrl, maxConnections: 2 });
  return {
    app,
    jobsDb,
    admin,
    queue,
    sinks,
    folder,
    assignment: {
      appUrl: database.appUrl,
      dispatcherUrl: database.dispatcherUrl,
      redisUrl: queue.redis?.url ?? null,
      httpUrl: sinks.httpUrl,
      smtpUrl: sinks.smtpUrl,
    },
    async keepTables() {
      for (const table of kept) {
        const rows = await admin.sql.unsafe(`select * from ${table}`);
        await writeFile(join(folder, `${table}.jsonl`), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
      }
    },
    async close({ keepFolder }) {
      await Promise.all([app.close(), jobsDb.close(), admin.close(), sinks.close()]);
      await queue.stop();
      await database.drop();
      if (!keepFolder) await rm(folder, { recursive: true, force: true });
    },
  };
}

/** No key and no constraint on effects: what happens twice must be seen. */
async function createTables(ownerUrl: string): Promise<void> {
  const owner = openDatabase({ url: ownerUrl, applicationName: 'soak', maxConnections: 1 });
  await owner.sql.unsafe(`
    create table asked (n bigint not null, label text not null, job_id uuid not null, not_before timestamptz);
    create index asked_job on asked (job_id);
    create table effect (
      job_id uuid not null, part text not null, worker integer not null, seen integer, at timestamptz not null default clock_timestamp()
    );
    create index effect_job on effect (job_id);
    grant select, insert on asked, effect to ballast_app`);
  await owner.close();
}
