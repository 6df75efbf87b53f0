/**
 * The sweep finds work that somebody began and nobody will end: rows whose runner is
 * silent, and rows whose pack the queue does not know or a worker took in vain. Any number of processes may
 * sweep; an advisory lock lets one at a time.
 */
import type { Database } from '@ballast/db';
import type { Log } from '@ballast/kernel';
import { gapMs, silentAfterMs } from './fleet.ts';
import { linedUp } from './line-up.ts';
import { openTaken, returnLost, type TakenPacks } from './lost.ts';
import type { JobObserver } from './observe.ts';
import { rebuildIndex } from './rebuild-index.ts';
import { openRemoval, type Removal, type RemovalOptions, timeFor } from './removal.ts';
import { cancelStale } from './stale.ts';
import { anythingToSweep, orphaned } from './suspects.ts';
import type { Transport } from './transport.ts';

export interface Swept {
  /** Rows whose runner was silent or no longer runs their pack. */
  orphaned: number;
  /** Rows whose pack the queue did not know, or a worker took and could not open. */
  lost: number;
  /** Rows that nobody started before `discardAfter`. */
  stale: number;
  /** Ended rows that left the table. */
  removed: number;
}

export interface SweepOptions extends RemovalOptions {
  transport: Pick<Transport, 'holds'>;
  log: Log;
  everyMs?: number;
  /** Whether it also looks for old rows, and for indexes that have grown: `rest` only goes on with what its time was over for. */
  remove?: boolean | 'rest';
  removal?: Removal;
  /** What earlier sweeps saw of packs that workers took. */
  taken?: TakenPacks;
  /** A pack younger than this may be on its way: its dispatcher adds it after the commit that marked it. */
  settledAfterMs?: number;
  observe?: JobObserver | undefined;
  /** The process that sweeps: it must have beaten for as long as the silence that it calls death. Without it, all silence is. */
  witnessId?: string;
}

/** 'Swep' in ASCII. */
const lockKey = 0x53776570;
/** How far apart the rows that ran in a process when it died start again, and how many are given that much. */
const apartMs = 1_000;
const suspectsApart = 10;
/** Old rows are looked for in the first sweep and every twelfth from there, once a minute; and in the next when there are more. */
const everyTwelfth = 12;

/** Sweeps every `everyMs` until closed. */
export function startSweep(
  options: SweepOptions & {
    removeEvery?: number;
    transport: Pick<Transport, 'holds' | 'drop'>;
    /** Told when rows were returned to the line. */
    onReturned?: () => void;
  },
): { close(): Promise<void> } {
  const { everyMs = 5_000, removeEvery = everyTwelfth } = options;
  const stopping = new AbortController();
  // The other half of the time is everybody else's: what looks for lost packs wants the same lock.
  const sweeping = { removeForMs: everyMs / 2, ...options, stopping: stopping.signal };
  const removal = openRemoval(sweeping);
  const taken = openTaken(options.transport);
  let under: Promise<unknown> = Promise.resolve();
  let busy = false;
  let sweeps = 0;
  const timer = setInterval(() => {
    if (busy) return;
    busy = true;
    const remove = sweeps % removeEvery === 0 || (removal.unfinished() && 'rest');
    sweeps += 1;
    under = sweep({ ...sweeping, remove, removal, taken })
      .then((swept) => {
        for (const why of ['orphaned', 'lost', 'stale'] as const) {
          if (swept?.[why]) options.observe?.repaired(why, swept[why]);
        }
        if (!swept || swept.orphaned + swept.lost === 0) return;
        // What starts apart must not be found together by a look that comes late.
        options.onReturned?.();
        options.log.warn({ ...swept }, 'sweep returned jobs');
      })
      .catch((error: Error) => options.log.warn({ error: error.message }, 'sweep failed'))
      .finally(() => {
        busy = false;
      });
  }, everyMs);
  return {
    async close() {
      clearInterval(timer);
      stopping.abort();
      await under;
    },
  };
}

/** One sweep. Null when another process is sweeping. One that need not remove old rows looks first whether there is anything. */
export async function sweep(options: SweepOptions): Promise<Swept | null> {
  const { db, settledAfterMs = 10_000, remove = true } = options;
  if (!remove && !(await anythingToSweep(db, settledAfterMs))) return { orphaned: 0, lost: 0, stale: 0, removed: 0 };
  return withSweepLock(db, async () => {
    const canTell = await canWitness(db, options.witnessId);
    const orphaned = canTell ? await returnOrphans(db, options.observe) : 0;
    const lost = await lookForLost(options, settledAfterMs, canTell);
    const isOver = timeFor(options);
    const stale = await cancelStale(db, isOver, options.observe);
    return { orphaned, lost, stale, removed: !remove ? 0 : await tidy(options, isOver) };
  });
}

