import type { Database } from '@ballast/db';
import { silentAfterMs } from './fleet.ts';

/** A pack that a process opened and does not run any more, as a condition on `jobs.pack`. */
export function orphaned(sql: Database['sql']) {
  return sql`
    runner_id is not null and not exists (
      select 1 from jobs.process living
      where living.beat_at > now() - ${silentAfterMs} * interval '1 millisecond' and living.id = pack.runner_id
        -- A list cannot have what was opened after it was made, however late its beat was written down. When that was
        -- nobody knows exactly; it was not before the answer to the beat before.
        and (pack.id = any(living.packs) or living.listed_at is null or living.listed_at <= pack.opened_at)
    )`;
}

/** A pack that nobody has opened for some time: the queue must be asked for it. */
export function unopened(sql: Database['sql'], settledAfterMs: number) {
  return sql`
    runner_id is null and dispatched_at < now() - ${settledAfterMs} * interval '1 millisecond'
    and not exists (
      select 1 from jobs.process
      where beat_at > now() - ${silentAfterMs} * interval '1 millisecond' and pack.id = any(process.packs)
    )`;
}

/**
 * Whether a sweep would find anything but old rows. One statement, without the sweep's
 * lock: a fleet at rest asks nothing else, and what it misses by a moment the next sweep sees.
 */
export async function anythingToSweep(db: Database, settledAfterMs: number): Promise<boolean> {
  const { sql } = db;
  const [row] = await sql<{ found: boolean }[]>`
    select exists (select 1 from jobs.pack where ${orphaned(sql)})
        or exists (select 1 from jobs.pack where ${unopened(sql, settledAfterMs)})
        or exists (select 1 from jobs.due where discard_after <= now()) as found`;
  return row?.found ?? false;
}
