import type { Database } from '@ballast/db';
import type postgres from 'postgres';
import { acted } from './act.ts';

/**
 * Cancels what has not started. True when it did. A row that runs inside a larger
 * pack at this moment may still have its external effect; its transaction is refused.
 *
 * The job leaves its place first and ends then, the order in which everyone who moves a
 * job locks. Each statement sees what was committed before it: a job that another moved
 * meanwhile is not where the first one looked, and is looked for again.
 */
export async function cancelJob(db: Database, id: string): Promise<boolean> {
  for (let tries = 1; ; tries++) {
    try {
      return (await db.sql.begin(async (sql) => {
        const left = await leavePlace(sql, id);
        const ended = await end(sql, id);
        if (left !== ended) throw new Moved();
        return ended === 1;
      })) as boolean;
    } catch (error) {
      if (!(error instanceof Moved) || tries === maxTries) throw error;
    }
  }
}

/** From waiting to its pack and back is two moves. */
const maxTries = 10;

/** The job is in another place by now, or has begun. Its former place is given back by the rollback. */
class Moved extends Error {
  override readonly name = 'Moved';
  override readonly message = 'The job moved each time it was to be cancelled.';
}

/** Takes the job out of where it waits or out of its pack. Returns in how many places it was. */
async function leavePlace(sql: postgres.TransactionSql, id: string): Promise<number> {
  const rows = await sql`
    with whose as materialized (
      select id, queue, lane, priority, run_at from jobs.job where id = ${id} and state = 'open' and started_at is null
    ), undue as (
      delete from jobs.due using whose
      where due.queue = whose.queue and due.lane = whose.lane and due.priority = whose.priority
        and due.run_at = whose.run_at and due.job_id = whose.id
      returning job_id
    ), unripe as (
      delete from jobs.later using whose where later.run_at = whose.run_at and later.job_id = whose.id returning job_id
    ), unheld as (
      delete from jobs.aside where job_id in (select id from whose) returning job_id
    ), unpacked as (
      update jobs.pack set job_ids = array_remove(job_ids, ${id}::uuid)
      where ${id} = any(job_ids) and exists (select 1 from whose)
      returning ${id}::uuid
    ), unkeyed as (
      delete from jobs.key where job_id in (select id from whose)
    )
    select * from undue union all select * from unripe union all select * from unheld union all select * from unpacked`;
  return rows.length;
}

async function end(sql: postgres.TransactionSql, id: string): Promise<number> {
  const rows = await sql`
    with ended as (
      update jobs.job
      set state = 'cancelled', ended_at = now(), body = case when secrets is null then body else body - secrets end
      where id = ${id} and state = 'open' and started_at is null
      returning id, queue, name
    ), ${acted(sql, 'cancelled', 'ended')}
    select id from ended`;
  return rows.length;
}