/** A queue that does not answer keeps nothing else from being swept: all the rest is between Postgres and its clock. */
async function lookForLost(options: SweepOptions, settledAfterMs: number, canTell: boolean): Promise<number> {
  const { db, transport, log } = options;
  const taken = canTell ? options.taken : undefined;
  return returnLost(db, transport, { settledAfterMs, suspect: true, taken }).catch((error: Error) => {
    log.warn({ error: error.message }, 'sweep could not look for lost packs');
    return 0;
  });
}

/** What need not be done in every sweep. Under the lock: one process at a time removes. */
async function tidy(options: SweepOptions, isOver: () => boolean): Promise<number> {
  const { db, log, remove = true, removal = openRemoval(options) } = options;
  if (remove !== 'rest') await rebuildIndex(db, log);
  return removal.run(isOver);
}

/**
 * Runs `work` unless another process holds the sweep's lock; null then. The lock lives
 * in a transaction of its own, so that a session that dies releases it; `work` commits
 * by itself, and can be repeated by whoever comes next.
 */
export async function withSweepLock<Result>(db: Database, work: () => Promise<Result>): Promise<Result | null> {
  const result = await db.sql.begin(async (sql) => {
    const [lock] = await sql<{ held: boolean }[]>`select pg_try_advisory_xact_lock(${lockKey}) as held`;
    return lock?.held ? { of: await work() } : null;
  });
  return (result as { of: Result } | null)?.of ?? null;
}

/**
 * After an outage of Postgres everybody looks silent, the sweeper's neighbours and their
 * sent mails included: first they get the time to say that they live.
 */
async function canWitness(db: Database, witnessId: string | undefined): Promise<boolean> {
  if (witnessId === undefined) return true;
  const rows = await db.sql`
    select 1 from jobs.process
    where id = ${witnessId} and beat_at > now() - ${gapMs} * interval '1 millisecond'
      and steady_since < now() - ${silentAfterMs} * interval '1 millisecond'`;
  return rows.length > 0;
}

/**
 * Rows of packs that a process opened and does not run any more. A row that was charged
 * at its start keeps that, and may be dead by it; the others return uncharged. All of
 * them travel alone from now on, since one may have taken its worker down. Rows that
 * were running beside each other come back one after the other: together they would
 * only die beside it again, and be charged for it again. Each comes back to the place that it
 * had in the line: behind a backlog, it would have waited for its turn twice.
 */
async function returnOrphans(db: Database, observe?: JobObserver): Promise<number> {
  await endHolders(db);
  const { sql } = db;
  const rows = await sql<{ name: string; queue: string; state: string }[]>`
    with orphan as materialized (
      select id, job_ids from jobs.pack where ${orphaned(sql)} for update skip locked
    ), gone as (
      delete from jobs.pack where id in (select id from orphan)
    ), member as (
      select unnest(job_ids) as id, cardinality(job_ids) = 1 as single from orphan
    ), suspect as (
      select id, single, row_number() over (partition by single order by id) - 1 as place, count(*) over (partition by single) as suspects
      from member
    ), returned as (
      update jobs.job
      set state = case when started_at is not null and attempt >= attempts then 'dead' else 'open' end,
          ended_at = case when started_at is not null and attempt >= attempts then now() end,
          started_at = null, alone = true,
          run_at = case when single and place > 0
            then now() + place * least(${apartMs}, ${apartMs * suspectsApart}::numeric / suspects) * interval '1 millisecond'
            else run_at end
      from suspect where job.id = suspect.id and job.state = 'open'
      returning job.*, old.started_at is not null as charged, old.run_at as place_at
    ), again as (
      select * from returned where state = 'open'
    ), ${linedUp(sql, 'again', sql`place_at`)}, buried as (
      insert into jobs.dead (job_id, queue, name) select id, queue, name from returned where state = 'dead'
    ), failures as (
      insert into jobs.failure (job_id, attempt, message)
      select id, attempt, 'The worker that ran it fell silent.' from returned where charged
    )
    select name, queue, state from returned`;
  for (const row of rows) if (row.state === 'dead') observe?.ended(row, 'dead', null);
  return rows.length;
}

/** A frozen process may hold its rows from within a message, where no timeout of sessions reaches it. */
async function endHolders(db: Database): Promise<void> {
  await db.sql`
    select jobs.end_holders(id, ${silentAfterMs} * interval '1 millisecond') from jobs.pack
    where runner_id is not null and not exists (
      select 1 from jobs.process
      where process.id = pack.runner_id and beat_at > now() - ${silentAfterMs} * interval '1 millisecond'
    )`;
}
