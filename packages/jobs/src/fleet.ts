import type { Database } from '@ballast/db';

/** Silent for this long means dead. Five missed beats; by the database's clock alone. */
export const silentAfterMs = 15_000;
export const beatEveryMs = 3_000;

/** What the living workers can do together. */
export interface Fleet {
  /** Packs at once, per queue. */
  slots: Map<string, number>;
  /** `name@version` of every job that somebody can run. */
  knows: Set<string>;
  /** The slowest recent run time of a job, in milliseconds; absent while nobody has run it. */
  runMs: Map<string, number>;
}

/** Reads the heartbeats of the living. */
export async function readFleet(db: Database): Promise<Fleet> {
  const processes = await db.sql<{ slots: Record<string, number>; knows: string[]; run_ms: Record<string, number> }[]>`
    select slots, knows, run_ms from jobs.process
    where beat_at > now() - ${silentAfterMs} * interval '1 millisecond'`;
  const fleet: Fleet = { slots: new Map(), knows: new Set(), runMs: new Map() };
  for (const process of processes) {
    for (const [queue, count] of Object.entries(process.slots)) {
      fleet.slots.set(queue, (fleet.slots.get(queue) ?? 0) + count);
    }
    for (const known of process.knows) fleet.knows.add(known);
    for (const [name, ms] of Object.entries(process.run_ms)) {
      fleet.runMs.set(name, Math.max(fleet.runMs.get(name) ?? 0, ms));
    }
  }
  return fleet;
}
