import type { Database } from '@ballast/db';
import { defaultRequestMs } from '@ballast/db/limits';
import { readMigrations } from '@ballast/db/migrate';
import { createTestDatabase, type TestDatabase } from '@ballast/test-kit/database';
import { openPatiently } from '@ballast/test-kit/pools';
import { startRedis, type TestRedis } from '@ballast/test-kit/redis';
import { migrationSources } from '@ballast/test-kit/template';
import { uuidv7 } from 'uuidv7';
import { examine } from '../examine.ts';
import type { Finding } from '../finding.ts';
import type { Subject } from '../subject.ts';

/** A healthy patient: a database, two Redis and, in their tables, a living worker. Tests make it ill. */
export interface Ward {
  database: TestDatabase;
  /** As the dispatcher. */
  jobs: Database;
  queue: TestRedis;
  cache: TestRedis;
  subject: Subject;
  /** What is found; `changes` are of the subject. */
  find(changes?: Partial<Subject>): Promise<Finding[]>;
  codes(changes?: Partial<Subject>): Promise<string[]>;
  /**
   * Says that a process lives, as its heartbeat would. This one beats once, so its beat is of ten minutes from now,
   * unless the test is about silence: otherwise it would fall silent when the test takes long.
   */
  live(process?: {
    role?: string;
    silentSeconds?: number;
    slots?: Record<string, number>;
    release?: string;
  }): Promise<string>;
  close(): Promise<void>;
}

export async function openWard(): Promise<Ward> {
  const [database, queue, cache, migrations] = await Promise.all([
    createTestDatabase(),
    startRedis(),
    startRedis(['--maxmemory-policy', 'allkeys-lru']),
    readMigrations(migrationSources()),
  ]);
  const jobs = openPatiently({ url: database.dispatcherUrl, applicationName: 'ward' });
  const subject: Subject = {
    place: 'compose',
    environment: 'local',
    problems: [],
    warnings: [],
    notHere: [],
    databaseUrl: database.appUrl,
    poolerUrl: null,
    requestMs: defaultRequestMs,
    poolSize: 10,
    authPoolSize: 5,
    queueUrl: queue.url,
    cacheUrl: cache.url,
    smtpUrl: null,
    publicUrl: null,
    tlsEdge: null,
    consumes: false,
    metrics: [],
    release: 'ward',
    apis: [],
    migrations,
    jobs: ['ward.task@1'],
    staleSnapshot: null,
    now: Date.now,
    folders: [],
  };
  const find = async (changes: Partial<Subject> = {}) => (await examine({ ...subject, ...changes })).findings;
  return {
    database,
    jobs,
    queue,
    cache,
    subject,
    find,
    codes: async (changes) => (await find(changes)).map(({ code }) => code),
    async live({ role = 'worker', silentSeconds = -600, slots = { default: 10 }, release = 'ward' } = {}) {
      const id = uuidv7();
      await jobs.sql`
        insert into jobs.process (id, role, release, host, slots, knows, started_at, beat_at)
        values (${id}, ${role}, ${release}, 'here', ${JSON.stringify(slots)}::text::jsonb, '{ward.task@1}',
                now() - interval '1 hour', now() - ${silentSeconds} * interval '1 second')`;
      return id;
    },
    async close() {
      await jobs.close();
      await Promise.all([queue.stop(), cache.stop(), database.drop()]);
    },
  };
}
