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
import { currentKeys, onCommit, sqlOf, type Tx } from '@ballast/db';
import { AppError, type JobDefinition } from '@ballast/kernel';
import type postgres from 'postgres';
import { uuidv7 } from 'uuidv7';
import { type EnqueuedEvent, enqueuedChannel } from './observe.ts';
import { problemsOf, sealPayload } from './sealed-payload.ts';
import { causeOf } from './trace-run.ts';

export interface EnqueueOptions {
  /** Not before this moment; now, when left out. */
  runAt?: Date;
  /**
   * At most one pending job of this name, tenant and key: a second enqueue keeps
   * the first's payload and options, returns its id, and holds the row until its own
   * commit, so that the job cannot run before it. One whose `discardAfter` has passed
   * is not joined.
   */
  key?: string;
  /** The organisation it belongs to; the transaction's own when left out. Row-level security refuses another's. */
  tenant?: string | null;
  /** Among the waiting jobs of its tenant, the lowest first; 0 when left out. From -32768 to 32767. */
  priority?: number;
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
  const keys = job.secrets.length > 0 ? currentKeys() : null;
  const rows = items.map((item) => {
    const id = uuidv7();
    refuseWrong(job, item.payload);
    return { ...item, id, body: sealPayload(keys, job, id, item.payload) };
  });
  const kept = await add(sqlOf(tx), job, rows);
  // One for each item that has a key, in their order.
  const keyed = kept.values();
  const ids = rows.map((row) => (row.key === undefined ? row.id : (keyed.next().value as Kept).id));
  onCommit((db) => {
    db.notify(wakeChannel);
    if (!enqueuedChannel.hasSubscribers) return;
    // An item that joined an older row, or another item, added none.
    const added = rows.filter((row, place) => ids[place] === row.id);
    const event: EnqueuedEvent = { job, rows: added.length };
    enqueuedChannel.publish(event);
  });
  return ids;
}

type Row = EnqueueOptions & { id: string; body: string };

interface Kept {
  id: string;
}

/** How `jobs.add` is told that a job belongs to no tenant; null stands for the transaction's own. */
const nobody = '00000000-0000-0000-0000-000000000000';

/**
 * What no item says is left out altogether: Postgres then need not look. Moments travel
 * as text, since Drizzle replaces the client's serializers of date arrays.
 */
async function add<Payload>(
  sql: postgres.TransactionSql,
  job: JobDefinition<Payload>,
  rows: readonly Row[],
): Promise<Kept[]> {
  const column = <Value>(of: (row: Row) => Value | null | undefined) => {
    const values = rows.map((row) => of(row) ?? null);
    return values.every((value) => value === null) ? null : values;
  };
  return sql<Kept[]>`
    select id from jobs.add(
      ${job.name}, ${job.version}, ${job.queue}, ${job.attempts}::smallint, ${job.batch}::smallint, ${job.concurrency}::smallint,
      ${job.secrets.length > 0 ? [...job.secrets] : null}::text[], ${causeOf(job.name)},
      ${rows.map((row) => row.id)}::uuid[],
      ${rows.map((row) => row.body)}::text[],
      ${column((row) => row.priority)}::smallint[],
      ${column((row) => row.discardAfter?.toISOString())}::text[]::timestamptz[],
      ${column((row) => row.runAt?.toISOString())}::text[]::timestamptz[],
      ${column((row) => (row.tenant === null ? nobody : row.tenant))}::uuid[],
      ${column((row) => row.key)}::text[])`;
}

/** A payload that its own schema refuses must fail here, in the caller's hands, and not hours later in a worker. */
function refuseWrong<Payload>(job: JobDefinition<Payload>, payload: Payload): void {
  const result = job.payload.safeParse(payload);
  if (result.success) return;
  throw new AppError('jobs.invalid_payload', {
    public: 'Something went wrong on our side.',
    internal: `The payload of ${job.name} does not fit its schema: ${problemsOf(job, result.error.issues)}`,
    retryable: false,
  });
}
