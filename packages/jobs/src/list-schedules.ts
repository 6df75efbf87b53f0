import type { Database } from '@ballast/db';
import { silentAfterMs } from './fleet.ts';

export interface ScheduleRow {
  name: string;
  cron: string;
  zone: string;
  /** In the past while nobody runs it; null when it never comes round again. */
  nextSlot: string | null;
  /** The latest slot whose job was added, or null. */
  lastSlot: string | null;
  /** False when no living worker knows it: its module is off, or no worker runs. Its slots wait. */
  known: boolean;
}

/** Every schedule that a release has ever known, by name. */
export async function listSchedules(db: Database): Promise<ScheduleRow[]> {
  return db.sql<ScheduleRow[]>`
    select name, cron, zone, nullif(next_slot, 'infinity')::text as "nextSlot", last_slot::text as "lastSlot",
           exists (
             select 1 from jobs.process
             where beat_at > now() - ${silentAfterMs} * interval '1 millisecond' and schedule.name = any(process.schedules)
           ) as known
    from jobs.schedule order by name`;
}
