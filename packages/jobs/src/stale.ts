import type { Database } from '@ballast/db';
import type { JobObserver } from './observe.ts';

const batch = 1_000;

/**
 * Cancels what nobody started before its `discardAfter`, batch after batch, each its own commit, until none
 * is left or `isOver`. Until then each claim of a lane reads past all of it that stands in front. Returns how many.
 */
export async function cancelStale(db: Database, isOver: () => boolean, observe?: JobObserver): Promise<number> {
  let cancelled = 0;
  for (;;) {
    const rows = await cancelBatch(db);
    for (const row of rows) observe?.ended(row, 'cancelled', null);
    cancelled += rows.length;
    // Not `< batch`: a key that somebody holds makes a batch smaller, and is passed by in the next.
    if (rows.length === 0 || isOver()) return cancelled;
  }
}

/** A job whose key a second enqueue holds is left to the next sweep: this one has the lock of all sweeps, and waits for nobody. */
async function cancelBatch(db: Database): Promise<{ name: string; queue: string }[]> {
  return db.sql<{ name: string; queue: string }[]>`
    with seen as materialized (
      select ctid as at, job_id from jobs.due where discard_after <= now() limit ${batch} for update skip locked
    ), free as materialized (
      select job_id from jobs.key where job_id in (select job_id from seen) for update skip locked
    ), stale as (
      delete from jobs.due where ctid = any(array(
        select at from seen
        where job_id in (select job_id from free) or not exists (select 1 from jobs.key where key.job_id = seen.job_id)
      ))
      returning job_id
    ), unkeyed as (delete from jobs.key where job_id in (select job_id from stale))
    update jobs.job
    set state = 'cancelled', ended_at = now(), body = case when secrets is null then body else body - secrets end
    from stale where job.id = stale.job_id and job.state = 'open'
    returning job.name, job.queue`;
}
