import { checkMigrations, type Database, durabilityProblems, openDatabase } from '@ballast/db';
import type { Services } from '@ballast/http';
import { inspectStores, refusalSentence } from '@ballast/jobs/guard';
import type { JobObserver } from '@ballast/jobs/observe';
import { refuseWrongSchedules } from '@ballast/jobs/schedule';
import { openTransport } from '@ballast/jobs/transport';
import { type RegisteredJob, type RunningWorker, startWorker } from '@ballast/jobs/work';
import { AppError, type ScheduleDefinition } from '@ballast/kernel';
import type { Logger } from '@ballast/observability/logger';
import type { Config } from './config.ts';
import { expectedMigrations } from './expected-migrations.ts';
import { release } from './release.ts';
import { retry } from './retry.ts';

/** Consumers, dispatcher and sweep of this process; `started` once they run. */
export interface RunningJobs {
  /** Resolves when the queue's Redis may be trusted with jobs; rejects with the reason when it may not. */
  readonly admitted: Promise<void>;
  started(): boolean;
  /** Whether the link to the queue's Redis stands; null when the queue is in Postgres. */
  queueConnected(): boolean | null;
  close(options: { graceMs: number }): Promise<void>;
}

const idleGraceMs = 1_000;
/** The dispatcher's statements take milliseconds; whoever waits for this long waits for nobody, and has ten seconds to be back (row 12). */
const dispatcherAnswerMs = 3_000;
/** Over a link of 300 ms each way a login takes 1.8 s, and an attempt is charged for one that was given up. Callers wait for two. */
const connectTimeoutSeconds = 5;
/** The sweep's lock lives in a transaction of its own while the queue is asked about packs. */
const dispatcherTransactionMs = 60_000;
/** A run that ignores its deadline is given up a second after it; its transaction ends a little later. */
const overtimeMs = 2_000;

/**
 * Waits for Postgres as long as it takes, and then consumes. Its pools are its own:
 * jobs run longer than requests may, and neither is to starve the other.
 */
export function startJobs(
  config: Config<'api'> | Config<'worker'>,
  options: {
    services: Services;
    jobs: readonly RegisteredJob<Services>[];
    schedules: readonly ScheduleDefinition[];
    log: Logger;
    observe?: JobObserver | undefined;
  },
): RunningJobs {
  const { log } = options;
  refuseWrongSchedules(options.schedules);
  const { DATABASE_URL, DATABASE_DISPATCHER_URL, DATABASE_POOL_SIZE, ENCRYPTION_KEYS, REDIS_QUEUE_URL } = config.values;
  if (DATABASE_DISPATCHER_URL === undefined) throw new Error('DATABASE_DISPATCHER_URL was not checked by loadConfig.');
  const pool = { maxConnections: DATABASE_POOL_SIZE, idleInTransactionTimeoutMs: 30_000, connectTimeoutSeconds };
  const db = openDatabase({
    ...pool,
    url: DATABASE_URL,
    applicationName: `ballast-${config.process}-jobs`,
    keys: ENCRYPTION_KEYS,
    transactionTimeoutMs: Math.max(0, ...options.jobs.map(({ job }) => job.timeoutMs)) + overtimeMs,
  });
  const jobsDb = openDatabase({
    ...pool,
    url: DATABASE_DISPATCHER_URL,
    transactionTimeoutMs: dispatcherTransactionMs,
    answerTimeoutMs: dispatcherAnswerMs,
    applicationName: `ballast-${config.process}-dispatcher`,
    steadyPlans: true,
  });
  const transport = openTransport(
    REDIS_QUEUE_URL ? { redisUrl: REDIS_QUEUE_URL } : { postgresUrl: DATABASE_DISPATCHER_URL },
    log,
  );
  const closing = new AbortController();
  let worker: RunningWorker | null = null;
  const open = async () => {
    await waitForSchema(db);
    worker = await startWorker({ ...options, db, jobsDb, transport, role: config.process, release });
    log.info(
      { transport: transport.kind, jobs: options.jobs.length, schedules: options.schedules.length },
      'jobs are consumed',
    );
  };
  const admitted = refuseLossyQueue(config, log, closing.signal);
  const starting = admitted.then(
    () => retry(closing.signal, log, open),
    // Whoever holds `admitted` ends the process with the reason.
    () => {},
  );
  return {
    admitted,
    started: () => worker !== null,
    queueConnected: () => transport.connected(),
    async close({ graceMs }) {
      closing.abort();
      await starting;
      // With nothing under way only the queue is waited for, and one that is away would use up the grace.
      await worker?.close({ graceMs: worker.inFlight() === 0 ? Math.min(graceMs, idleGraceMs) : graceMs });
      const closed = transport.close().catch((error: unknown) => log.warn({ error }, 'queue not closed'));
      await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, idleGraceMs))]);
      await Promise.all([db.close(), jobsDb.close()]);
    },
  };
}

/** A job that runs against tables that are not there yet would fail, again and again, until it is dead. */
async function waitForSchema(db: Database): Promise<void> {
  const { missing } = await checkMigrations(db, await expectedMigrations());
  if (missing.length > 0) throw new Error(`migrations are missing: ${missing.join(', ')}`);
}

/** Resolves when Postgres answers and flushes its commits; throws when it is set up to lose them. */
export async function refuseLossyPostgres(db: Database, log: Logger, signal: AbortSignal): Promise<void> {
  let problems: string[] = [];
  await retry(signal, log, async () => {
    problems = await durabilityProblems(db);
  });
  if (problems.length === 0) return;
  throw new AppError('database.not_durable', { public: problems.join('\n'), retryable: false });
}

/**
 * Resolves when the queue's Redis answers and keeps what it is given, or at once without one; throws when it would evict jobs.
 * Of use to whoever only counts in the other Redis too: exchanged, what it counts fills the queue.
 */
export async function refuseLossyQueue(
  config: Config<'api'> | Config<'worker'>,
  log: Logger,
  signal: AbortSignal,
): Promise<void> {
  const { REDIS_QUEUE_URL: queueUrl, REDIS_URL: cacheUrl = null } = config.values;
  if (!queueUrl) return;
  let refusals: string[] = [];
  await retry(signal, log, async () => {
    const found = await inspectStores({ queueUrl, cacheUrl });
    refusals = found.refusals.map(refusalSentence);
    for (const { code, cause, fix } of found.warnings) log.warn({ code }, `${cause} ${fix}`);
  });
  if (refusals.length === 0) return;
  throw new AppError('queue.not_trustworthy', { public: refusals.join('\n'), retryable: false });
}
