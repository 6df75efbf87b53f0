/**
 * The connections of each process to Postgres at the most. They open when used, so a process that rests has fewer. What is
 * counted is what the processes say of their pools (`apps/api/src/connections.test.ts`); `poolSize` is `DATABASE_POOL_SIZE`.
 */

/** Sign-ups, sessions and whatever else touches identity: `apps/api/src/context.ts`. */
const identity = 5;
/** Health looks by itself, so that a full pool is not taken for an outage. */
const health = 1;
/** What waits, read for a scrape: only in a process that takes jobs. */
const metrics = 1;
/** Postgres announces new jobs to the dispatcher on a connection beside its pool. */
const announcements = 1;

/** An API whose jobs run elsewhere (`DISABLE_BACKGROUND_WORKERS`): the pool of its requests, identity, health. */
export function apiConnections(poolSize: number): number {
  return poolSize + identity + health;
}

/**
 * A worker with the queue on Redis: the pool that it shares with the API, from which it asks one thing at its start, that of the
 * handlers, that of the dispatcher and the outcomes, and besides identity, health, metrics and announcements. Without Redis BullMQ
 * adds ten, and one for each queue.
 */
export function workerConnections(poolSize: number): number {
  return 3 * poolSize + identity + health + metrics + announcements;
}
