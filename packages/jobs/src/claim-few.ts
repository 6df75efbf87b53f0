import type { Database } from '@ballast/db';
import type { DueRow, Pack } from './fill.ts';
import type { Fleet } from './fleet.ts';
import { unflushed } from './unflushed.ts';

/** More than this, and rows may have to share packs and lanes to take turns. */
const most = 4;

interface FewRequest {
  queue: string;
  freePacks: number;
  fleet: Pick<Fleet, 'knows'>;
  /** Nobody has looked whether the queue is paused. */
  unasked?: boolean;
}

/**
 * The claim of an idle system, in one statement and one round trip: while no more than a
 * few rows are due, and nothing is special about any of them, each gets a pack of its
 * own. Null when that does not hold, and then nothing was taken. It is not waited for until
 * Postgres has flushed it: see `claim`.
 */
export async function claimFew(
  db: Database,
  { queue, freePacks, fleet, unasked = false }: FewRequest,
): Promise<Pack[] | null> {
  const limit = Math.min(most, freePacks);
  const rows = await db.sql<(DueRow & { packId: string | null; unflushed: unknown })[]>`
    with seen as materialized (
      select ctid as at, job_id, lane, name, version, alone,
             not keyed and batch is null and concurrency is null
               and name || '@' || version = any(${[...fleet.knows]}::text[]) as plain
      from jobs.due where queue = ${queue} and (discard_after is null or discard_after > now())
        ${unasked ? db.sql`and not exists (select 1 from jobs.queue where name = ${queue} and paused_at is not null)` : db.sql``}
      limit ${limit + 1} for update skip locked
    ), few as materialized (
      select at, job_id, name, uuidv7() as pack_id from seen
      where (select count(*) <= ${limit} and bool_and(plain) from seen)
    ), taken as (
      delete from jobs.due where ctid = any(array(select at from few))
    ), packed as (
      insert into jobs.pack (id, queue, name, job_ids) select pack_id, ${queue}, name, array[job_id] from few
    )
    select pack_id as "packId", job_id as id, at::text, lane, seen.name, version, alone,
           null as batch, null as concurrency, false as keyed,
           ${unflushed(db.sql)}
    from seen left join few using (at, job_id)`;
  if (rows.some((row) => row.packId === null)) return null;
  return rows.map(({ packId, unflushed: _, ...row }) => ({ id: packId as string, name: row.name, rows: [row] }));
}
