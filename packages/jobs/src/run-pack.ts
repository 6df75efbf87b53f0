import type { Database } from '@ballast/db';
import { failpoint } from './failpoint.ts';
import { returnUnbegun } from './line-up.ts';
import { runBatch } from './run-batch.ts';
import { type RowRunner, runRow, type StartedRow } from './run-row.ts';

export interface PackRunner<Services> extends RowRunner<Services> {
  /** As the dispatcher's role: packs hold rows of many tenants. */
  jobsDb: Database;
  processId: string;
  /** True once the process takes no more work. */
  stopping(): boolean;
  /** Told when rows have gone back to the line before their turn came. */
  returned(): void;
  /** How long rows may wait for their turn; a tenth of a second when left out. */
  returnAfterMs?: number;
  /** Told after each row, for the size of later packs. */
  measured(name: string, runMs: number): void;
}

/** A pack whose rows turn out slow must not keep its last row waiting: others may have free slots. */
const defaultReturnAfterMs = 100;

/** An open job of the pack. Its `attempt` is the number of the start that is about to happen. */
export interface LiveRow {
  id: string;
  name: string;
  version: number;
  tenant_id: string | null;
  attempt: number;
  body: unknown;
  secrets: string[] | null;
  trace: string | null;
  /** Nobody began it before `discardAfter`. */
  stale: boolean;
  paused: boolean;
  wait_ms: number;
  /** The part of it that passed since the row was dispatched. */
  out_ms: number;
}

/**
 * Runs a pack's rows one after the other, and returns those whose turn has not
 * come after `returnAfterMs`, whatever the one before them still does. The first statement
 * opens the pack, once for all workers, and reads the rows that are still open: what was
 * cancelled or swept is not there. A pack that is unknown or open already is discarded.
 *
 * A row that travels alone is charged by that same statement, before it runs. The
 * rows of a larger pack are charged by their outcomes: should the worker die under
 * them, none is charged, and each travels alone from then on. So a crash can give a
 * job one start more than its attempts, and never one less; a job with a single
 * attempt always travels alone, and is never started twice.
 */
export async function runPack<Services>(runner: PackRunner<Services>, packId: string): Promise<void> {
  const { returnAfterMs = defaultReturnAfterMs } = runner;
  const rows = await openPack(runner, packId).catch((error: Error) => giveBack(runner, packId, error));
  if (rows === null) return;
  const openedAt = performance.now();
  const pack = { unwritten: 0, closed: false, lost: false };
  const outcomes: Promise<void>[] = [];
  const settle = (written: Promise<unknown>) => {
    pack.unwritten += 1;
    // Not awaited here: the next row need not wait for this one's outcome, and outcomes are written in groups.
    outcomes.push(
      written.then(() => {
        pack.unwritten -= 1;
      }),
    );
  };
  const [first] = rows;
  const batch = first && runner.find(first.name, first.version);
  if (batch?.job.batch) {
    const ready = rows.filter((row) => !row.stale && !row.paused && !runner.stopping());
    for (const row of rows) if (!ready.includes(row)) settle(leave(runner, packId, row));
    await failpoint('run.started');
    const started = ready.map((row) => startedRow(row, packId, openedAt));
    const ran = ready.length > 0 ? await runBatch(runner, batch, started) : { written: [], lost: false };
    for (const written of ran.written) settle(written);
    await Promise.all(outcomes);
    if (!ran.lost) await runner.completions.close(packId);
    return;
  }
  let begun = 0;
  const returnRest = () => {
    const rest = rows.splice(begun).map((row) => leave(runner, packId, row));
    for (const written of rest) settle(written);
    if (rest.length > 0) void Promise.all(rest).then(runner.returned, () => {});
  };
  const returning = rows.length > 1 ? setTimeout(returnRest, returnAfterMs) : undefined;
  while (begun < rows.length) {
    const row = rows[begun] as LiveRow;
    // Rows that never wait for anything leave no time to the timer.
    if (begun > 0 && performance.now() - openedAt > returnAfterMs) {
      returnRest();
      break;
    }
    begun += 1;
    if (row.stale || row.paused || runner.stopping()) {
      settle(leave(runner, packId, row));
      continue;
    }
    await failpoint('run.started');
    const ran = await runRow(
      runner,
      startedRow(row, packId, openedAt),
      // The last row may end the pack in its own commit, once nothing of the others is under way.
      () => begun === rows.length && pack.unwritten === 0 && !pack.lost,
    );
    settle(ran.written);
    pack.closed ||= ran.closedPack;
    pack.lost ||= ran.lost;
    runner.measured(row.name, ran.runMs);
  }
  clearTimeout(returning);
  // A row that another took over may still be in the pack: the sweep, which sees both, ends it.
  const closing = pack.closed || pack.lost ? null : runner.completions.close(packId);
  await Promise.all([...outcomes, closing]);
}

