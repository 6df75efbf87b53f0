/**
 * What waits, per queue, at a price that does not grow with the backlog: read every
 * few seconds by whoever scrapes metrics. Runs as the dispatcher's role.
 *
 * @example
 * const [mail] = await readBacklog(db);
 * mail.oldestDueSeconds; // 0 while the workers keep up
 */
import type { Database } from '@ballast/db';

export { type ActCount, readActs } from './act.ts';

export interface QueueBacklog {
  queue: string;
  /** Rows that wait, due or not. It and the other numbers of rows stop at `countedAtMost`. */
  pending: number;
  due: number;
  /** How long the oldest due row has waited; 0 when none is due. Exact, however many wait. */
  oldestDueSeconds: number;
  /** Rows handed to the queue or running. */
  inFlight: number;
  dead: number;
  parked: number;
  /** An operator holds them, or a restore does. */
  held: number;
  paused: boolean;
}

/** Counting further would cost more than the difference is worth. */
export const countedAtMost = 100_000;

/** Every queue that a living process serves, that is paused, or in which something waits or is dead. */
export async function readBacklog(db: Database): Promise<QueueBacklog[]> {
  return db.sql<QueueBacklog[]>`
    with recursive
    -- Steps from one queue, and from one tenant's lane, to the next along the index: never over their rows.
    waiting (name) as (
      (select queue from jobs.due order by queue limit 1)
      union all
      select (select queue from jobs.due where queue > waiting.name order by queue limit 1)
      from waiting where waiting.name is not null
    ),
    lane (queue, lane) as (
      select waiting.name, (select lane from jobs.due where queue = waiting.name order by lane limit 1)
      from waiting where waiting.name is not null
      union all
      select lane.queue, (select due.lane from jobs.due
                          where due.queue = lane.queue and due.lane > lane.lane
                          order by due.lane limit 1)
      from lane where lane.lane is not null
    ),
    oldest as (
      -- The index gives the first of each priority; few priorities are in use, and each is one step.
      select lane.queue, min(first.run_at) as run_at
      from lane cross join lateral (
        with recursive level (priority, run_at) as (
          (select priority, run_at from jobs.due where due.queue = lane.queue and due.lane = lane.lane
           order by priority, run_at limit 1)
          union all
          select next.priority, next.run_at from level cross join lateral (
            select priority, run_at from jobs.due
            where due.queue = lane.queue and due.lane = lane.lane and due.priority > level.priority
            order by priority, run_at limit 1
          ) next
        )
        select min(run_at) as run_at from level
      ) first
      where lane.lane is not null group by lane.queue
    ),
    flight as (
      select queue, sum(cardinality(job_ids)) as jobs from jobs.pack group by queue
    ),
    dead as (
      select queue, count(*) as jobs
      from (select queue from jobs.dead limit ${countedAtMost}) counted group by queue
    ),
    parked as (
      select queue, count(*) as jobs
      from (select queue from jobs.aside where why = 'parked' limit ${countedAtMost}) counted group by queue
    ),
    held as (
      select queue, count(*) as jobs
      from (select queue from jobs.aside where why = 'held' limit ${countedAtMost}) counted group by queue
    ),
    ripening as (
      select queue, count(*) as jobs
      from (select queue from jobs.later limit ${countedAtMost}) counted group by queue
    ),
    queue (name) as (
      select name from waiting where waiting.name is not null
      union select served from jobs.process, jsonb_object_keys(slots) served
            where beat_at > now() - interval '1 minute'
      union select name from jobs.queue where paused_at is not null
      union select queue from flight
      union select queue from dead
      union select queue from parked
      union select queue from held
      union select queue from ripening
    )
    select queue.name as queue, least(line.due + coalesce(ripening.jobs, 0), ${countedAtMost})::int as pending, line.due,
           coalesce(greatest(0, extract(epoch from now() - oldest.run_at)), 0)::float8 as "oldestDueSeconds",
           coalesce(flight.jobs, 0)::int as "inFlight",
           coalesce(dead.jobs, 0)::int as dead,
           coalesce(parked.jobs, 0)::int as parked,
           coalesce(held.jobs, 0)::int as held,
           exists (select 1 from jobs.queue known where known.name = queue.name and paused_at is not null) as paused
    from queue
    cross join lateral (
      select count(*)::int as due
      from (select 1 from jobs.due where due.queue = queue.name limit ${countedAtMost}) counted
    ) line
    left join oldest on oldest.queue = queue.name
    left join flight on flight.queue = queue.name
    left join dead on dead.queue = queue.name
    left join parked on parked.queue = queue.name
    left join held on held.queue = queue.name
    left join ripening on ripening.queue = queue.name
    order by 1`;
}

/** The names of all jobs that a process has ever known. */
export async function knownJobs(db: Database): Promise<string[]> {
  const rows = await db.sql<{ name: string }[]>`select distinct name from jobs.kind order by 1`;
  return rows.map((row) => row.name);
}
