import type { Database } from '@ballast/db';
import type postgres from 'postgres';
import { shownPayload } from './sealed-payload.ts';

export type JobState = 'pending' | 'dispatched' | 'done' | 'dead' | 'cancelled' | 'parked' | 'held';

export interface JobRow {
  id: string;
  name: string;
  version: number;
  queue: string;
  tenantId: string | null;
  state: JobState;
  priority: number;
  attempt: number;
  attempts: number;
  runAt: string;
  createdAt: string;
  startedAt: string | null;
  endedAt: string | null;
  /** The latest failure, or null. */
  failure: string | null;
  /** What `ctx.progress` was last told; null when nothing was, or the job is done. */
  progress: JobProgress | null;
}

export interface JobProgress {
  fraction: number;
  note: string | null;
  /** The start that said so. */
  attempt: number;
  at: string;
}

export interface ListFilter {
  state?: JobState;
  name?: string;
  queue?: string;
  tenantId?: string;
  /** At most this many, the newest first. */
  limit?: number;
}

/**
 * Lists jobs, the newest first. A state is looked for where it is kept: among a million of done jobs the dead ones are
 * found without reading them. Of what is done or was cancelled there is no such place, nor of a name or an organisation
 * alone: these read back in time until there are enough.
 */
export async function listJobs(db: Database, filter: ListFilter = {}): Promise<JobRow[]> {
  const { sql } = db;
  const { name, queue, limit = 50 } = filter;
  return sql<JobRow[]>`
    with chosen as materialized (
      select job_id from ${placeOf(sql, filter)}
        ${name === undefined ? sql`` : sql`and name = ${name}`}
        ${queue === undefined ? sql`` : sql`and queue = ${queue}`}
      order by job_id desc limit ${limit}
    )
    -- One after the other by its id, whatever the statistics say: a join may choose to read all.
    select ${columns(db)}
    from chosen cross join lateral (select * from jobs.status where id = chosen.job_id limit 1) as status
    order by id desc`;
}

/** What the state says of where to look, with the organisation's condition, for more of which there is an `and`. */
function placeOf(sql: postgres.Sql, { state, tenantId }: ListFilter) {
  const ofTenant =
    tenantId === undefined
      ? sql`true`
      : sql`(select tenant_id from jobs.job where job.id = place.job_id) = ${tenantId}`;
  switch (state) {
    case 'pending':
      return sql`(
        select job_id, queue, name, lane, concurrency from jobs.due
        union all select job_id, queue, name, lane, concurrency from jobs.later
      ) as place where ${tenantId === undefined ? sql`true` : sql`lane = jobs.lane(${tenantId}, name, concurrency)`}`;
    case 'dispatched':
      // What has ended is still named in a pack under way.
      return sql`(
        select one.id as job_id, queue, name from jobs.pack cross join lateral unnest(job_ids) as one (id)
      ) as place where (select job.state from jobs.job where job.id = place.job_id) = 'open' and ${ofTenant}`;
    case 'parked':
    case 'held':
      return sql`jobs.aside as place where why = ${state} and ${ofTenant}`;
    case 'dead':
      return sql`jobs.dead as place where ${ofTenant}`;
    default:
      return sql`(select id as job_id, queue, name, tenant_id, state from jobs.job) as place
        where ${state === undefined ? sql`true` : sql`state = ${state}`}
          and ${tenantId === undefined ? sql`true` : sql`tenant_id = ${tenantId}`}`;
  }
}

export interface JobDetail extends JobRow {
  /** Secret fields are shown as such. */
  payload: unknown;
  failures: { attempt: number; message: string; at: string }[];
}

/** One job with its payload and all its failures, or null. */
export async function showJob(db: Database, id: string): Promise<JobDetail | null> {
  const [found] = await db.sql<(JobRow & { body: unknown; secrets: string[] | null })[]>`
    select ${columns(db)}, body, secrets from jobs.status where id = ${id}`;
  if (!found) return null;
  const { body, secrets, ...row } = found;
  const failures = await db.sql<JobDetail['failures']>`
    select attempt, message, created_at::text as at from jobs.failure where job_id = ${id} order by created_at`;
  return { ...row, payload: shownPayload(body, secrets), failures: [...failures] };
}

function columns(db: Database) {
  return db.sql`
    id, name, version, queue, tenant_id as "tenantId", state, priority, attempt, attempts, run_at::text as "runAt",
    uuid_extract_timestamp(id)::text as "createdAt", started_at::text as "startedAt", ended_at::text as "endedAt",
    (select message from jobs.failure where job_id = status.id order by created_at desc limit 1) as failure,
    (select json_build_object('fraction', fraction, 'note', note, 'attempt', progress.attempt, 'at', reported_at::text)
     from jobs.progress where job_id = status.id and status.state <> 'done') as progress`;
}
