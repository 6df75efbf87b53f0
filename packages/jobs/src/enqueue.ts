/**
 * The producer's door: a job is a row, inserted in the caller's transaction. No
 * commit, no job; commit, and the job exists whatever happens to Redis.
 *
 * @example
 * await withTenant(db, organizationId, async (tx) => {
 *   const request = await insertRequest(tx, input);
 *   await enqueue(tx, sendRequest, { requestId: request.id });
 * });
 */
import { onCommit, sqlOf, type Tx } from '@ballast/db';
import { AppError, type JobDefinition } from '@ballast/kernel';
import type postgres from 'postgres';
import { uuidv7 } from 'uuidv7';
import { type EnqueuedEvent, enqueuedChannel } from './observe.ts';

export interface EnqueueOptions {
  /** Not before this moment; now, when left out. */
  runAt?: Date;
  /**
   * At most one pending job of this name, tenant and key: a second enqueue keeps
   * the first's payload and returns its id, and holds the row until its own commit,
   * so that the job cannot run before it.
   */
  key?: string;
  /** The organisation it belongs to; the transaction's own when left out. Row-level security refuses another's. */
  tenant?: string | null;
  /** Cancelled instead of run when it has not started by then. */
  discardAfter?: Date;
}

/** The channel on which a commit with new jobs is announced. */
export const wakeChannel = 'ballast_jobs';

/** Adds one job. Returns its id. */
export async function enqueue<Payload>(
  tx: Tx,
  job: JobDefinition<Payload>,
  payload: Payload,
  options: EnqueueOptions = {},
): Promise<string> {
  const [id] = await enqueueMany(tx, job, [{ payload, ...options }]);
  return id as string;
}

/** Adds many jobs of one kind in one statement. Returns their ids in the given order. */
export async function enqueueMany<Payload>(
  tx: Tx,
  job: JobDefinition<Payload>,
  items: readonly ({ payload: Payload } & EnqueueOptions)[],
): Promise<string[]> {
  if (items.length === 0) return [];
  const rows = distinctKeys(items).map((item) => ({ ...item, id: uuidv7(), body: parsed(job, item.payload) }));
  const keyed = rows.some((row) => row.key !== undefined);
  const inserted = await (keyed ? insertKeyed : insert)(sqlOf(tx), job, rows);
  onCommit((db) => {
    db.notify(wakeChannel);
    if (!enqueuedChannel.hasSubscribers) return;
    // Rows that a key had kept pending are returned too, and are not new.
    const added = new Set(inserted.map((row) => row.id));
    const event: EnqueuedEvent = { job, rows: rows.filter((row) => added.has(row.id)).length };
    enqueuedChannel.publish(event);
  });
  const idOfKey = new Map(inserted.map((row) => [row.key, row.id]));
  const withoutKey = rows.filter((row) => row.key === undefined).map((row) => row.id);
  return items.map((item) => (item.key === undefined ? withoutKey.shift() : idOfKey.get(item.key)) as string);
}

type Policy = Pick<JobDefinition, 'name' | 'version' | 'queue' | 'attempts'>;
type Row = EnqueueOptions & { id: string; body: string };

interface Inserted {
  id: string;
  key: string | null;
}

/** Without keys nothing can be in the way, and Postgres need not look. */
async function insert(sql: postgres.TransactionSql, job: Policy, rows: Row[]): Promise<Inserted[]> {
  await sql`
    with input as materialized (${input(sql, rows)}), added as (
      insert into jobs.job (id, name, version, queue, tenant_id, run_at, discard_after, attempts)
      select id, ${job.name}, ${job.version}, ${job.queue},
             case when own_tenant then ballast.tenant_id() else tenant_id end,
             coalesce(run_at, now()), discard_after, ${job.attempts}
      from input
    )
    insert into jobs.payload (job_id, body) select id, body::jsonb from input`;
  return rows.map((row) => ({ id: row.id, key: null }));
}

async function insertKeyed(sql: postgres.TransactionSql, job: Policy, rows: Row[]): Promise<Inserted[]> {
  return sql<Inserted[]>`
    with input as materialized (${input(sql, rows)}), added as (
      insert into jobs.job (id, name, version, queue, tenant_id, run_at, key, discard_after, attempts)
      select id, ${job.name}, ${job.version}, ${job.queue},
             case when own_tenant then ballast.tenant_id() else tenant_id end,
             coalesce(run_at, now()), key, discard_after, ${job.attempts}
      from input
      on conflict (name, lane, key) where state = 'pending' and key is not null do update set key = excluded.key
      returning id, key
    ), payloads as (
      insert into jobs.payload (job_id, body) select input.id, input.body::jsonb from input join added using (id)
    )
    select id, key from added`;
}

/**
 * Moments and booleans travel as text: Drizzle replaces the client's serializers of
 * date arrays, and postgres.js takes the type of an array of booleans for that of one.
 */
function input(sql: postgres.TransactionSql, rows: readonly Row[]) {
  return sql`
    select * from unnest(
      ${rows.map((row) => row.id)}::uuid[],
      ${rows.map((row) => row.body)}::text[],
      ${rows.map((row) => row.runAt?.toISOString() ?? null)}::text[]::timestamptz[],
      ${rows.map((row) => row.key ?? null)}::text[],
      ${rows.map((row) => row.discardAfter?.toISOString() ?? null)}::text[]::timestamptz[],
      ${rows.map((row) => row.tenant ?? null)}::uuid[],
      ${rows.map((row) => String(row.tenant === undefined))}::text[]::boolean[]
    ) as item (id, body, run_at, key, discard_after, tenant_id, own_tenant)`;
}

/** The first item of each key: one statement may not touch a row twice. */
function distinctKeys<Item extends EnqueueOptions>(items: readonly Item[]): Item[] {
  const seen = new Set<string>();
  return items.filter((item) => {
    if (item.key === undefined) return true;
    if (seen.has(item.key)) return false;
    seen.add(item.key);
    return true;
  });
}

/** A payload that its own schema refuses must fail here, in the caller's hands, and not hours later in a worker. */
function parsed<Payload>(job: JobDefinition<Payload>, payload: Payload): string {
  const result = job.payload.safeParse(payload);
  if (result.success) return JSON.stringify(payload);
  throw new AppError('jobs.invalid_payload', {
    public: 'Something went wrong on our side.',
    internal: `The payload of ${job.name} does not fit its schema: ${result.error.issues
      .map((issue) => `${issue.path.join('.') || 'payload'}: ${issue.message}`)
      .join('; ')}`,
    retryable: false,
  });
}
