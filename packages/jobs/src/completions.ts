import type { Database } from '@ballast/db';
import type { Log } from '@ballast/kernel';
import { linedUp } from './line-up.ts';
import type { Ending } from './outcome.ts';

export interface RowEnding extends Ending {
  jobId: string;
  packId: string;
  /** How many starts are charged, this one included if it is. */
  attempt: number;
}

export interface Completions {
  /** Resolves when the ending is committed. False: the row was no longer this pack's, and nothing was written. */
  write(ending: RowEnding): Promise<boolean>;
  /**
   * Ends a pack. Every one of its jobs must have been given to `write` before, or have
   * completed by itself: an open job whose pack is gone is nowhere.
   */
  close(packId: string): Promise<void>;
  /** Stops repeating a write that fails; what is not written comes back through the sweep. */
  giveUp(): void;
}

interface Group {
  endings: RowEnding[];
  closing: string[];
  resolve: ((written: Set<string>) => void)[];
  reject: ((error: Error) => void)[];
}

const maxPauseMs = 2_000;

/**
 * Writes outcomes in groups: what gathered while the last group was being written,
 * never a timer. While Postgres is down the group is kept and repeated. Its callers
 * hold their slots meanwhile, so memory is bounded and intake stops by itself.
 */
export function openCompletions(db: Database, log: Log): Completions {
  let gathering: Group | null = null;
  let writing = false;
  let givenUp = false;
  let broken: Error | null = null;

  function join(add: (group: Group) => void): Promise<Set<string>> {
    gathering ??= { endings: [], closing: [], resolve: [], reject: [] };
    const group = gathering;
    add(group);
    return new Promise((resolve, reject) => {
      group.resolve.push(resolve);
      group.reject.push(reject);
      if (!writing) void drain();
    });
  }

  async function drain(): Promise<void> {
    writing = true;
    while (gathering) {
      // What is reported in this same turn, such as the end of a pack behind its last outcome, goes along.
      await new Promise((resolve) => setImmediate(resolve));
      const group: Group = gathering;
      gathering = null;
      await writeGroup(group);
    }
    writing = false;
  }

  async function writeGroup(group: Group): Promise<void> {
    if (broken) {
      for (const reject of group.reject) reject(broken);
      return;
    }
    for (let pauseMs = 50; ; pauseMs = Math.min(maxPauseMs, pauseMs * 2)) {
      try {
        const written = await writeEndings(db, group.endings, group.closing);
        for (const resolve of group.resolve) resolve(written);
        return;
      } catch (error) {
        if (givenUp) {
          // Nothing more, or the end of a pack could be written without its jobs' outcomes.
          broken = error as Error;
          for (const reject of group.reject) reject(error as Error);
          return;
        }
        log.warn(
          { outcomes: group.endings.length, error: (error as Error).message },
          'outcomes cannot be written; repeating',
        );
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
      }
    }
  }

  return {
    write: (ending) => join((group) => group.endings.push(ending)).then((written) => written.has(ending.jobId)),
    close: (packId) => join((group) => group.closing.push(packId)).then(() => {}),
    giveUp() {
      givenUp = true;
    },
  };
}

/**
 * One statement for the whole group. A pack that was taken away meanwhile, or a job that
 * was taken out of it, is left alone. What waits again leaves its pack in the same commit:
 * a job is in one place.
 */
