import type { Database } from '@ballast/db';
import type { Fleet } from './fleet.ts';
import { silentAfterMs } from './fleet.ts';

/** What one tick sees, in one statement. */
export interface View {
  fleet: Fleet;
  /** Queues of living workers that are not paused and hold pending rows, due or not. */
  waiting: string[];
  /** Schedules whose slot has come. */
  dueSchedules: string[];
  /** What the queue's store must carry too; null before the first start. */
  epoch: string | null;
}

interface Row {
  processes: { slots: Record<string, number>; knows: string[]; runMs: Record<string, number> }[] | null;
  waiting: string[] | null;
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
       where exists (select 1 from jobs.job where state = 'pending' and job.queue = line.name)
         and not exists (select 1 from jobs.queue where queue.name = line.name and paused_at is not null)
      ) as waiting,
      (select array_agg(name) from jobs.schedule where next_slot <= now()) as due_schedules,
      (select value from jobs.epoch) as epoch`;
  return {
    fleet: fleetOf(row?.processes ?? []),
    waiting: row?.waiting ?? [],
    dueSchedules: row?.due_schedules ?? [],
    epoch: row?.epoch ?? null,
  };
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
