/**
 * A database that was restored to an older point knows nothing of what was done after it:
 * its open jobs may be done, and their mails sent. So none of them runs before somebody
 * says so (`ballast jobs release`), and the queue's store, which is ahead, is disowned.
 */
import type postgres from 'postgres';
import { latestSlots, nextSlot } from './slots.ts';

export interface Held {
  /** Jobs that were open at the restored point, and are held now. */
  jobs: number;
  /** Of them, the ones that had been handed out. */
  handedOut: number;
  /** Slots of schedules between that point and now: they were run already, and are not caught up. */
  slots: number;
}

/**
 * Holds everything that is open. Runs as the tables' owner or the superuser, on a server
 * that nobody else has reached yet. Packs that the queue still has are of no pack in
 * Postgres any more, and discarded by whoever takes them.
 */
export async function holdAfterRestore(sql: postgres.Sql): Promise<Held> {
  return sql.begin(async (tx) => {
    const [counts] = await tx<{ jobs: number; handed: number }[]>`
      with due as (delete from jobs.due), later as (delete from jobs.later), key as (delete from jobs.key),
      pack as (
        delete from jobs.pack returning job_ids
      ), member as (
        select unnest(job_ids) as id from pack
      ), fresh as (
        update jobs.job set started_at = null from member where job.id = member.id and job.state = 'open' returning job.id
      ), held as (
        insert into jobs.aside (job_id, why, queue, name, version)
        select id, 'held', queue, name, version from jobs.job where state = 'open'
        on conflict (job_id) do update set why = 'held'
        returning job_id
      )
      select (select count(*) from held)::int as jobs, (select count(*) from fresh)::int as handed`;
    // Whoever lives says so again. Without an epoch the first dispatcher gives the queue's store a new one.
    await tx`delete from jobs.process`;
    await tx`delete from jobs.epoch`;
    return { jobs: counts?.jobs ?? 0, handedOut: counts?.handed ?? 0, slots: await passSlots(tx) };
  }) as Promise<Held>;
}

const mostCounted = 1_000;

async function passSlots(tx: postgres.TransactionSql): Promise<number> {
  const due = await tx<{ name: string; cron: string; zone: string; first: string; now: string }[]>`
    select name, cron, zone, next_slot::text as first, now()::text as now from jobs.schedule where next_slot <= now()`;
  let slots = 0;
  for (const { name, cron, zone, first, now } of due) {
    const next = nextSlot({ cron, zone }, new Date(now))?.toISOString() ?? 'infinity';
    await tx`update jobs.schedule set next_slot = ${next}::text::timestamptz where name = ${name}`;
    slots += latestSlots({ cron, zone }, new Date(first), new Date(now), mostCounted).length;
  }
  return slots;
}
