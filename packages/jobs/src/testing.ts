/**
 * The door for tests of modules: runs what is due, in this process, through the
 * real claim, fence and outcomes, with no queue in between.
 *
 * @example
 * const ran = await runDueJobs({ db, jobsDb, jobs: [{ job: sendRequest, load }], services });
 * expect(ran).toEqual([{ name: 'support.send-request', state: 'done', failure: null }]);
 */
import type { Database } from '@ballast/db';
import type { Log, ScheduleDefinition } from '@ballast/kernel';
import { uuidv7 } from 'uuidv7';
import { claim } from './claim.ts';
import { openCompletions } from './completions.ts';
import { linedUp } from './line-up.ts';
import { lineUpRipe } from './look.ts';
import { runPack } from './run-pack.ts';
import type { RegisteredJob } from './run-row.ts';
import { registerSchedules, runDueSlots } from './schedule.ts';
import { shownPayload } from './sealed-payload.ts';
import { spacedReturns } from './spaced-returns.ts';

export { misplacedJobs } from './misplaced.ts';

export interface RunDueOptions<Services> {
  /** As the app's role. */
  db: Database;
  /** As the dispatcher's role. */
  jobsDb: Database;
  jobs: readonly RegisteredJob<Services>[];
  services: Services;
  log?: Log;
}

export interface RanJob {
  name: string;
  /** What the row is now: `pending` when it will run again. */
  state: string;
  failure: string | null;
}

const silent: Log = { debug() {}, info() {}, warn() {}, error() {} };

/** Runs due jobs until none is left, in order. A job that waits for a repeat is left waiting. */
export async function runDueJobs<Services>(options: RunDueOptions<Services>): Promise<RanJob[]> {
  const { db, jobsDb, log = silent } = options;
  const registry = new Map(options.jobs.map((entry) => [`${entry.job.name}@${entry.job.version}`, entry]));
  const queues = new Set(options.jobs.map((entry) => entry.job.queue));
  const fleet = { slots: new Map(), knows: new Set(registry.keys()), runMs: new Map() };
  const runner = {
    db,
    jobsDb,
    processId: uuidv7(),
    completions: openCompletions(jobsDb, log),
    services: options.services,
    log,
    shutdown: new AbortController().signal,
    find: (name: string, version: number) => registry.get(`${name}@${version}`),
    unknownAfterMs: spacedReturns(),
    stopping: () => false,
    returned: () => {},
    measured: () => {},
  };
  const ran: RanJob[] = [];
  for (;;) {
    const before = ran.length;
    await lineUpRipe(jobsDb);
    for (const queue of queues) {
      const { packs } = await claim(jobsDb, { queue, freePacks: 100, rowsPerPack: 20, fleet, afterLane: null });
      for (const pack of packs) {
        await runPack(runner, pack.id);
        ran.push(
          ...(await stateOf(
            jobsDb,
            pack.rows.map((row) => row.id),
          )),
        );
      }
    }
    // Rows that were given back, or fail and are due again at once, are not tried for ever.
    if (!ran.slice(before).some((job) => job.state !== 'pending')) return ran;
  }
}

async function stateOf(db: Database, jobIds: readonly string[]): Promise<RanJob[]> {
  return db.sql<RanJob[]>`
    select name, state,
           (select message from jobs.failure where job_id = status.id order by created_at desc limit 1) as failure
    from jobs.status where id = any(${jobIds as string[]}::uuid[]) order by run_at, id`;
}

/** As if a slot of the schedule had come: adds its job, as a worker that knows it would. */
export async function slotComes(db: Database, schedule: ScheduleDefinition): Promise<void> {
  await registerSchedules(db, [schedule]);
  await db.sql`update jobs.schedule set next_slot = now() where name = ${schedule.name}`;
  await runDueSlots(db, new Map([[schedule.name, schedule]]), [schedule.name], silent);
}

/** The jobs that wait, with their payloads, secret fields aside: what an action enqueued. */
export async function pendingJobs(
  db: Database,
): Promise<{ id: string; name: string; tenantId: string | null; key: string | null; payload: unknown }[]> {
  const rows = await db.sql<
    { id: string; name: string; tenantId: string | null; key: string | null; body: unknown; secrets: string[] | null }[]
  >`
    select status.id, status.name, tenant_id as "tenantId", key.key, body, secrets
    from jobs.status left join jobs.key on key.job_id = status.id where state = 'pending' order by status.id`;
  return rows.map(({ body, secrets, ...row }) => ({ ...row, payload: shownPayload(body, secrets) }));
}

/** Forgets every job, as if none had ever been added. For the beginning of a test. */
export async function forgetJobs(db: Database): Promise<void> {
  await db.sql`
    with due as (delete from jobs.due), later as (delete from jobs.later), pack as (delete from jobs.pack),
         aside as (delete from jobs.aside), key as (delete from jobs.key), dead as (delete from jobs.dead),
         failure as (delete from jobs.failure), step as (delete from jobs.step),
         progress as (delete from jobs.progress), act as (delete from jobs.act)
    delete from jobs.job`;
}

/** Lines an ended job up again, as if its outcome had been lost on the way. */
export async function repeatJob(db: Database, id: string): Promise<void> {
  await db.sql`
    with again as (
      update jobs.job set state = 'open', run_at = now(), ended_at = null where id = ${id} and state <> 'open' returning job.*
    ), ${linedUp(db.sql, 'again')}
    select 1`;
}
