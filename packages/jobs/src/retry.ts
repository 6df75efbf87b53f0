import { type Database, sqlOf, withScope } from '@ballast/db';
import { acted } from './act.ts';
import { wakeChannel } from './enqueue.ts';
import { linedUp } from './line-up.ts';

/**
 * Gives dead or cancelled jobs all their attempts again. Returns how many. What lost its
 * secrets at its end cannot run again.
 */
export async function retryJobs(db: Database, choice: { id: string } | { name: string }): Promise<number> {
  const count = await withScope(db, {}, async (tx) => {
    const sql = sqlOf(tx);
    const chosen = await sql<{ id: string }[]>`
      select id from jobs.job
      where (state = 'dead' or state = 'cancelled' and secrets is null)
        and ${'id' in choice ? sql`id = ${choice.id}` : sql`name = ${choice.name}`}`;
    const ids = chosen.map((job) => job.id);
    // A job that ended in a pack under way is still named there. First the pack, then the job: the order of all who move
    // one. Only what is ended still: another may have retried it meanwhile, and then its new pack is its only place.
    await sql`
      with ended as materialized (
        select id from jobs.job where id = any(${ids}::uuid[]) and state in ('dead', 'cancelled')
      )
      update jobs.pack
      set job_ids = array(select member from unnest(job_ids) as member where member not in (select id from ended))
      where job_ids && array(select id from ended)`;
    const again = await sql`
      with again as (
        update jobs.job set state = 'open', attempt = 0, run_at = now(), ended_at = null, started_at = null
        where id = any(${ids}::uuid[]) and (state = 'dead' or state = 'cancelled' and secrets is null)
        returning job.*
      ), undead as (
        delete from jobs.dead where job_id in (select id from again)
      ), ${linedUp(sql, 'again')}, ${acted(sql, 'retried', 'again')}
      select id from again`;
    return again.count;
  });
  db.notify(wakeChannel);
  return count;
}
