import { type Database, openDatabase } from '@ballast/db';
import { type ActCount, countedAtMost, type QueueBacklog, readActs, readBacklog } from '@ballast/jobs/backlog';
import { Counter, Gauge } from 'prom-client';
import { freshAnswer } from './fresh-answer.ts';
import type { Metrics } from './metrics.ts';

export interface BacklogOptions {
  /** As the dispatcher's role: it alone sees the jobs of all tenants. */
  databaseUrl: string;
  applicationName: string;
  /** Several scrapers together ask Postgres once in this time. */
  freshMs?: number;
}

interface Answer {
  queues: QueueBacklog[];
  acts: ActCount[];
}

/** A scrape must not wait longer; Prometheus gives up after ten seconds. */
const patienceMs = 3_000;

/**
 * Adds what waits in Postgres, read while a scrape waits for it. When Postgres does
 * not answer, `ballast_postgres_up` is 0 and the numbers are absent, not old; the
 * scrape itself never fails. Connects at the first scrape. Returns what closes it.
 */
export function backlogMetrics({ registry }: Metrics, options: BacklogOptions): () => Promise<void> {
  const { freshMs = 5_000 } = options;
  let db = open(options);

  async function ask(): Promise<Answer | null> {
    try {
      const [queues, acts] = await within(patienceMs, Promise.all([readBacklog(db), readActs(db)]));
      return { queues, acts };
    } catch {
      // A half-open connection would hold up every later scrape: begin again with a new one.
      void db.close().catch(() => {});
      db = open(options);
      return null;
    }
  }

  const read = freshAnswer(ask, freshMs);

  new Gauge({
    name: 'ballast_postgres_up',
    help: '1 when Postgres answered this scrape, or one of the last five seconds.',
    registers: [registry],
    async collect() {
      this.set((await read()) ? 1 : 0);
    },
  });
  for (const [name, help, value] of gauges) {
    new Gauge({
      name,
      help,
      labelNames: ['queue'],
      registers: [registry],
      async collect() {
        const answer = await read();
        this.reset();
        for (const row of answer?.queues ?? []) this.set({ queue: row.queue }, value(row));
      },
    });
  }
  new Counter({
    name: 'ballast_jobs_operated_total',
    help: 'What operators did to jobs: cancelled, retried, hurried (made due), held, released. Kept in Postgres, so the same in every process.',
    labelNames: ['act', 'job', 'queue'],
    registers: [registry],
    async collect() {
      const answer = await read();
      this.reset();
      for (const { what, name, queue, jobs } of answer?.acts ?? []) this.inc({ act: what, job: name, queue }, jobs);
    },
  });
  return () => db.close();
}

const capped = `, at most ${countedAtMost}`;
const gauges: [string, string, (row: QueueBacklog) => number][] = [
  ['ballast_queue_pending_jobs', `Jobs that wait, due or not${capped}.`, (row) => row.pending],
  ['ballast_queue_due_jobs', `Jobs that could run now${capped}.`, (row) => row.due],
  ['ballast_queue_oldest_due_seconds', 'How long the oldest due job has waited.', (row) => row.oldestDueSeconds],
  ['ballast_queue_in_flight_jobs', 'Jobs that were handed to the queue or run.', (row) => row.inFlight],
  ['ballast_queue_dead_jobs', `Jobs that have failed for good and wait for a decision${capped}.`, (row) => row.dead],
  ['ballast_queue_parked_jobs', `Jobs that no living process knows${capped}.`, (row) => row.parked],
  ['ballast_queue_held_jobs', `Jobs that wait for \`ballast jobs release\`${capped}.`, (row) => row.held],
  ['ballast_queue_paused', '1 while an operator has paused the queue.', (row) => Number(row.paused)],
];

function open({ databaseUrl, applicationName }: BacklogOptions): Database {
  return openDatabase({
    url: databaseUrl,
    applicationName,
    maxConnections: 1,
    connectTimeoutSeconds: 1,
    statementTimeoutMs: patienceMs,
  });
}

function within<Result>(ms: number, work: Promise<Result>): Promise<Result> {
  let timer: NodeJS.Timeout;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
