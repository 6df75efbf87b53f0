/**
 * The operator's door: look at jobs, and change what waits. Runs as the dispatcher's
 * role. Every change names the states it applies to, so that none can touch a job
 * that is running or has ended meanwhile, and leaves it in exactly one place.
 */
import { type Database, sqlOf, withScope } from '@ballast/db';
import { acted } from './act.ts';
import { wakeChannel } from './enqueue.ts';
import type { JobState } from './list-jobs.ts';

export { cancelJob } from './cancel.ts';
export {
  type Choice,
  cancelHeld,
  type Held,
  type Holdable,
  holdJobs,
  type KindCount,
  readHeld,
  readHoldable,
  releaseJobs,
} from './hold.ts';
export {
  type JobDetail,
  type JobProgress,
  type JobRow,
  type JobState,
  type ListFilter,
  listJobs,
  showJob,
} from './list-jobs.ts';
export { listSchedules, type ScheduleRow } from './list-schedules.ts';
export { misplacedJobs } from './misplaced.ts';
export { retryJobs } from './retry.ts';

export interface QueueCount {
  queue: string;
  name: string;
  state: JobState;
  jobs: number;
  /** How long the oldest due job of this row has waited, in seconds; null when none is due. */
  oldestDueSeconds: number | null;
  paused: boolean;
}

/** Jobs per queue, name and state, with the age of the oldest that is due. */
export async function countJobs(db: Database): Promise<QueueCount[]> {
  return db.sql<QueueCount[]>`
    with waiting as (
      select queue, name, run_at from jobs.due union all select queue, name, run_at from jobs.later
    ), out as (
      select pack.queue, pack.name, job.run_at
      from jobs.pack cross join lateral unnest(job_ids) as member (id) join jobs.job on job.id = member.id and job.state = 'open'
    ), counted as (
      select queue, name, 'pending' as state, count(*) as jobs, min(run_at) as oldest from waiting group by 1, 2
      union all select queue, name, 'dispatched', count(*), min(run_at) from out group by 1, 2
      union all select queue, name, why, count(*), null from jobs.aside group by 1, 2, 3
      union all select queue, name, state, count(*), null from jobs.job where state <> 'open' group by 1, 2, 3
    )
    select counted.queue, counted.name, counted.state, counted.jobs::int as jobs,
           case when oldest <= now() then round(extract(epoch from now() - oldest))::int end as "oldestDueSeconds",
           queue.paused_at is not null as paused
    from counted left join jobs.queue on queue.name = counted.queue
    order by 1, 2, 3`;
}

/** Makes a waiting job due now. True when it was waiting. */
export async function runNow(db: Database, id: string): Promise<boolean> {
  const count = await changed(
    db,
    (sql) => sql`
      with ripe as (
        delete from jobs.later using jobs.job
        where job.id = ${id} and later.run_at = job.run_at and later.job_id = job.id
        returning later.*
      ), moved as (
        update jobs.job set run_at = now() from ripe where job.id = ripe.job_id
      ), waits as (
        insert into jobs.due (queue, lane, priority, run_at, job_id, name, version, alone, batch, concurrency, discard_after, keyed)
        select queue, lane, priority, now(), job_id, name, version, alone, batch, concurrency, discard_after, keyed from ripe
      ), ${acted(sql, 'hurried', 'ripe')}
      select job_id from ripe
      union select id from jobs.status where id = ${id} and state = 'pending' and run_at <= now()`,
  );
  return count === 1;
}

/** Hands out nothing more of this queue; workers give back what they have not begun. What runs is left to end. */
export async function pauseQueue(db: Database, queue: string): Promise<void> {
  await db.sql`
    insert into jobs.queue (name, paused_at) values (${queue}, now())
    on conflict (name) do update set paused_at = coalesce(queue.paused_at, now())`;
}

/** Hands out again. */
export async function resumeQueue(db: Database, queue: string): Promise<void> {
  await changed(db, (sql) => sql`update jobs.queue set paused_at = null where name = ${queue}`);
}

/** Runs a statement, and wakes the dispatchers once it has committed. */
async function changed(
  db: Database,
  statement: (sql: ReturnType<typeof sqlOf>) => PromiseLike<{ count: number }>,
): Promise<number> {
  const { count } = await withScope(db, {}, (tx) => Promise.resolve(statement(sqlOf(tx))));
  db.notify(wakeChannel);
  return count;
}
