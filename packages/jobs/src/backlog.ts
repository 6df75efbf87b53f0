/**
 * What waits, per queue, at a price that does not grow with the backlog: read every
 * few seconds by whoever scrapes metrics. Runs as the dispatcher's role, or as the app's:
 * names and numbers of all tenants' work, and nothing else of it.
 *
 * @example
 * const [mail] = await readBacklog(db);
 * mail.oldestDueSeconds; // 0 while the workers keep up
 */
import type { Database } from '@ballast/db';

export { type ActCount, readActs } from './act.ts';

export interface QueueBacklog {
  queue: string;
  /** Rows that wait, due or not. It and the other numbers of rows stop at `countedAtMost`. */
  pending: number;
  due: number;
  /** How long the oldest due row has waited; 0 when none is due. Exact, however many wait. */
  oldestDueSeconds: number;
  /** Rows handed to the queue or running. */
  inFlight: number;
  dead: number;
  parked: number;
  /** An operator holds them, or a restore does. */
  held: number;
  paused: boolean;
}

/** Counting further would cost more than the difference is worth. */
export const countedAtMost = 100_000;

/** Every queue that a living process serves, that is paused, or in which something waits or is dead. */
export async function readBacklog(db: Database): Promise<QueueBacklog[]> {
  return db.sql<QueueBacklog[]>`
    select queue, pending, due, oldest_due_seconds as "oldestDueSeconds", in_flight as "inFlight", dead, parked, held, paused
    from jobs.backlog(${countedAtMost})`;
}

/** The names of all jobs that a process has ever known. */
export async function knownJobs(db: Database): Promise<string[]> {
  const rows = await db.sql<{ name: string }[]>`select distinct name from jobs.kind order by 1`;
  return rows.map((row) => row.name);
}