function startedRow(row: LiveRow, packId: string, openedAt: number): StartedRow {
  return {
    id: row.id,
    packId,
    tenantId: row.tenant_id,
    attempt: row.attempt,
    name: row.name,
    version: row.version,
    body: row.body,
    secrets: row.secrets,
    trace: row.trace,
    waitMs: row.wait_ms + performance.now() - openedAt,
    lagMs: row.wait_ms - row.out_ms,
  };
}

/** A row that is not begun: cancelled when it grew stale, else handed back. */
async function leave<Services>(runner: PackRunner<Services>, packId: string, row: LiveRow): Promise<boolean> {
  const ending = row.stale ? stale : handedBack;
  const held = await runner.completions.write({ ...ending, jobId: row.id, packId, attempt: row.attempt - 1 });
  const job = runner.find(row.name, row.version)?.job;
  if (held && row.stale && job) runner.observe?.ended(job, 'cancelled', null);
  return held;
}

const stale = { state: 'cancelled', afterMs: null, uncharge: true, failure: null } as const;
/** Back to its place in the line, uncharged. */
const handedBack = { state: 'pending', afterMs: null, uncharge: true, failure: null } as const;

/** The longest wait between two attempts to give a pack back. */
const maxPauseMs = 1_000;

/**
 * The answer to the opening was lost: whether it happened, and charged a start that there was
 * not, nobody knows. So the pack goes back, in its slot, for as long as that takes: its
 * process is alive and names it, so that no sweep would do it. What is left at the end of
 * the process is the sweep's, which lets the charge stand.
 */
async function giveBack<Services>(runner: PackRunner<Services>, packId: string, cause: Error): Promise<null> {
  for (let pauseMs = 50; !runner.shutdown.aborted; pauseMs = Math.min(maxPauseMs, 2 * pauseMs)) {
    try {
      const jobs = await returnUnbegun(runner.jobsDb.sql, packId, runner.processId);
      runner.log.warn({ packId, jobs, error: cause.message }, 'pack not opened; its jobs wait again');
      return null;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }
  throw cause;
}

/** Null when the pack is not there, or another worker has opened it. */
async function openPack<Services>(runner: PackRunner<Services>, packId: string): Promise<LiveRow[] | null> {
  const rows = await runner.jobsDb.sql<(LiveRow & { only: boolean; charged: boolean })[]>`
    with opened as (
      update jobs.pack set runner_id = ${runner.processId}, opened_at = now()
      where id = ${packId} and runner_id is null
      returning job_ids, now() as at, date_part('epoch', now() - dispatched_at) * 1000 as out_ms,
        exists (select 1 from jobs.queue where queue.name = pack.queue and queue.paused_at is not null) as paused
    ), charged as (
      update jobs.job set attempt = attempt + 1, started_at = now()
      from opened
      where cardinality(opened.job_ids) = 1 and job.id = opened.job_ids[1] and job.state = 'open'
        and (job.discard_after is null or job.discard_after > now())
      returning job.id
    )
    select job.id, job.name, job.version, job.tenant_id, job.attempt + 1 as attempt, job.body, job.secrets, job.trace,
           job.discard_after is not null and job.discard_after <= now() as stale,
           opened.paused, date_part('epoch', opened.at - job.run_at) * 1000 as wait_ms, opened.out_ms,
           cardinality(opened.job_ids) = 1 as only, charged.id is not null as charged
    from opened
    left join lateral unnest(opened.job_ids) with ordinality as member (job_id, place) on true
    left join jobs.job on job.id = member.job_id and job.state = 'open'
    left join charged on charged.id = job.id
    order by member.place`;
  if (rows.length === 0) return null;
  // Its row alone can have been cancelled between being read and being charged.
  return rows.filter((row) => row.id !== null && (!row.only || row.charged || row.stale));
}
