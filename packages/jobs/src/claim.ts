import type { Database } from '@ballast/db';
import type postgres from 'postgres';
import { claimFew } from './claim-few.ts';
import { arrange, roomOfLimited, type Turns, turnsAfter } from './claim-limited.ts';
import { endOf, lineBefore, type Walked, walk } from './claim-walk.ts';
import { type DueRow, fill, type Pack } from './fill.ts';
import type { Fleet } from './fleet.ts';

export interface ClaimRequest {
  queue: string;
  /** How many packs may be added. */
  freePacks: number;
  /** For each of them, how many rows to look at; `fill` gives fewer to kinds that run long. */
  rowsPerPack: number;
  fleet: Fleet;
  /** The lane behind which the last claim left off, so that every tenant gets its turn; null starts over. */
  afterLane: string | null;
  /** What former claims said of limited kinds; each begins anywhere where nothing is known. */
  turns?: Turns;
  /** The last claim left nothing: probably only a few rows are due. */
  idle?: boolean;
}

export interface Claimed {
  packs: Pack[];
  /** The next claim goes on behind it; null when this one came round. */
  lastLane: string | null;
  /** Of the limited kinds that were given something: where each goes on. */
  turns: Turns;
  /** Rows were seen that no pack took: there are more than fit, or their kind is at its limit. */
  left: boolean;
  /** All rows that were due are claimed, but those that others hold; of the claim of an idle queue only. */
  clear: boolean;
  /** The same, of any claim: every lane was seen to its end. */
  drained: boolean;
}

/**
 * Takes due rows, tenant by tenant in turn, out of the line into packs, and commits.
 * Only after that may the packs be added to the queue. The commit is not waited for until
 * it is on disk: the one that opens the pack is, and stands behind it. Rows that another
 * dispatcher holds are skipped, never waited for.
 */
export async function claim(db: Database, request: ClaimRequest): Promise<Claimed> {
  const few = request.idle ? await claimFew(db, request) : null;
  if (few) return { packs: few, lastLane: null, turns: new Map(), left: false, clear: true, drained: true };
  return db.sql.begin(async (sql) => {
    const { afterLane, turns } = request;
    const walked = await walk(sql, request);
    const rows = await free(sql, walked);
    const known = (row: DueRow) => request.fleet.knows.has(`${row.name}@${row.version}`);
    await putAside(
      sql,
      rows.filter((row) => !known(row)),
    );
    const candidates = rows.filter(known);
    const room = await roomOfLimited(sql, candidates);
    const walkOn = async (from: string | null, packs: number) => {
      const freePacks = Math.min(packs, request.freePacks);
      const further = await walk(sql, { ...request, freePacks, afterLane: from });
      return { rows: (await free(sql, further)).filter(known), end: endOf(further) };
    };
    const arranged = await arrange(candidates, { room, turns, afterLane, end: endOf(walked), walkOn });
    const { packs, waiting } = fill(arranged.rows, { ...request, room });
    await take(sql, request.queue, packs);
    const first = arranged.rows.find((row) => row.id === waiting?.id);
    const lastLane = servedLast(walked, first, afterLane);
    const taken = new Set(packs.flatMap((pack) => pack.rows.map((row) => row.id)));
    const left = candidates.some((row) => !taken.has(row.id));
    const drained = !left && lastLane === null && afterLane === null && seenToTheirEnds(walked);
    return { packs, lastLane, turns: turnsAfter(arranged.orders, packs), left, clear: false, drained };
  }) as Promise<Claimed>;
}

/** A lane that gave as many rows as were asked of it may have more. */
function seenToTheirEnds(walked: readonly Walked[]): boolean {
  const seen = Map.groupBy(walked, (row) => row.line);
  return [...seen.values()].every((rows) => rows.length < (rows[0]?.share ?? 0));
}

