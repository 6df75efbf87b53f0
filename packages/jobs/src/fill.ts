import { uuidv7 } from 'uuidv7';
import type { Fleet } from './fleet.ts';

/** A row that waits, as a claim has locked it. */
export interface DueRow {
  id: string;
  /** Its place in the table, by which it is taken out. */
  at: string;
  lane: string;
  name: string;
  version: number;
  /** Its last pack took a worker down, or it may be started only once. */
  alone: boolean;
  /** For a batch handler: how many rows of one tenant it takes at once. */
  batch: number | null;
  /** How many packs of its kind may be out at once. */
  concurrency: number | null;
  keyed: boolean;
}

/** Rows of one job that travel together. */
export interface Pack {
  id: string;
  name: string;
  rows: DueRow[];
}

export interface Room {
  freePacks: number;
  fleet: Pick<Fleet, 'runMs'>;
  /** How many packs of each limited kind may go out. */
  room: ReadonlyMap<string, number>;
}

/** Twenty rows per BullMQ job gave 2.4 × the throughput of one; more gave little (docs/jobs.md). */
export const maxPackRows = 20;
/** A pack should not hold a slot longer than this, or its last row waits for its first. */
const packRunMs = 100;

/**
 * One row per pack while there are packs enough; under load the rows of one job
 * share packs, as many as fit into `packRunMs`. A job whose run time nobody knows
 * yet, and a row that took a worker down, travel alone. A batch handler gets the rows
 * of one tenant together, under load or not.
 */
export function fill(rows: readonly DueRow[], { freePacks, fleet, room }: Room): Pack[] {
  const crowded = rows.length > freePacks;
  const left = new Map(room);
  const packs: Pack[] = [];
  const open = new Map<string, { pack: Pack; room: number }>();
  for (const row of rows) {
    const kind = `${row.name}@${row.version}${row.batch === null ? '' : row.lane}`;
    const shared = (crowded || row.batch !== null) && !row.alone ? open.get(kind) : undefined;
    if (shared && shared.room > 0) {
      shared.pack.rows.push(row);
      shared.room -= 1;
      continue;
    }
    if (packs.length === freePacks) continue;
    if (row.concurrency !== null) {
      const limited = left.get(row.name) ?? 0;
      if (limited <= 0) continue;
      left.set(row.name, limited - 1);
    }
    const pack = { id: uuidv7(), name: row.name, rows: [row] };
    packs.push(pack);
    if (!row.alone) open.set(kind, { pack, room: (row.batch ?? rowsPerPack(fleet.runMs.get(row.name))) - 1 });
  }
  return packs;
}

function rowsPerPack(runMs: number | undefined): number {
  if (runMs === undefined) return 1;
  return Math.max(1, Math.min(maxPackRows, Math.floor(packRunMs / Math.max(runMs, 1))));
}
