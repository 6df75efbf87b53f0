import { type EnqueuedEvent, enqueuedChannel, type JobObserver, type ObservedJob } from '@ballast/jobs/observe';
import { Counter, Histogram } from 'prom-client';
import type { Metrics } from './metrics.ts';

const labelNames = ['job', 'queue'] as const;
const waitBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1_800, 7_200];
const runBuckets = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300];

/** Counts what this process commits for others to run. Returns what ends it. */
export function countEnqueued({ registry }: Metrics): () => void {
  const enqueued = new Counter({
    name: 'ballast_jobs_enqueued_total',
    help: 'Jobs that this process added, counted after the commit. A key that was pending already adds none.',
    labelNames,
    registers: [registry],
  });
  const count = (event: unknown) => {
    const { job, rows } = event as EnqueuedEvent;
    enqueued.inc(labels(job), rows);
  };
  enqueuedChannel.subscribe(count);
  return () => {
    enqueuedChannel.unsubscribe(count);
  };
}

/** For `startWorker({ observe })`: what this process dispatches, runs and repairs. */
export function jobMetrics({ registry }: Metrics): JobObserver {
  const registers = [registry];
  const counter = (name: string, help: string) => new Counter({ name, help, labelNames, registers });
  const histogram = (name: string, help: string, buckets: number[]) =>
    new Histogram({ name, help, labelNames, buckets, registers });
  const dispatched = counter('ballast_jobs_dispatched_total', 'Jobs that this process handed to the queue.');
  const started = counter('ballast_jobs_started_total', 'Jobs whose handler this process began.');
  const ended = new Counter({
    name: 'ballast_jobs_ended_total',
    help: 'What became of jobs: done, retried, dead, cancelled or snoozed. Those that died with their worker or grew stale are counted by who found them.',
    labelNames: [...labelNames, 'outcome'],
    registers,
  });
  const wait = histogram('ballast_job_wait_seconds', 'From when a job was due to its start.', waitBuckets);
  const lag = histogram(
    'ballast_job_dispatch_lag_seconds',
    'The part of it until the job was dispatched.',
    waitBuckets,
  );
  const run = histogram('ballast_job_run_seconds', 'How long handlers took.', runBuckets);
  const repaired = new Counter({
    name: 'ballast_jobs_repaired_total',
    help: 'Jobs put right: orphaned (silent runner), lost (unknown to the queue), wiped (queue lost its data), stale (discarded unrun).',
    labelNames: ['reason'],
    registers,
  });
  for (const reason of ['orphaned', 'lost', 'wiped', 'stale']) repaired.inc({ reason }, 0);
  return {
    dispatched: (job, rows) => dispatched.inc(labels(job), rows),
    started(job, { waitMs, lagMs }) {
      const of = labels(job);
      started.inc(of);
      wait.observe(of, seconds(waitMs));
      lag.observe(of, seconds(lagMs));
    },
    ended(job, outcome, runMs) {
      const of = labels(job);
      ended.inc({ ...of, outcome });
      if (runMs !== null) run.observe(of, seconds(runMs));
    },
    repaired: (reason, rows) => repaired.inc({ reason }, rows),
  };
}

const labels = ({ name, queue }: ObservedJob) => ({ job: name, queue });

/** A row that is started in the millisecond in which it was due must not count below zero. */
const seconds = (ms: number) => Math.max(0, ms) / 1_000;
