import type { Database } from '@ballast/db';
import type { Fleet } from './fleet.ts';
import { silentAfterMs } from './fleet.ts';

/** What one tick sees, in one statement. */
export interface View {
  fleet: Fleet;
  /** Queues of living workers that are not paused and in which something is due. */
  waiting: string[];
  /** Until the next job's time has come: 0 when it has, null when none waits for its time. */
  nextInMs: number | null;
  /** Schedules whose slot has come. */
  dueSchedules: string[];
  /** What the queue's store must carry too; null before the first start. */
  epoch: string | null;
}

interface Row {
  processes: { slots: Record<string, number>; knows: string[]; runMs: Record<string, number> }[] | null;
  waiting: string[] | null;
  next_in_ms: number | null;
  due_schedules: string[] | null;
  epoch: string | null;
}

/** The one question of a tick: who lives, what waits, which slots have come. */
export async function look(db: Database): Promise<View> {
  const [row] = await db.sql<Row[]>`
    with living as (
      select slots, knows, run_ms from jobs.process
      where beat_at > now() - ${silentAfterMs} * interval '1 millisecond'
    )
    select
      (select jsonb_agg(jsonb_build_object('slots', slots, 'knows', knows, 'runMs', run_ms)) from living) as processes,
      (select array_agg(distinct line.name) from living, jsonb_object_keys(slots) as line (name)
       -- No exists(), which may become a join with all that is due, planned while that is next to nothing.
       where (select true from jobs.due where due.queue = line.name limit 1)
         and not exists (select 1 from jobs.queue where queue.name = line.name and paused_at is not null)
      ) as waiting,
      -- greatest() passes over null: without the case, an empty table would say that something is due.
      (select case when min(run_at) is not null then greatest(0, extract(epoch from min(run_at) - now()) * 1000)::float8 end
       from jobs.later) as next_in_ms,
      (select array_agg(name) from jobs.schedule where next_slot <= now()) as due_schedules,
      (select value from jobs.epoch) as epoch`;
  return {
    fleet: fleetOf(row?.processes ?? []),
    waiting: row?.waiting ?? [],
    nextInMs: row?.next_in_ms ?? null,
    dueSchedules: row?.due_schedules ?? [],
    epoch: row?.epoch ?? null,
  };
}

/** How many jobs whose time has come are moved in one statement. */
const portion = 1_000;

/** Lines up the jobs whose time has come. Returns how many; `portion` of them means that there may be more. */
export async function lineUpRipe(db: Database): Promise<number> {
  const rows = await db.sql`
    with ripe as (
      delete from jobs.later
      where ctid = any(array(
        select ctid from jobs.later where run_at <= now() order by run_at, job_id limit ${portion} for update skip locked
      ))
      returning later.*
    ), placed as (
      update jobs.job set run_at = ripe.place_at from ripe where ripe.place_at is not null and job.id = ripe.job_id
    )
    insert into jobs.due (queue, lane, priority, run_at, job_id, name, version, alone, batch, concurrency, discard_after, keyed)
    select queue, lane, priority, coalesce(place_at, run_at), job_id, name, version, alone, batch, concurrency, discard_after, keyed from ripe
    returning job_id`;
  return rows.count;
}

function fleetOf(processes: NonNullable<Row['processes']>): Fleet {
  const fleet: Fleet = { slots: new Map(), knows: new Set(), runMs: new Map() };
  for (const process of processes) {
    for (const [queue, count] of Object.entries(process.slots)) {
      fleet.slots.set(queue, (fleet.slots.get(queue) ?? 0) + count);
    }
    for (const known of process.knows) fleet.knows.add(known);
    for (const [name, ms] of Object.entries(process.runMs)) {
      fleet.runMs.set(name, Math.max(fleet.runMs.get(name) ?? 0, ms));
    }
  }
  return fleet;
}
