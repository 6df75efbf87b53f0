import type postgres from 'postgres';

type Sql = postgres.Sql | postgres.TransactionSql;

/**
 * Two CTEs that put open jobs back to where they wait: among the due, or among those
 * whose time has not come. `source` is a CTE with the columns of `jobs.job`; its rows
 * must have left their former place in the same statement. They hold no key any more.
 * `placeAt`: where those that sleep stand in the line once they wake; where their time puts them when it is left out.
 */
export function linedUp(sql: Sql, source: string, placeAt = sql`null::timestamptz`) {
  const columns = sql`
    queue, lane, priority, run_at, job_id, name, version, alone, batch, concurrency, discard_after, keyed`;
  const values = sql`
    queue, lane, priority, run_at, id, name, version, alone or attempts = 1, batch, concurrency, discard_after, false`;
  return sql`
    waits as (
      insert into jobs.due (${columns}) select ${values} from ${sql(source)} where run_at <= now()
    ), sleeps as (
      insert into jobs.later (${columns}, place_at) select ${values}, ${placeAt} from ${sql(source)} where run_at > now()
    )`;
}

/** How many jobs leave `jobs.aside` in one statement. */
export const backAtOnce = 1_000;

/**
 * CTEs that take a thousand jobs from aside back to where they wait, not before now: what
 * they waited there is nobody's lateness. `which` is a condition on `jobs.aside`; the CTE `back`
 * has those that left it, and `again` their rows.
 */
export function backInLine(sql: Sql, which: postgres.PendingQuery<postgres.Row[]>) {
  return sql`
    back as (
      delete from jobs.aside where job_id in (
        select job_id from jobs.aside where ${which} limit ${backAtOnce} for update skip locked
      )
      returning job_id
    ), again as (
      update jobs.job set run_at = greatest(run_at, now())
      from back where job.id = back.job_id and job.state = 'open'
      returning job.*
    ), ${linedUp(sql, 'again')}`;
}

/**
 * Takes a pack away that this process was given and has not begun, and lines its open jobs up again,
 * uncharged: it asked for it to be opened, and does not know whether it was. Should that request still be on
 * its way, it finds nothing. They keep their place in the line and wait for a second first: what made the opening fail may
 * do so again at once. Returns how many jobs.
 */
export async function returnUnbegun(sql: Sql, packId: string, processId: string): Promise<number> {
  const rows = await sql`
    with gone as (
      delete from jobs.pack where id = ${packId} and (runner_id is null or runner_id = ${processId}) returning job_ids
    ), again as (
      update jobs.job
      set attempt = attempt - case when started_at is null then 0 else 1 end, started_at = null,
          run_at = now() + interval '1 second'
      from (select unnest(job_ids) as id from gone) member
      where job.id = member.id and job.state = 'open'
      returning job.*, old.run_at as place_at
    ), ${linedUp(sql, 'again', sql`place_at`)}
    select id from again`;
  return rows.count;
}

/**
 * Takes packs away that no worker has opened, and lines their open jobs up again,
 * uncharged. `suspect`: a worker may have died under them, so each travels alone from
 * now on. Returns how many jobs.
 */
export async function returnPacks(sql: Sql, packIds: readonly string[], suspect: boolean): Promise<number> {
  const rows = await sql`
    with gone as (
      delete from jobs.pack where id = any(${packIds as string[]}::uuid[]) and runner_id is null returning job_ids
    ), again as (
      update jobs.job set alone = alone or ${suspect}
      from (select unnest(job_ids) as id from gone) member
      where job.id = member.id and job.state = 'open'
      returning job.*
    ), ${linedUp(sql, 'again')}
    select id from again`;
  return rows.count;
}
