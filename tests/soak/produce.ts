import { type Database, sqlOf, type Tx, withTenant } from '@ballast/db';
import { enqueueMany } from '@ballast/jobs/enqueue';
import type { Clock } from './clock.ts';
import { jobs, type Kind } from './kinds.ts';
import { type PlannedCommit, type PlannedJob, tenants } from './plan.ts';

export interface Producer {
  /** Jobs of commits that stand. */
  produced(): number;
  /** Of commits: nothing of what is done to workers may make one fail. */
  failures: readonly string[];
  done: Promise<void>;
}

const tenantIds = Array.from(
  { length: tenants },
  (_, tenant) => `018f0000-0000-7000-8000-${String(tenant + 1).padStart(12, '0')}`,
);

/** Rolls its transaction back. */
class OnPurpose extends Error {}

/** Adds the planned jobs at their times. Commits overlap, as those of requests do. */
export function startProducer(db: Database, commits: readonly PlannedCommit[], clock: Clock): Producer {
  let produced = 0;
  const failures: string[] = [];
  const commit = async (planned: PlannedCommit) => {
    await withTenant(db, tenantIds[planned.tenant] as string, async (tx) => {
      for (const [kind, of] of Map.groupBy(planned.jobs, (job) => job.kind)) await add(tx, kind, of);
      if (planned.rollsBack) throw new OnPurpose();
    }).then(
      () => {
        produced += planned.jobs.length;
      },
      (error: Error) => {
        if (!(error instanceof OnPurpose)) failures.push(error.message);
      },
    );
  };
  const done = (async () => {
    const open = new Set<Promise<void>>();
    for (const planned of commits) {
      if (!(await clock.until(planned.atMs))) break;
      const committed = commit(planned).finally(() => open.delete(committed));
      open.add(committed);
      if (open.size >= 6) await Promise.race(open);
    }
    await Promise.all(open);
  })();
  return { produced: () => produced, failures, done };
}

/** In the same commit as the jobs stands what was asked: the truth to which the end is held. */
async function add(tx: Tx, kind: Kind, planned: readonly PlannedJob[]): Promise<void> {
  const now = Date.now();
  const runAts = planned.map((job) => (job.runAfterMs === null ? null : new Date(now + job.runAfterMs)));
  const ids = await enqueueMany(
    tx,
    jobs[kind],
    planned.map((job, at) => ({
      payload: job.payload,
      priority: job.priority,
      ...(runAts[at] ? { runAt: runAts[at] } : {}),
      ...(job.key === null ? {} : { key: job.key }),
      ...(job.discardAfterMs === null ? {} : { discardAfter: new Date(now + job.discardAfterMs) }),
    })),
  );
  await sqlOf(tx)`
    insert into asked (n, label, job_id, not_before)
    select * from unnest(
      ${planned.map((job) => job.payload.n)}::bigint[], ${planned.map((job) => job.label)}::text[], ${ids}::uuid[],
      ${runAts.map((at) => at?.toISOString() ?? null)}::text[]::timestamptz[])`;
}
