import type { Database } from '@ballast/db';
import type postgres from 'postgres';
import { acted } from './act.ts';
import { wakeChannel } from './enqueue.ts';
import { backInLine } from './line-up.ts';

type Sql = postgres.Sql | postgres.TransactionSql;

/** One job, or all of a queue, of a name, of both; all there are when nothing is said. */
export interface Choice {
  id?: string;
  queue?: string;
  name?: string;
}

export interface KindCount {
  queue: string;
  name: string;
  jobs: number;
}

export interface Holdable {
  /** Waiting for a slot or for their time, on their way, or parked. */
  kinds: KindCount[];
  /** In the hands of a worker: these are left to end, and wait again, not held, if they fail. */
  running: number;
}

export interface Held extends Holdable {
  /** Still waiting: each time it was looked for, somebody else was moving it. */
  missed: number;
}

/** How many of each place are moved in one commit. */
const batch = 10_000;
const lookAgainMs = 20;

/**
 * Takes what has not begun out of the line, until it is released. Jobs that are added
 * afterwards are not held: that is what a pause is for. A held job gives up its key.
 *
 * Nobody is waited for. What another is moving at the moment, or keeps from running by
 * its key, is looked for again, for `patienceMs`.
 */
export async function holdJobs(db: Database, choice: Choice, patienceMs = 5_000): Promise<Held> {
  const kinds: KindCount[] = [];
  for (let until = Number.NaN; ; ) {
    const moved = await holdSome(db.sql, choice);
    add(kinds, moved);
    if (sum(moved) >= batch) continue;
    const left = await readHoldable(db, choice);
    const missed = sum(left.kinds);
    if (Number.isNaN(until)) until = performance.now() + patienceMs;
    if (missed === 0 || performance.now() > until) return { kinds, running: left.running, missed };
    await new Promise((resolve) => setTimeout(resolve, lookAgainMs));
  }
}

/** What `holdJobs` would hold now, and what it would leave. */
export async function readHoldable(db: Database, choice: Choice): Promise<Holdable> {
  const { sql } = db;
  const rows = await sql<(KindCount & { running: boolean })[]>`
    with member as (
      select pack.queue, pack.name, pack.runner_id is not null as running, one.id as job_id
      from jobs.pack cross join lateral unnest(job_ids) as one (id)
      join jobs.job on job.id = one.id and job.state = 'open'
    ), found as (
      select queue, name, false as running from jobs.due where ${which(sql, choice)}
      union all select queue, name, false from jobs.later where ${which(sql, choice)}
      union all select queue, name, false from jobs.aside where why = 'parked' and ${which(sql, choice)}
      union all select queue, name, running from member where ${which(sql, choice)}
    )
    select queue, name, running, count(*)::int as jobs from found group by 1, 2, 3 order by 1, 2`;
  const kinds = rows.filter((row) => !row.running).map(({ queue, name, jobs }) => ({ queue, name, jobs }));
  return { kinds, running: sum(rows.filter((row) => row.running)) };
}

/** Lines held jobs up again, each at its own time. Returns how many of each kind. */
export async function releaseJobs(db: Database, choice: Choice): Promise<KindCount[]> {
  const kinds: KindCount[] = [];
  for (;;) {
    const moved = await db.sql<KindCount[]>`
      with ${backInLine(db.sql, db.sql`why = 'held' and ${which(db.sql, choice)}`)},
      ${acted(db.sql, 'released', 'again')}
      select queue, name, count(*)::int as jobs from again group by 1, 2`;
    if (moved.length === 0) return kinds;
    db.notify(wakeChannel);
    add(kinds, moved);
  }
}

/**
 * Cancels held jobs: what was done already when the database was restored to before it.
 * Only those, so that nothing is cancelled which nobody had looked at.
 */
export async function cancelHeld(db: Database, choice: Choice): Promise<KindCount[]> {
  const { sql } = db;
  const kinds: KindCount[] = [];
  for (;;) {
    const ended = await sql<KindCount[]>`
      with gone as (
        delete from jobs.aside where job_id in (
          select job_id from jobs.aside where why = 'held' and ${which(sql, choice)} limit 1000 for update skip locked
        )
        returning job_id
      ), ended as (
        update jobs.job
        set state = 'cancelled', ended_at = now(), body = case when secrets is null then body else body - secrets end
        from gone where job.id = gone.job_id and job.state = 'open'
        returning job.queue, job.name
      ), ${acted(sql, 'cancelled', 'ended')}
      select queue, name, count(*)::int as jobs from ended group by 1, 2`;
    if (ended.length === 0) return kinds;
    add(kinds, ended);
  }
}