async function writeEndings(
  db: Database,
  endings: readonly RowEnding[],
  closing: readonly string[],
): Promise<Set<string>> {
  const { sql } = db;
  if (endings.length === 0) {
    await sql`delete from jobs.pack where id = any(${closing as string[]}::uuid[])`;
    return new Set();
  }
  if (endings.every((ending) => ending.state === 'done' && ending.failure === null))
    return writeDone(db, endings, closing);
  const uncharged = endings.filter((ending) => ending.uncharge).map((ending) => ending.jobId);
  const rows = await sql<{ id: string }[]>`
    with ending as (
      select * from unnest(
        ${endings.map((ending) => ending.jobId)}::uuid[],
        ${endings.map((ending) => ending.packId)}::uuid[],
        ${endings.map((ending) => ending.state)}::text[],
        ${endings.map((ending) => (ending.afterMs === null ? null : Math.round(ending.afterMs)))}::bigint[],
        ${endings.map((ending) => ending.attempt)}::smallint[],
        ${endings.map((ending) => ending.failure)}::text[]
      ) as item (job_id, pack_id, becomes, after_ms, attempt, failure)
    ), held as materialized (
      select id, job_ids, opened_at from jobs.pack
      where id in (select pack_id from ending) order by id for no key update
    ), ended as (
      update jobs.job
      set state = case when ending.becomes = 'pending' then 'open' else ending.becomes end,
          run_at = case when ending.becomes = 'pending' and ending.after_ms is not null
            then now() + ending.after_ms * interval '1 millisecond' else job.run_at end,
          attempt = ending.attempt,
          started_at = case when ending.becomes = 'pending' then null else coalesce(job.started_at, held.opened_at) end,
          ended_at = case when ending.becomes = 'pending' then null else now() end,
          body = case when job.secrets is null or ending.becomes not in ('done', 'cancelled') then job.body else job.body - job.secrets end
      from ending join held on held.id = ending.pack_id
      where job.id = ending.job_id and job.state = 'open' and job.id = any(held.job_ids)
      returning job.*, ending.becomes, ending.failure, ending.pack_id
    ), again as (
      select * from ended where becomes = 'pending'
    ), ${linedUp(sql, 'again')}, unpacked as (
      update jobs.pack
      set job_ids = array(select member from unnest(job_ids) as member where member not in (select id from again))
      where id in (select pack_id from again) and id <> all(${closing as string[]}::uuid[])
    ), closed as (
      delete from jobs.pack where id = any(${closing as string[]}::uuid[])
    ), buried as (
      insert into jobs.dead (job_id, queue, name) select id, queue, name from ended where becomes = 'dead'
    ), repeated as (
      -- What is not charged can fail in the same way for ever: only the latest is kept.
      delete from jobs.failure using ended
      where failure.job_id = ended.id and failure.job_id = any(${uncharged}::uuid[]) and failure.message = ended.failure
    ), failures as (
      insert into jobs.failure (job_id, attempt, message) select id, attempt, failure from ended where failure is not null
    )
    select id from ended`;
  return new Set(rows.map((row) => row.id));
}

/** The same for a group that holds nothing but done jobs, as most do. Postgres names those that were not written. */
async function writeDone(
  db: Database,
  endings: readonly RowEnding[],
  closing: readonly string[],
): Promise<Set<string>> {
  const left = await db.sql<{ id: string }[]>`
    with ending as (
      select * from unnest(
        ${endings.map((ending) => ending.jobId)}::uuid[],
        ${endings.map((ending) => ending.packId)}::uuid[],
        ${endings.map((ending) => ending.attempt)}::smallint[]
      ) as item (job_id, pack_id, attempt)
    ), held as materialized (
      select id, job_ids, opened_at from jobs.pack
      where id in (select pack_id from ending) order by id for no key update
    ), ended as (
      update jobs.job
      set state = 'done', attempt = ending.attempt, started_at = coalesce(job.started_at, held.opened_at), ended_at = now(),
          body = case when job.secrets is null then job.body else job.body - job.secrets end
      from ending join held on held.id = ending.pack_id
      where job.id = ending.job_id and job.state = 'open' and job.id = any(held.job_ids)
      returning job.id
    ), closed as (
      delete from jobs.pack where id = any(${closing as string[]}::uuid[])
    )
    select job_id as id from ending where job_id not in (select id from ended)`;
  const written = new Set(endings.map((ending) => ending.jobId));
  for (const { id } of left) written.delete(id);
  return written;
}
