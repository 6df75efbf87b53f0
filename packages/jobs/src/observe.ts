import { channel } from 'node:diagnostics_channel';
import type { JobDefinition } from '@ballast/kernel';

export type ObservedJob = Pick<JobDefinition, 'name' | 'queue'>;

/** How a run ended, as it was committed: `retried` and `snoozed` wait again, and only the former was charged. */
export type RunEnd = 'done' | 'retried' | 'dead' | 'cancelled' | 'snoozed';

/** Why the sweep, or a dispatcher that found its queue wiped, put rows right. */
export type Repair = 'orphaned' | 'lost' | 'stale' | 'wiped';

/** What a process may count. Called after the fact, in the middle of other work: it must neither throw nor wait. */
export interface JobObserver {
  /** Rows were handed to the queue. */
  dispatched(job: ObservedJob, rows: number): void;
  /** A handler is about to run: how long after `run_at`, and how much of that passed before it was dispatched. */
  started(job: ObservedJob, times: { waitMs: number; lagMs: number }): void;
  /** Null when no handler ran: what grew stale, and what the sweep buries. */
  ended(job: ObservedJob, end: RunEnd, runMs: number | null): void;
  repaired(why: Repair, rows: number): void;
}

export interface EnqueuedEvent {
  job: ObservedJob;
  rows: number;
}

/** Producers hold no observer: what they committed is published here, for whoever in the process subscribes. */
export const enqueuedChannel = channel('ballast.jobs.enqueued');
