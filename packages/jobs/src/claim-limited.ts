/**
 * Limited kinds: how many packs of each may go out, and whose turn it is. While a kind is at its limit it takes no
 * part in where the next claim goes on, so that it holds up nobody; its own turns are remembered here.
 */
import { randomUUID } from 'node:crypto';
import type postgres from 'postgres';
import { lineBefore, type Walked } from './claim-walk.ts';
import type { DueRow, Pack } from './fill.ts';

/** Per limited kind, the lane behind which it goes on; null: at the first of all. */
export type Turns = ReadonlyMap<string, string | null>;

/** How many packs of each limited kind may go out. Claims of one kind take turns, or two would fill the same room. */
export async function roomOfLimited(
  sql: postgres.TransactionSql,
  rows: readonly DueRow[],
): Promise<Map<string, number>> {
  const limits = new Map(rows.flatMap((row) => (row.concurrency === null ? [] : [[row.name, row.concurrency]])));
  if (limits.size === 0) return new Map();
  const names = [...limits.keys()].sort();
  for (const name of names) {
    await sql`select pg_advisory_xact_lock(hashtext('ballast.jobs.concurrency'), hashtext(${name}))`;
  }
  const out = await sql<{ name: string; packs: number }[]>`
    select name, count(*)::int as packs from jobs.pack where name = any(${names}::text[]) group by name`;
  const packs = new Map(out.map((row) => [row.name, row.packs]));
  return new Map(names.map((name) => [name, (limits.get(name) ?? 0) - (packs.get(name) ?? 0)]));
}

/** What the walk has seen, and how to look further. */
interface Seen {
  room: ReadonlyMap<string, number>;
  /** Absent for whoever claims once, and has no turns to give. */
  turns: Turns | undefined;
  /** Where the walk began, and where it ended. */
  afterLane: string | null;
  end: string | null;
  walkOn(afterLane: string | null, packs: number): Promise<{ rows: readonly Walked[]; end: string | null }>;
}

/** The rows of one limited kind, as its turns have them. */
interface Order {
  name: string;
  behind: string | null;
  rows: readonly Walked[];
  /** Where it goes on when all of them are taken. */
  end: string | null;
}

export interface Arranged {
  rows: Walked[];
  orders: Order[];
}

/**
 * Puts the rows of each limited kind that has room into the order of its turns. The walk still says when it is the kind's turn
 * among everyone's, and how often; which of its tenants that is, its own memory says. To begin each
 * time at the lowest lane would give every pack that ends to the first tenant, for as long as that one has work.
 */
export async function arrange(candidates: readonly Walked[], seen: Seen): Promise<Arranged> {
  const rows = [...candidates];
  const orders: Order[] = [];
  for (const [name, room] of seen.room) {
    if (room <= 0) continue;
    const own = candidates.filter((row) => isOf(name, row));
    const order = await orderOf(name, own, room, seen);
    orders.push(order);
    const inTurn = new Set(order.rows.map((row) => row.id));
    const next = [...order.rows, ...own.filter((row) => !inTurn.has(row.id))].values();
    for (const [index, { line, place }] of candidates.entries()) {
      if (isOf(name, candidates[index] as Walked)) rows[index] = { ...(next.next().value as Walked), line, place };
    }
  }
  return { rows, orders };
}

/** A row from before its kind was limited waits in its tenant's lane, and is not counted among them. */
const isOf = (name: string, row: DueRow) => row.name === name && row.concurrency !== null;

async function orderOf(name: string, own: readonly Walked[], room: number, seen: Seen): Promise<Order> {
  const { turns, afterLane, end } = seen;
  const behind = !turns ? afterLane : turns.has(name) ? (turns.get(name) ?? null) : firstTurn(own);
  if (afterLane === null && end === null) {
    const later = (row: Walked) => behind === null || row.lane > behind;
    const rows = own.toSorted((a, b) => a.place - b.place || Number(later(b)) - Number(later(a)));
    return { name, behind, rows, end: rows.at(-1)?.lane ?? null };
  }
  if (afterLane === behind) return { name, behind, rows: own, end };
  // Its turn may be a lane that this walk has not come by. From there, and once more from the first of all.
  for (let from = behind; ; from = null) {
    const further = await seen.walkOn(from, room);
    const rows = further.rows.filter((row) => isOf(name, row));
    if (rows.length > 0 || further.end !== null || from === null) return { name, behind, rows, end: further.end };
  }
}

/**
 * Where a dispatcher begins that remembers no turn: with the row that must travel alone and has waited longest. It needs one of
 * the kind's few packs for itself, while whoever stands behind it may travel along in anybody's: where dispatchers were killed every
 * few seconds, 827 overtook one that never had its turn. Without such a row anywhere, since many that have just begun must not all
 * begin with the same tenant.
 */
function firstTurn(own: readonly Walked[]): string | null {
  // Ids tell the time of their making.
  const [longest] = own.filter((row) => row.alone).sort((a, b) => (a.id < b.id ? -1 : 1));
  return longest ? lineBefore(own, longest.lane, null) : randomUUID();
}

/** Behind whom each kind goes on that was given something: behind the last one in front of the first that found no room. */
export function turnsAfter(orders: readonly Order[], packs: readonly Pack[]): Turns {
  const taken = new Set(packs.flatMap((pack) => pack.rows.map((row) => row.id)));
  const served = new Set(packs.map((pack) => pack.name));
  return new Map(
    orders
      .filter((order) => served.has(order.name))
      .map(({ name, behind, rows, end }) => {
        const first = rows.findIndex((row) => !taken.has(row.id));
        if (first === -1) return [name, end];
        return [name, rows[first - 1]?.lane ?? behind];
      }),
  );
}
