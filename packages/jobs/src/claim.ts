import type { Database } from '@ballast/db';
import type postgres from 'postgres';
import { uuidv7 } from 'uuidv7';
import type { Fleet } from './fleet.ts';

/** Rows of one job that travel together. */
export interface Pack {
  id: string;
  name: string;
  jobIds: string[];
}

export interface ClaimRequest {
  queue: string;
  /** How many packs may be added. */
  freePacks: number;
  fleet: Fleet;
  /** The lane that was served last, so that every tenant gets its turn; null starts over. */
  afterLane: string | null;
}

export interface Claimed {
  packs: Pack[];
  lastLane: string | null;
}

interface DueRow {
  id: string;
  name: string;
  version: number;
  lane: string;
  /** Its last pack took a worker down, or it may be started only once. */
  alone: boolean;
  /** Nobody has known this kind for a minute, counted from the row's own beginning at the earliest. */
  forgotten: boolean;
}

/** Twenty rows per BullMQ job gave 2.4 × the throughput of one; more gave little (docs/jobs.md). */
const maxPackRows = 20;
/** A pack should not hold a slot longer than this, or its last row waits for its first. */
const packRunMs = 100;
/** How many tenants one claim looks at. */
const maxLanes = 64;

/**
 * Picks due rows, tenant by tenant in turn, marks them dispatched under fresh pack
 * ids and commits. Only after that may the packs be added to the queue. Rows that
 * another dispatcher holds are skipped, never waited for.
 */
export async function claim(db: Database, request: ClaimRequest): Promise<Claimed> {
  const wanted = request.freePacks * maxPackRows;
  return db.sql.begin(async (sql) => {
    const rows = await sql<DueRow[]>`
      with recursive lane (lane, depth) as (
        (select job.lane, 1 from jobs.job
         where state = 'pending' and queue = ${request.queue}
           and (${request.afterLane}::uuid is null or job.lane > ${request.afterLane}::uuid)
         order by job.lane limit 1)
        union all
        select (select job.lane from jobs.job
                where state = 'pending' and queue = ${request.queue} and job.lane > lane.lane
                order by job.lane limit 1), depth + 1
        from lane where lane.lane is not null and depth < ${maxLanes}
      ), turn as (
        select lane, greatest(1, ceil(${wanted}::numeric / count(*) over ()))::int as share
        from lane where lane is not null
      ), due as (
        select candidate.id, candidate.place, turn.lane
        from turn cross join lateral (
          select job.id, row_number() over (order by job.run_at, job.id) as place
          from jobs.job
          where state = 'pending' and queue = ${request.queue} and job.lane = turn.lane and run_at <= now()
            and (discard_after is null or discard_after > now())
          order by job.run_at, job.id limit turn.share
        ) candidate
      )
      select job.id, job.name, job.version, job.lane, job.alone or job.attempts = 1 as alone,
             greatest(job.created_at, coalesce(kind.known_at, job.created_at)) < now() - interval '1 minute' as forgotten
      from jobs.job join due using (id)
      left join jobs.kind on kind.name = job.name and kind.version = job.version
      where job.state = 'pending'
      order by due.place, job.lane
      for update of job skip locked`;
    const known = (row: DueRow) => request.fleet.knows.has(`${row.name}@${row.version}`);
    await putAside(
      sql,
      rows.filter((row) => !known(row)),
    );
    const packs = fill(rows.filter(known), request);
    const marks = packs.flatMap((pack) => pack.jobIds.map((jobId) => ({ jobId, packId: pack.id })));
    if (marks.length > 0) {
      await sql`
        update jobs.job
        set state = 'dispatched', pack_id = mark.pack_id, key = null, dispatched_at = now(),
            started_at = null, runner_id = null
        from unnest(${marks.map((mark) => mark.jobId)}::uuid[], ${marks.map((mark) => mark.packId)}::uuid[])
          as mark (job_id, pack_id)
        where job.id = mark.job_id`;
    }
    return { packs, lastLane: lastOf(rows) };
  }) as Promise<Claimed>;
}

/**
 * A kind that no living process knows is looked at again in seconds, uncharged: a
 * deploy is under way. After a minute it is parked, so that its rows stop standing
 * in front of others: its module is off.
 */
async function putAside(sql: postgres.TransactionSql, rows: readonly DueRow[]): Promise<void> {
  if (rows.length === 0) return;
  const ids = (forgotten: boolean) => rows.filter((row) => row.forgotten === forgotten).map((row) => row.id);
  await sql`
    update jobs.job
    set state = case when id = any(${ids(true)}::uuid[]) then 'parked' else state end,
        run_at = case when id = any(${ids(true)}::uuid[]) then run_at else now() + interval '5 seconds' end,
        key = case when id = any(${ids(true)}::uuid[]) then null else key end
    where id = any(${rows.map((row) => row.id)}::uuid[])`;
}

/**
 * One row per pack while there are packs enough; under load the rows of one job
 * share packs, as many as fit into `packRunMs`. A job whose run time nobody knows
 * yet, and a row that took a worker down, travel alone.
 */
function fill(rows: readonly DueRow[], request: ClaimRequest): Pack[] {
  const crowded = rows.length > request.freePacks;
  const packs: Pack[] = [];
  const open = new Map<string, { pack: Pack; room: number }>();
  for (const row of rows) {
    const job = `${row.name}@${row.version}`;
    const shared = crowded && !row.alone ? open.get(job) : undefined;
    if (shared && shared.room > 0) {
      shared.pack.jobIds.push(row.id);
      shared.room -= 1;
      continue;
    }
    if (packs.length === request.freePacks) continue;
    const pack = { id: uuidv7(), name: row.name, jobIds: [row.id] };
    packs.push(pack);
    if (!row.alone) open.set(job, { pack, room: rowsPerPack(request.fleet.runMs.get(row.name)) - 1 });
  }
  return packs;
}

function rowsPerPack(runMs: number | undefined): number {
  if (runMs === undefined) return 1;
  return Math.max(1, Math.min(maxPackRows, Math.floor(packRunMs / Math.max(runMs, 1))));
}

function lastOf(rows: readonly DueRow[]): string | null {
  return rows.reduce<string | null>((last, row) => (last === null || row.lane > last ? row.lane : last), null);
}