/**
 * Where the next claim goes on: at the first tenant that found no pack free for its first row, or else behind the last line
 * that was looked at. To begin anew each time would give every slot that becomes free to the first tenant of the index.
 */
function servedLast(walked: readonly Walked[], waiting: Walked | undefined, afterLane: string | null): string | null {
  return waiting?.place === 1 ? lineBefore(walked, waiting.line, afterLane) : endOf(walked);
}

/** Those that nobody holds. A row whose key another transaction holds waits for it: a second enqueue of that key is under way. */
async function free(sql: postgres.TransactionSql, walked: readonly Walked[]): Promise<readonly Walked[]> {
  const rows = walked.filter((row) => row.id !== null);
  const keyed = rows.filter((row) => row.keyed).map((row) => row.id);
  if (keyed.length === 0) return rows;
  const unheld = await sql<{ id: string }[]>`
    select job_id as id from jobs.key where job_id = any(${keyed}::uuid[]) for update skip locked`;
  const ids = new Set(unheld.map((row) => row.id));
  return rows.filter((row) => !row.keyed || ids.has(row.id));
}

/** Moves the rows out of the line into their packs. They are locked, so their places cannot have changed. */
async function take(sql: postgres.TransactionSql, queue: string, packs: readonly Pack[]): Promise<void> {
  if (packs.length === 0) return;
  const rows = packs.flatMap((pack) => pack.rows);
  const ends = packs.map(({ rows: { length } }, index, all) =>
    all.slice(0, index).reduce((sum, pack) => sum + pack.rows.length, length),
  );
  const keyed = rows.filter((row) => row.keyed).map((row) => row.id);
  if (keyed.length > 0) await sql`delete from jobs.key where job_id = any(${keyed}::uuid[])`;
  await sql`
    with taken as (
      delete from jobs.due where ctid = any(${rows.map((row) => row.at)}::text[]::tid[])
    )
    insert into jobs.pack (id, queue, name, job_ids)
    select pack.id, ${queue}, pack.name, (${rows.map((row) => row.id)}::uuid[])[pack.first:pack.last]
    from unnest(${packs.map((pack) => pack.id)}::uuid[], ${packs.map((pack) => pack.name)}::text[],
                ${packs.map((pack, index) => (ends[index] as number) - pack.rows.length + 1)}::int[], ${ends}::int[])
      as pack (id, name, first, last)`;
}

/**
 * A kind that no living process knows is looked at again in seconds, uncharged: a
 * deploy is under way. After a minute it is parked: its module is off. A kind that
 * nobody has ever known is given its minute from here.
 */
async function putAside(sql: postgres.TransactionSql, rows: readonly DueRow[]): Promise<void> {
  if (rows.length === 0) return;
  await sql`
    insert into jobs.kind (name, version)
    select distinct * from unnest(${rows.map((row) => row.name)}::text[], ${rows.map((row) => row.version)}::int[])
    on conflict do nothing`;
  await sql`
    with unknown as (
      delete from jobs.due where ctid = any(${rows.map((row) => row.at)}::text[]::tid[]) returning due.*
    ), aged as (
      select unknown.*, kind.known_at < now() - interval '1 minute' as forgotten
      from unknown join jobs.kind on kind.name = unknown.name and kind.version = unknown.version
    ), parked as (
      insert into jobs.aside (job_id, why, queue, name, version)
      select job_id, 'parked', queue, name, version from aged where forgotten
    ), unkeyed as (
      delete from jobs.key using aged where aged.forgotten and key.job_id = aged.job_id
    ), moved as (
      update jobs.job set run_at = now() + interval '5 seconds' from aged where not forgotten and job.id = aged.job_id
    )
    insert into jobs.later (queue, lane, priority, run_at, job_id, name, version, alone, batch, concurrency, discard_after, keyed)
    select queue, lane, priority, now() + interval '5 seconds', job_id, name, version, alone, batch, concurrency, discard_after, keyed
    from aged where not forgotten`;
}
