import type { Database } from '@ballast/db';
import { failpoint } from './failpoint.ts';
import { type RowRunner, runRow, type StartedRow } from './run-row.ts';

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
  wait_ms: number;
  lag_ms: number;
}

/**
 * Runs a pack's rows one after the other. The first statement reads the rows that
 * are still live and starts the first of them: what was cancelled, swept or has
 * grown stale is not there. An unknown or empty pack is discarded.
 */
export async function runPack<Services>(runner: PackRunner<Services>, packId: string): Promise<void> {
  const rows = await openPack(runner, packId);
  const openedAt = performance.now();
  for (const [index, row] of rows.entries()) {
    const late = index > 0 && performance.now() - openedAt > returnAfterMs;
    if (late || runner.stopping()) {
      await returnUnstarted(runner.jobsDb, packId);
      return;
    }
    const attempt = index === 0 ? row.attempt : await startRow(runner, row.id, packId);
    if (attempt === null) continue;
    await failpoint('run.started');
    const { runMs } = await runRow(runner, started(row, packId, attempt, performance.now() - openedAt));
    runner.measured(row.name, runMs);
  }
}

async function openPack<Services>(runner: PackRunner<Services>, packId: string): Promise<LiveRow[]> {
  return runner.jobsDb.sql<LiveRow[]>`
    with live as (
      select id, run_at from jobs.job
      where pack_id = ${packId} and state = 'dispatched' and (discard_after is null or discard_after > now())
    ), started as (
      update jobs.job set attempt = attempt + 1, started_at = now(), runner_id = ${runner.processId}
      where id = (select id from live order by run_at, id limit 1) and pack_id = ${packId} and state = 'dispatched'
      returning id, attempt
    )
    select job.id, job.name, job.version, job.tenant_id, coalesce(started.attempt, job.attempt) as attempt, payload.body,
           (extract(epoch from now() - job.run_at) * 1000)::float8 as wait_ms,
           (extract(epoch from job.dispatched_at - job.run_at) * 1000)::float8 as lag_ms
    from live
    join jobs.job on job.id = live.id
    join jobs.payload on payload.job_id = job.id
    left join started on started.id = job.id
    order by live.run_at, live.id`;
}

/** Charges a row as it starts, and only then. Null: it is no longer this pack's. */
async function startRow<Services>(runner: PackRunner<Services>, jobId: string, packId: string): Promise<number | null> {
  const [row] = await runner.jobsDb.sql<{ attempt: number }[]>`
    update jobs.job set attempt = attempt + 1, started_at = now(), runner_id = ${runner.processId}
    where id = ${jobId} and pack_id = ${packId} and state = 'dispatched'
      and (discard_after is null or discard_after > now())
    returning attempt`;
  return row?.attempt ?? null;
}

/** Hands rows that had not started back to the dispatcher, uncharged. */
async function returnUnstarted(db: Database, packId: string): Promise<void> {
  await db.sql`
    update jobs.job set state = 'pending', pack_id = null, dispatched_at = null
    where pack_id = ${packId} and state = 'dispatched' and started_at is null`;
}

function started(row: LiveRow, packId: string, attempt: number, sinceOpenMs: number): StartedRow {
  return {
    id: row.id,
    packId,
    tenantId: row.tenant_id,
    attempt,
    name: row.name,
    version: row.version,
    body: row.body,
    waitMs: row.wait_ms + sinceOpenMs,
    lagMs: row.lag_ms,
  };
}
