/**
 * The operator's door: look at jobs, and change what waits. Runs as the dispatcher's
 * role. Every change names the states it applies to, so that none can touch a job
 * that is running or has ended meanwhile.
 */
import { type Database, sqlOf, withScope } from '@ballast/db';
import { wakeChannel } from './enqueue.ts';

export type JobState = 'pending' | 'dispatched' | 'done' | 'dead' | 'cancelled' | 'parked';

export interface JobRow {
  id: string;
  name: string;
  version: number;
  queue: string;
  tenantId: string | null;
  state: JobState;
  attempt: number;
  attempts: number;
  runAt: string;
  createdAt: string;
  startedAt: string | null;
  endedAt: string | null;
  /** The latest failure, or null. */
  failure: string | null;
}

export interface ListFilter {
  state?: JobState;
  name?: string;
  queue?: string;
  tenantId?: string;
  /** At most this many, the newest first. */
  limit?: number;
}

/** Lists jobs, the newest first. */
export async function listJobs(db: Database, filter: ListFilter = {}): Promise<JobRow[]> {
  return db.sql<JobRow[]>`
    select ${columns(db)} from jobs.job
    where (${filter.state ?? null}::text is null or state = ${filter.state ?? null})
      and (${filter.name ?? null}::text is null or name = ${filter.name ?? null})
      and (${filter.queue ?? null}::text is null or queue = ${filter.queue ?? null})
      and (${filter.tenantId ?? null}::uuid is null or tenant_id = ${filter.tenantId ?? null})
    order by id desc limit ${filter.limit ?? 50}`;
}

export interface JobDetail extends JobRow {
  payload: unknown;
  failures: { attempt: number; message: string; at: string }[];
}

/** One job with its payload and all its failures, or null. */
export async function showJob(db: Database, id: string): Promise<JobDetail | null> {
  const [job] = await db.sql<JobRow[]>`select ${columns(db)} from jobs.job where id = ${id}`;
  if (!job) return null;
  const [payload] = await db.sql<{ body: unknown }[]>`select body from jobs.payload where job_id = ${id}`;
  const failures = await db.sql<JobDetail['failures']>`
    select attempt, message, created_at::text as at from jobs.failure where job_id = ${id} order by created_at`;
  return { ...job, payload: payload?.body ?? null, failures: [...failures] };
}

function columns(db: Database) {
  return db.sql`
    id, name, version, queue, tenant_id as "tenantId", state, attempt, attempts, run_at::text as "runAt",
    created_at::text as "createdAt", started_at::text as "startedAt", ended_at::text as "endedAt",
    (select message from jobs.failure where job_id = job.id order by created_at desc limit 1) as failure`;
}

export interface QueueCount {
  queue: string;
  name: string;
  state: JobState;
  jobs: number;
  /** How long the oldest due job of this row has waited, in seconds; null when none is due. */
  oldestDueSeconds: number | null;
  paused: boolean;
}

/** Jobs per queue, name and state, with the age of the oldest that is due. */
export async function countJobs(db: Database): Promise<QueueCount[]> {
  return db.sql<QueueCount[]>`
    select job.queue, job.name, job.state, count(*)::int as jobs,
           round(extract(epoch from now() - min(run_at) filter (where job.state in ('pending', 'dispatched') and run_at <= now())))::int
             as "oldestDueSeconds",
           bool_or(queue.paused_at is not null) as paused
    from jobs.job left join jobs.queue on queue.name = job.queue
    group by job.queue, job.name, job.state order by 1, 2, 3`;
}

/**
 * Cancels what has not started. True when it did. A row that runs inside a larger
 * pack at this moment may still have its external effect; its transaction is refused.
 */
export async function cancelJob(db: Database, id: string): Promise<boolean> {
  const done = await db.sql`
    update jobs.job set state = 'cancelled', ended_at = now(), key = null
    where id = ${id} and (state in ('pending', 'parked') or (state = 'dispatched' and started_at is null))`;
  return done.count === 1;
}

/** Gives dead or cancelled jobs all their attempts again. Returns how many. */
export async function retryJobs(db: Database, choice: { id: string } | { name: string }): Promise<number> {
  return changed(
    db,
    (sql) => sql`
      update jobs.job
      set state = 'pending', attempt = 0, run_at = now(), ended_at = null, pack_id = null, runner_id = null, started_at = null
      where state in ('dead', 'cancelled') and ${'id' in choice ? sql`id = ${choice.id}` : sql`name = ${choice.name}`}`,
  );
}

/** Makes a waiting job due now. True when it was waiting. */
export async function runNow(db: Database, id: string): Promise<boolean> {
  const count = await changed(
    db,
    (sql) => sql`update jobs.job set run_at = now() where id = ${id} and state = 'pending'`,
  );
  return count === 1;
}

/** Hands out nothing more of this queue; workers give back what they have not begun. What runs is left to end. */
export async function pauseQueue(db: Database, queue: string): Promise<void> {
  await db.sql`
    insert into jobs.queue (name, paused_at) values (${queue}, now())
    on conflict (name) do update set paused_at = coalesce(queue.paused_at, now())`;
}

/** Hands out again. */
export async function resumeQueue(db: Database, queue: string): Promise<void> {
  await changed(db, (sql) => sql`update jobs.queue set paused_at = null where name = ${queue}`);
}

/** Runs a statement, and wakes the dispatchers once it has committed. */
async function changed(
  db: Database,
  statement: (sql: ReturnType<typeof sqlOf>) => PromiseLike<{ count: number }>,
): Promise<number> {
  const { count } = await withScope(db, {}, (tx) => Promise.resolve(statement(sqlOf(tx))));
  db.notify(wakeChannel);
  return count;
}
