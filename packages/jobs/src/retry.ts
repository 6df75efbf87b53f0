import { type Database, sqlOf, withScope } from '@ballast/db';
import { acted } from './act.ts';
import { wakeChannel } from './enqueue.ts';
import { linedUp } from './line-up.ts';

/** How many are moved in one commit. */
const batch = 1_000;

/**
 * Gives dead or cancelled jobs all their attempts again. Returns how many. What lost its
 * secrets at its end cannot run again.
 *
 * By name it reads the table once: only a job's own row tells that it was cancelled, and an index of those
 * would be written at the end of every job.
 */
export async function retryJobs(db: Database, choice: { id: string } | { name: string }): Promise<number> {
  const { sql } = db;
  const chosen = await sql<{ id: string }[]>`
    select id from jobs.job
    where (state = 'dead' or state = 'cancelled' and secrets is null)
      and ${'id' in choice ? sql`id = ${choice.id}` : sql`name = ${choice.name}`}
    order by id`;
  let retried = 0;
  for (let from = 0; from < chosen.length; from += batch) {
    retried += await retrySome(
      db,
      chosen.slice(from, from + batch).map((job) => job.id),
    );
    db.notify(wakeChannel);
  }
  return retried;
}

/** One commit's worth. */
function retrySome(db: Database, ids: readonly string[]): Promise<number> {
  return withScope(db, {}, async (tx) => {
    const sql = sqlOf(tx);
    // A job that ended in a pack under way is still named there. First the pack, then the job: the order of all who move
    // one. Only what is ended still: another may have retried it meanwhile, and then its new pack is its only place.
    await sql`
      with ended as materialized (
        select id from jobs.job where id = any(${ids as string[]}::uuid[]) and state in ('dead', 'cancelled')
      )
      update jobs.pack
      set job_ids = array(select member from unnest(job_ids) as member where member not in (select id from ended))
      where job_ids && array(select id from ended)`;
    const again = await sql`
      with again as (
        update jobs.job set state = 'open', attempt = 0, run_at = now(), ended_at = null, started_at = null
        where id = any(${ids as string[]}::uuid[]) and (state = 'dead' or state = 'cancelled' and secrets is null)
        returning job.*
      ), undead as (
        delete from jobs.dead where job_id in (select id from again)
      ), ${linedUp(sql, 'again')}, ${acted(sql, 'retried', 'again')}
      select id from again`;
    return again.count;
  });
}
