/**
 * The door for tests of modules: runs what is due, in this process, through the
 * real claim, fence and outcomes, with no queue in between.
 *
 * @example
 * const ran = await runDueJobs({ db, jobsDb, jobs: [{ job: sendRequest, load }], services });
 * expect(ran).toEqual([{ name: 'support.send-request', state: 'done', failure: null }]);
 */
import type { Database } from '@ballast/db';
import type { Log } from '@ballast/kernel';
import { uuidv7 } from 'uuidv7';
import { claim } from './claim.ts';
import { openCompletions } from './completions.ts';
import { runPack } from './run-pack.ts';
import type { RegisteredJob } from './run-row.ts';

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
    stopping: () => false,
    measured: () => {},
  };
  const ran: RanJob[] = [];
  for (;;) {
    const before = ran.length;
    for (const queue of queues) {
      const { packs } = await claim(jobsDb, { queue, freePacks: 100, fleet, afterLane: null });
      for (const pack of packs) {
        await runPack(runner, pack.id);
        ran.push(...(await stateOf(jobsDb, pack.jobIds)));
      }
    }
    // Rows that were given back, or fail and are due again at once, are not tried for ever.
    if (!ran.slice(before).some((job) => job.state !== 'pending')) return ran;
  }
}

async function stateOf(db: Database, jobIds: readonly string[]): Promise<RanJob[]> {
  return db.sql<RanJob[]>`
    select name, state,
           (select message from jobs.failure where job_id = job.id order by created_at desc limit 1) as failure
    from jobs.job where id = any(${jobIds as string[]}::uuid[]) order by run_at, id`;
}

/** The jobs that wait, with their payloads: what an action enqueued. */
export async function pendingJobs(
  db: Database,
): Promise<{ id: string; name: string; tenantId: string | null; key: string | null; payload: unknown }[]> {
  return db.sql`
    select job.id, name, tenant_id as "tenantId", key, body as payload
    from jobs.job join jobs.payload on payload.job_id = job.id where state = 'pending' order by job.id`;
}
