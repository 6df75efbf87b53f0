import type { Database } from '@ballast/db';

/** A walk over what ended long ago, that can be left and gone on with. */
export interface Removal {
  /** Removes batch after batch, each its own commit, until none is left or its time is over. Returns how many jobs. */
  run(isOver?: () => boolean): Promise<number>;
  /** Its time was over, or it was to stop, and there may be more. */
  unfinished(): boolean;
}

export interface RemovalOptions {
  /** As the dispatcher's role. */
  db: Database;
  /** How long done and cancelled jobs stay. Dead ones stay until someone decides. */
  keepEndedDays?: number;
  /** How long one run may take, and in a sweep the cancelling of what is stale before it; the batch under way at that moment is its last. */
  removeForMs?: number;
  /** No further batch is begun once it is aborted. */
  stopping?: AbortSignal;
}

const batch = 1_000;
const front = '00000000-0000-0000-0000-000000000000';
/** What ended after younger jobs had lies behind the walk by then: it waits for this at most. */
const fromFrontEveryMs = 3_600_000;

/**
 * Remembers how far it came: what was removed stays in front of the index until a vacuum, while an old
 * snapshot is held for hours, and each batch would step over all of it again.
 */
export function openRemoval(options: RemovalOptions): Removal {
  const { db, keepEndedDays = 7 } = options;
  let after = front;
  let fromFrontAt = performance.now();
  let unfinished = false;
  return {
    unfinished: () => unfinished,
    async run(isOver = timeFor(options)) {
      const now = performance.now();
      if (now - fromFrontAt > fromFrontEveryMs) [after, fromFrontAt] = [front, now];
      await forgetAbsent(db);
      let removed = 0;
      for (;;) {
        const { jobs, last } = await removeBatch(db, keepEndedDays, after);
        removed += jobs;
        after = last ?? after;
        unfinished = jobs === batch;
        if (!unfinished || isOver()) return removed;
      }
    },
  };
}

/** True once the time that begins now is over. */
export function timeFor({ removeForMs = 2_500, stopping }: RemovalOptions): () => boolean {
  const startedAt = performance.now();
  return () => (stopping?.aborted ?? false) || performance.now() - startedAt >= removeForMs;
}

/** Processes that are gone, and schedules that no release has known for a season: their code is gone. */
async function forgetAbsent(db: Database): Promise<void> {
  await db.sql`
    with processes as (delete from jobs.process where beat_at < now() - interval '1 day')
    delete from jobs.schedule where known_at < now() - interval '90 days'`;
}

/**
 * Ids begin with the time: what ended long ago is found from the front of the primary
 * key. Rows that lie beside a job leave in the same statement.
 */
async function removeBatch(
  db: Database,
  keepDays: number,
  after: string,
): Promise<{ jobs: number; last: string | null }> {
  const [removed] = await db.sql<{ jobs: number; last: string | null }[]>`
    with gone as (
      delete from jobs.job where id in (
        select id from jobs.job
        where id > ${after}
          and id < (lpad(to_hex(floor(extract(epoch from now() - ${keepDays} * interval '1 day') * 1000)::bigint), 12, '0')
                    || repeat('0', 20))::uuid
          and state in ('done', 'cancelled') and ended_at < now() - ${keepDays} * interval '1 day'
        order by id limit ${batch} for update skip locked
      )
      returning id
    ), failures as (delete from jobs.failure where job_id in (select id from gone)),
       steps as (delete from jobs.step where job_id in (select id from gone)),
       progress as (delete from jobs.progress where job_id in (select id from gone))
    select count(*)::int as jobs, (array_agg(id order by id desc))[1] as last from gone`;
  return removed ?? { jobs: 0, last: null };
}
