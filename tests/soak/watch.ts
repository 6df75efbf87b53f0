/** Looks at a run from outside while it goes on: what must hold at every moment, and how much memory is used. */
import { readFile } from 'node:fs/promises';
import { misplacedJobs } from '@ballast/jobs/testing';
import type { Fleet } from './fleet.ts';
import { jobs, limit } from './kinds.ts';
import type { Stage } from './stage.ts';
import type { Violation } from './verify.ts';

/** Megabytes at a moment. */
export interface MemorySample {
  seconds: number;
  /** The worker that lives through the whole run. */
  elder: number;
  /** The largest of the others. */
  others: number;
  redis: number;
}

export interface Watch {
  violations: Violation[];
  memory: MemorySample[];
  open(): number;
  close(): Promise<void>;
}

export function startWatch(stage: Stage, fleet: Fleet, everyMs: number): Watch {
  const { jobsDb } = stage;
  const violations: Violation[] = [];
  const memory: MemorySample[] = [];
  const startedAt = Date.now();
  let open = 0;

  async function look(): Promise<void> {
    for (const { id, places } of await misplacedJobs(jobsDb)) {
      violations.push({ what: 'misplaced', jobId: id, detail: `it was in ${places} places, during the run` });
    }
    const [counts] = await jobsDb.sql<{ open: number; limited: number }[]>`
      select (select count(*)::int from jobs.job where state = 'open') as open,
             (select count(*)::int from jobs.pack where name = ${jobs.limited.name}) as limited`;
    open = counts?.open ?? 0;
    if ((counts?.limited ?? 0) > limit) {
      violations.push({
        what: 'over the limit',
        jobId: null,
        detail: `${counts?.limited} packs of ${jobs.limited.name}`,
      });
    }
    const sizes = await Promise.all(
      fleet.living().map(async ({ role, child }) => ({ role, size: await residentMegabytes(child.pid) })),
    );
    const largest = (of: (role: string) => boolean) =>
      Math.max(0, ...sizes.filter(({ role }) => of(role)).map(({ size }) => size));
    memory.push({
      seconds: Math.round((Date.now() - startedAt) / 1_000),
      elder: largest((role) => role === 'elder'),
      others: largest((role) => role !== 'elder'),
      redis: await residentMegabytes(stage.queue.redis?.pid()),
    });
  }

  let under: Promise<unknown> = Promise.resolve();
  let busy = false;
  const timer = setInterval(() => {
    if (busy) return;
    busy = true;
    under = look()
      .catch((error: Error) => violations.push({ what: 'the watch failed', jobId: null, detail: error.message }))
      .finally(() => {
        busy = false;
      });
  }, everyMs);
  return {
    violations,
    memory,
    open: () => open,
    async close() {
      clearInterval(timer);
      await under;
    },
  };
}

/** 0 for a process that is gone. */
async function residentMegabytes(pid: number | undefined): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Math.round(Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0) / 1_024);
}
