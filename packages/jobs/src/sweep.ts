/**
 * The sweep finds work that somebody began and nobody will end: rows whose runner is
 * silent, and rows whose pack the queue does not know. Any number of processes may
 * sweep; an advisory lock lets one at a time.
 */
import type { Database } from '@ballast/db';
import type { Log } from '@ballast/kernel';
import { silentAfterMs } from './fleet.ts';
import type { JobObserver } from './observe.ts';
import type { Transport } from './transport.ts';

export interface Swept {
  /** Rows whose runner was silent or no longer runs their pack. */
  orphaned: number;
  /** Rows whose pack the queue did not know. */
  lost: number;
  /** Rows that nobody started before `discardAfter`. */
  stale: number;
  /** Ended rows that left the table. */
  removed: number;
}

export interface SweepOptions {
  /** As the dispatcher's role. */
  db: Database;
  transport: Pick<Transport, 'holds'>;
  log: Log;
  everyMs?: number;
  /** How long done and cancelled jobs stay. Dead ones stay until someone decides. */
  keepEndedDays?: number;
  /** False leaves ended jobs for another sweep. */
  remove?: boolean;
  /** A pack younger than this may be on its way: its dispatcher adds it after the commit that marked it. */
  settledAfterMs?: number;
  observe?: JobObserver | undefined;
}

/** 'Swep' in ASCII. */
const lockKey = 0x53776570;
const batch = 1_000;
/** Old rows are looked for in every twelfth sweep, once a minute. */
const removeEvery = 12;

/** Sweeps every `everyMs` until closed. */
export function startSweep(options: SweepOptions): { close(): Promise<void> } {
  let under: Promise<unknown> = Promise.resolve();
  let busy = false;
  let sweeps = 0;
  const timer = setInterval(() => {
    if (busy) return;
    busy = true;
    sweeps += 1;
    under = sweep({ ...options, remove: sweeps % removeEvery === 0 })
      .then((swept) => {
        for (const why of ['orphaned', 'lost', 'stale'] as const) {
          if (swept?.[why]) options.observe?.repaired(why, swept[why]);
        }
        if (swept && swept.orphaned + swept.lost > 0) options.log.warn({ ...swept }, 'sweep returned jobs');
      })
      .catch((error: Error) => options.log.warn({ error: error.message }, 'sweep failed'))
      .finally(() => {
        busy = false;
      });
  }, options.everyMs ?? 5_000);
  return {
    async close() {
      clearInterval(timer);
      await under;
    },
  };
}

/** One sweep. Null when another process is sweeping. */
export async function sweep(options: SweepOptions): Promise<Swept | null> {
  const { db, transport } = options;
  return withSweepLock(db, async () => ({
    orphaned: await returnOrphans(db),
    lost: await returnLost(db, transport, { settledAfterMs: options.settledAfterMs ?? 10_000, suspect: true }),
    stale: await cancelStale(db),
    removed: options.remove === false ? 0 : await removeEnded(db, options.keepEndedDays ?? 7),
  }));
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
 * Rows of packs that a process began and does not run any more. A started row keeps
 * its charge and may be dead by it; its neighbours return uncharged. All of them
 * travel alone from now on, since one may have taken its worker down.
 */
async function returnOrphans(db: Database): Promise<number> {
  const rows = await db.sql`
    with living as (
      select id, packs, beat_at from jobs.process where beat_at > now() - ${silentAfterMs} * interval '1 millisecond'
    ), orphan as (
      select distinct job.pack_id from jobs.job
      where state = 'dispatched' and runner_id is not null
        and not exists (
          select 1 from living
          -- A beat older than the start cannot list the pack yet.
          where living.id = job.runner_id and (job.pack_id = any(living.packs) or living.beat_at <= job.started_at + interval '1 second')
        )
    ), returned as (
      update jobs.job
      set state = case when runner_id is not null and attempt >= attempts then 'dead' else 'pending' end,
          ended_at = case when runner_id is not null and attempt >= attempts then now() end,
          pack_id = null, runner_id = null, alone = true, run_at = now()
      from (select id, runner_id is not null as started from jobs.job
            where state = 'dispatched' and pack_id in (select pack_id from orphan) for update skip locked) taken
      where job.id = taken.id
      returning job.id, job.attempt, taken.started
    )
    insert into jobs.failure (job_id, attempt, message)
    select id, attempt, 'The worker that ran it fell silent.' from returned where started
    returning job_id`;
  return rows.length;
}

/**
 * Rows that wait in a pack of which the queue knows nothing: wiped, lost with its
 * tail, never added, or taken by a worker that died under it. Uncharged; where the
 * last is possible (`suspect`) they travel alone from now on.
 */
export async function returnLost(
  db: Database,
  transport: SweepOptions['transport'],
  { settledAfterMs, suspect }: { settledAfterMs: number; suspect: boolean },
): Promise<number> {
  const packs = await db.sql<{ queue: string; pack_id: string }[]>`
    select distinct queue, pack_id from jobs.job
    where state = 'dispatched' and runner_id is null and dispatched_at < now() - ${settledAfterMs} * interval '1 millisecond'
      and not exists (
        select 1 from jobs.process
        where beat_at > now() - ${silentAfterMs} * interval '1 millisecond' and job.pack_id = any(process.packs)
      )
    limit ${batch}`;
  let returned = 0;
  for (const [queue, packIds] of Map.groupBy(packs, (pack) => pack.queue)) {
    const ids = packIds.map((pack) => pack.pack_id);
    const held = await transport.holds(queue, ids);
    const lost = ids.filter((id) => !held.has(id));
    if (lost.length === 0) continue;
    const rows = await db.sql`
      update jobs.job set state = 'pending', pack_id = null, dispatched_at = null, alone = alone or ${suspect}
      where pack_id = any(${lost}::uuid[]) and state = 'dispatched' and runner_id is null`;
    returned += rows.count;
  }
  return returned;
}

async function cancelStale(db: Database): Promise<number> {
  const rows = await db.sql`
    update jobs.job set state = 'cancelled', ended_at = now()
    where id in (
      select id from jobs.job where state = 'pending' and discard_after <= now() limit ${batch} for update skip locked
    )`;
  return rows.count;
}

/** Rows that lie beside a job leave in the same statement. */
async function removeEnded(db: Database, keepDays: number): Promise<number> {
  const [removed] = await db.sql<{ jobs: number }[]>`
    with gone as (
      delete from jobs.job where id in (
        select id from jobs.job
        where id < (lpad(to_hex(floor(extract(epoch from now() - ${keepDays} * interval '1 day') * 1000)::bigint), 12, '0')
                    || repeat('0', 20))::uuid
          and state in ('done', 'cancelled') and ended_at < now() - ${keepDays} * interval '1 day'
        order by id limit ${batch} for update skip locked
      )
      returning id
    ), payloads as (delete from jobs.payload where job_id in (select id from gone)),
       failures as (delete from jobs.failure where job_id in (select id from gone)),
       steps as (delete from jobs.step where job_id in (select id from gone)),
       processes as (delete from jobs.process where beat_at < now() - interval '1 day')
    select count(*)::int as jobs from gone`;
  return removed?.jobs ?? 0;
}
