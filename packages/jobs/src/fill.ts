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

export interface Filled {
  packs: Pack[];
  /** The first row for which no pack was free. */
  waiting: DueRow | null;
}

export interface Room {
  freePacks: number;
  fleet: Pick<Fleet, 'runMs'>;
  /** How many packs of each limited kind may go out. */
  room: ReadonlyMap<string, number>;
}

/** The most rows that share a pack. From 20 to 100 a handler that does nothing cost 129, 86 (50) and 75 µs a job of all processes; larger ones were not measured. */
const maxPackRows = 100;
/** As measured, a pack holds its slot no longer than this: half the time after which rows go back, since runs under load take longer than those before it. */
const packRunMs = 50;
/** Rows that run this short together are not worth a slot each, though slots are free. */
const sharedRunMs = 2;

/**
 * One row per pack while there are packs enough. Under load the rows of one job share
 * packs: each takes its part of what waits, so that no slot stays empty beside a full
 * one, and no more than fits into `packRunMs`. A job whose run time nobody knows yet,
 * and a row that took a worker down, travel alone. A batch handler gets the rows of
 * one tenant together, under load or not.
 */
export function fill(rows: readonly DueRow[], { freePacks, fleet, room }: Room): Filled {
  const part = Math.ceil(rows.length / freePacks);
  const left = new Map(room);
  const packs: Pack[] = [];
  let waiting: DueRow | null = null;
  const open = new Map<string, { pack: Pack; room: number }>();
  for (const row of rows) {
    const kind = `${row.name}@${row.version}${row.batch === null ? '' : row.lane}`;
    const shared = row.alone ? undefined : open.get(kind);
    if (shared && shared.room > 0) {
      shared.pack.rows.push(row);
      shared.room -= 1;
      continue;
    }
    if (packs.length === freePacks) {
      waiting ??= row;
      continue;
    }
    if (row.concurrency !== null) {
      const limited = left.get(row.name) ?? 0;
      if (limited <= 0) continue;
      left.set(row.name, limited - 1);
    }
    const pack = { id: uuidv7(), name: row.name, rows: [row] };
    packs.push(pack);
    if (!row.alone) open.set(kind, { pack, room: (row.batch ?? rowsPerPack(fleet.runMs.get(row.name), part)) - 1 });
  }
  return { packs, waiting };
}

function rowsPerPack(runMs: number | undefined, part: number): number {
  if (runMs === undefined) return 1;
  const most = Math.min(maxPackRows, Math.floor(packRunMs / runMs));
  return Math.max(1, Math.min(most, Math.max(part, Math.floor(sharedRunMs / runMs))));
}

/**
 * How many rows a claim should look at for each pack, by what the last one could use:
 * where runs are long, a pack takes one, and the rest would be locked for nothing.
 */
export function rowsToLookAt(packs: readonly Pack[]): number {
  const rows = packs.reduce((sum, pack) => sum + pack.rows.length, 0);
  return Math.max(fewestToLookAt, Math.min(maxPackRows, Math.ceil((2 * rows) / Math.max(1, packs.length))));
}

export const fewestToLookAt = 4;
