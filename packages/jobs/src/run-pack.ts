import type { Database } from '@ballast/db';
import { failpoint } from './failpoint.ts';
import { type RowRunner, runRow } from './run-row.ts';

export interface PackRunner<Services> extends RowRunner<Services> {
  /** As the dispatcher's role: packs hold rows of many tenants. */
  jobsDb: Database;
  processId: string;
  /** True once the process takes no more work. */
  stopping(): boolean;
  /** Told after each row, for the size of later packs. */
  measured(name: string, runMs: number): void;
}

/** A pack whose rows turn out slow must not keep its last row waiting: others may have free slots. */
const returnAfterMs = 100;

interface LiveRow {
  id: string;
  name: string;
  version: number;
  tenant_id: string | null;
  attempt: number;
  body: unknown;
  paused: boolean;
  wait_ms: number;
  lag_ms: number;
}

/**
 * Runs a pack's rows one after the other. The first statement reads the rows that
 * are still live: what was cancelled, swept or has grown stale is not there. An
 * unknown or empty pack is discarded.
 *
 * A row that travels alone is charged by that same statement, before it runs. The
 * rows of a larger pack are charged by their outcomes: should the worker die under
 * them, none is charged, and each travels alone from then on. So a crash can give a
 * job one start more than its attempts, and never one less; a job with a single
 * attempt always travels alone, and is never started twice.
 */
export async function runPack<Services>(runner: PackRunner<Services>, packId: string): Promise<void> {
  const rows = await openPack(runner, packId);
  const openedAt = performance.now();
  const outcomes: Promise<void>[] = [];
  for (const [index, row] of rows.entries()) {
    const late = index > 0 && performance.now() - openedAt > returnAfterMs;
    if (late || row.paused || runner.stopping()) {
      await giveBack(
        runner.jobsDb,
        packId,
        rows.slice(index).map((left) => left.id),
      );
      break;
    }
    await failpoint('run.started');
    const { runMs, written } = await runRow(runner, {
      id: row.id,
      packId,
      tenantId: row.tenant_id,
      attempt: row.attempt,
      name: row.name,
      version: row.version,
      body: row.body,
      waitMs: row.wait_ms + performance.now() - openedAt,
      lagMs: row.lag_ms,
    });
    // Not awaited: the next row need not wait for this one's outcome, and outcomes are written in groups.
    outcomes.push(written);
    runner.measured(row.name, runMs);
  }
  await Promise.all(outcomes);
}

/** `attempt` is the number of the start that is about to happen. */
async function openPack<Services>(runner: PackRunner<Services>, packId: string): Promise<LiveRow[]> {
  return runner.jobsDb.sql<LiveRow[]>`
    with live as materialized (
      select id, run_at, count(*) over () = 1 as only from jobs.job
      where pack_id = ${packId} and state = 'dispatched' and (discard_after is null or discard_after > now())
    ), charged as (
      update jobs.job set attempt = attempt + 1, started_at = now(), runner_id = ${runner.processId}
      where id = (select id from live where live.only) and pack_id = ${packId} and state = 'dispatched'
      returning id
    )
    select job.id, job.name, job.version, job.tenant_id, job.attempt + 1 as attempt, payload.body,
           exists (select 1 from jobs.queue where queue.name = job.queue and queue.paused_at is not null) as paused,
           (extract(epoch from now() - job.run_at) * 1000)::float8 as wait_ms,
           (extract(epoch from job.dispatched_at - job.run_at) * 1000)::float8 as lag_ms
    from live
    join jobs.job on job.id = live.id
    join jobs.payload on payload.job_id = job.id
    left join charged on charged.id = job.id
    where not live.only or charged.id is not null
    order by live.run_at, live.id`;
}

/** Hands rows that have not run back to the dispatcher, uncharged. */
async function giveBack(db: Database, packId: string, jobIds: readonly string[]): Promise<void> {
  await db.sql`
    update jobs.job
    set state = 'pending', pack_id = null, dispatched_at = null, runner_id = null,
        attempt = attempt - case when started_at is null then 0 else 1 end, started_at = null
    where id = any(${jobIds as string[]}::uuid[]) and pack_id = ${packId} and state = 'dispatched'`;
}
