import type { Database } from '@ballast/db';
import type { Log } from '@ballast/kernel';
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
  /** Stops repeating a write that fails; what is not written comes back through the sweep. */
  giveUp(): void;
}

interface Waiting {
  ending: RowEnding;
  resolve(written: boolean): void;
  reject(error: Error): void;
}

const maxPauseMs = 2_000;

/**
 * Writes outcomes in groups: what gathered while the last group was being written,
 * never a timer. While Postgres is down the group is kept and repeated. Its callers
 * hold their slots meanwhile, so memory is bounded and intake stops by itself.
 */
export function openCompletions(db: Database, log: Log): Completions {
  let waiting: Waiting[] = [];
  let writing = false;
  let givenUp = false;

  async function drain(): Promise<void> {
    writing = true;
    while (waiting.length > 0) {
      const group = waiting;
      waiting = [];
      await writeGroup(group);
    }
    writing = false;
  }

  async function writeGroup(group: Waiting[]): Promise<void> {
    for (let pauseMs = 50; ; pauseMs = Math.min(maxPauseMs, pauseMs * 2)) {
      try {
        const written = await writeEndings(
          db,
          group.map((item) => item.ending),
        );
        for (const item of group) item.resolve(written.has(item.ending.jobId));
        return;
      } catch (error) {
        if (givenUp) {
          for (const item of group) item.reject(error as Error);
          return;
        }
        log.warn({ outcomes: group.length, error: (error as Error).message }, 'outcomes cannot be written; repeating');
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
      }
    }
  }

  return {
    write: (ending) =>
      new Promise((resolve, reject) => {
        waiting.push({ ending, resolve, reject });
        if (!writing) void drain();
      }),
    giveUp() {
      givenUp = true;
    },
  };
}

/** One statement for the whole group. The pack is the fence: a row that was swept meanwhile is left alone. */
async function writeEndings(db: Database, endings: readonly RowEnding[]): Promise<Set<string>> {
  const rows = await db.sql<{ id: string }[]>`
    with ending as (
      select * from unnest(
        ${endings.map((ending) => ending.jobId)}::uuid[],
        ${endings.map((ending) => ending.packId)}::uuid[],
        ${endings.map((ending) => ending.state)}::text[],
        ${endings.map((ending) => Math.round(ending.afterMs))}::bigint[],
        ${endings.map((ending) => ending.attempt)}::smallint[],
        ${endings.map((ending) => ending.failure)}::text[]
      ) as item (job_id, pack_id, state, after_ms, attempt, failure)
    ), ended as (
      update jobs.job
      set state = ending.state,
          pack_id = case when ending.state = 'pending' then null else job.pack_id end,
          run_at = case when ending.state = 'pending'
            then now() + ending.after_ms * interval '1 millisecond' else job.run_at end,
          attempt = ending.attempt,
          runner_id = null,
          started_at = case when ending.state = 'pending' then null else coalesce(job.started_at, job.dispatched_at) end,
          ended_at = case when ending.state = 'pending' then null else now() end
      from ending
      where job.id = ending.job_id and job.pack_id = ending.pack_id and job.state = 'dispatched'
      returning job.id, job.attempt, ending.failure
    ), failures as (
      insert into jobs.failure (job_id, attempt, message) select id, attempt, failure from ended where failure is not null
    )
    select id from ended`;
  return new Set(rows.map((row) => row.id));
}