/** What `releaseJobs` would release now, and `cancelHeld` cancel. */
export async function readHeld(db: Database, choice: Choice): Promise<KindCount[]> {
  return db.sql<KindCount[]>`
    select queue, name, count(*)::int as jobs from jobs.aside
    where why = 'held' and ${which(db.sql, choice)} group by 1, 2 order by 1, 2`;
}

/** One commit's worth. A job leaves its place first, the order in which everyone who moves one locks. */
export async function holdSome(sql: Sql, choice: Choice): Promise<KindCount[]> {
  const { id } = choice;
  return sql<KindCount[]>`
    with line as materialized (
      select ctid as at, job_id, keyed from jobs.due where ${which(sql, choice)} limit ${batch} for update skip locked
    ), timed as materialized (
      select ctid as at, job_id, keyed from jobs.later where ${which(sql, choice)} limit ${batch} for update skip locked
    ), keyed as (
      select job_id from line where keyed union all select job_id from timed where keyed
    ), free as materialized (
      select job_id from jobs.key where job_id in (select job_id from keyed) for update skip locked
    ), busy as (
      -- A second enqueue of their keys is under way, and may want the keys of others of these next.
      select job_id from keyed
      where job_id not in (select job_id from free) and job_id in (select job_id from jobs.key)
    ), undue as (
      delete from jobs.due where ctid = any(array(select at from line where job_id not in (select job_id from busy)))
      returning job_id, queue, name, version
    ), unripe as (
      delete from jobs.later where ctid = any(array(select at from timed where job_id not in (select job_id from busy)))
      returning job_id, queue, name, version
    ), pack as materialized (
      select id, job_ids from jobs.pack
      where runner_id is null and cardinality(job_ids) > 0 and ${which(sql, { ...choice, id: undefined })}
        and ${id === undefined ? sql`true` : sql`${id}::uuid = any(job_ids)`}
      limit ${batch} for update skip locked
    ), member as (
      select pack.id as pack_id, job.id as job_id, job.queue, job.name, job.version
      from pack cross join lateral unnest(job_ids) as one (id)
      join jobs.job on job.id = one.id and job.state = 'open'
      where ${id === undefined ? sql`true` : sql`job.id = ${id}`}
    ), unpacked as (
      update jobs.pack
      set job_ids = array(select one from unnest(job_ids) as one where one not in (select job_id from member))
      where id in (select pack_id from member)
    ), parked as (
      update jobs.aside set why = 'held' where job_id in (
        select job_id from jobs.aside where why = 'parked' and ${which(sql, choice)} limit ${batch} for update skip locked
      )
      returning queue, name
    ), moved as (
      select * from undue union all select * from unripe
      union all select job_id, queue, name, version from member
    ), unkeyed as (
      delete from jobs.key where job_id in (select job_id from moved)
    ), held as (
      insert into jobs.aside (job_id, why, queue, name, version) select job_id, 'held', queue, name, version from moved
    ), every_held as (
      select queue, name from moved union all select queue, name from parked
    ), ${acted(sql, 'held', 'every_held')}
    select queue, name, count(*)::int as jobs from every_held group by 1, 2`;
}

/** A condition on rows with the columns queue, name and job_id. */
function which(sql: Sql, { id, queue, name }: { [Part in keyof Choice]?: string | undefined }) {
  return sql`true
    ${id === undefined ? sql`` : sql`and job_id = ${id}`}
    ${queue === undefined ? sql`` : sql`and queue = ${queue}`}
    ${name === undefined ? sql`` : sql`and name = ${name}`}`;
}

const sum = (counts: readonly KindCount[]) => counts.reduce((total, { jobs }) => total + jobs, 0);

function add(kinds: KindCount[], more: readonly KindCount[]): void {
  for (const { queue, name, jobs } of more) {
    const known = kinds.find((kind) => kind.queue === queue && kind.name === name);
    if (known) known.jobs += jobs;
    else kinds.push({ queue, name, jobs });
  }
}
