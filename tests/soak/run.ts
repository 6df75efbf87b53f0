/**
 * A soak: jobs of every kind are added while processes and Redis are killed, and in
 * the end each job must have happened, once.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { buildWorker } from './build-worker.ts';
import { startClock } from './clock.ts';
import { openDiary } from './diary.ts';
import { playDisasters } from './disasters.ts';
import { openFleet } from './fleet.ts';
import { makePlan } from './plan.ts';
import { startProducer } from './produce.ts';
import { openRecovery } from './recovery.ts';
import { type Report, told } from './report.ts';
import { openStage, type Stage } from './stage.ts';
import { historyOf, verify } from './verify.ts';
import { startWatch } from './watch.ts';
import type { Role } from './worker-process.ts';

export interface SoakOptions {
  seed: number;
  jobs: number;
  kills: number;
  durationMs: number;
  backend: 'postgres' | 'redis';
  workers: number;
  dispatchers: number;
  longestMs: { freeze: number; absence: number };
  /** Logs lie here, and after a failure the tables too. */
  folder: string;
  /** When it aborts, nothing more is added and nobody killed: the run ends as a shorter one would. */
  givenUp?: AbortSignal;
  say(line: string): void;
}

/** With more than this open, nothing is added and nobody killed until it is less. */
const mostOpen = 2_000;

/** Nothing ended for this long: what is open then will stay so. */
const patienceMs = 150_000;

export async function runSoak(options: SoakOptions): Promise<Report> {
  const startedAt = Date.now();
  const plan = makePlan({ ...options, redis: options.backend === 'redis' });
  const program = await buildWorker(join(options.folder, 'program'));
  const stage = await openStage(options.backend, options.folder);
  const diary = openDiary();
  const recovery = openRecovery(stage.jobsDb);
  const roles: Role[] = [
    'elder',
    ...Array.from({ length: options.workers }, () => 'worker' as const),
    ...Array.from({ length: options.dispatchers }, () => 'dispatcher' as const),
  ];
  const fleet = openFleet({
    program,
    assignment: stage.assignment,
    roles,
    folder: options.folder,
    failpointOf: plan.failpointOf,
    onStarted(member, jobIds) {
      diary.started(member, jobIds);
      recovery.started(member, jobIds);
    },
    onEnd(member, how) {
      diary.ended(member, how);
      recovery.ended(member, how).catch((error: Error) => options.say(`recovery is not measured: ${error.message}`));
    },
  });
  let failed = true;
  try {
    await fleet.whole();
    const watch = startWatch(stage, fleet, 3_000);
    const clock = startClock(() => watch.open() > mostOpen, options.givenUp);
    const producer = startProducer(stage.app, plan.commits, clock);
    const telling = setInterval(() => {
      const killed = Object.values(diary.ends()).reduce((sum, times) => sum + times, 0);
      const memory = watch.memory.at(-1);
      options.say(
        `${seconds(startedAt)} s: ${producer.produced()} added, ${watch.open()} open, ${killed} processes ended, ` +
          `${watch.violations.length} violations, worker ${memory?.elder} MB, Redis ${memory?.redis} MB`,
      );
    }, 10_000);
    try {
      const [played] = await Promise.all([
        playDisasters({ stage, fleet, diary, recovery, clock }, plan.disasters),
        producer.done,
      ]);
      fleet.calm();
      options.say(`${seconds(startedAt)} s: all is added, nobody is killed any more`);
      // Whoever woke last must have had the time to do the harm that it must not do.
      await sleep(5_000);
      await settle(stage);
      await watch.close();
      const verdict = await verify(stage.admin, stage.sinks, diary);
      verdict.violations.unshift(...watch.violations);
      verdict.violations.push(...producer.failures.map((detail) => ({ what: 'a commit failed', jobId: null, detail })));
      for (const how of Object.keys(diary.ends()).filter((end) => /^unexpected|^did not/.test(end)))
        verdict.violations.push({ what: 'a process ended', jobId: null, detail: how });
      const report: Report = {
        ...verdict,
        seed: options.seed,
        backend: options.backend,
        seconds: seconds(startedAt),
        disasters: played,
        ends: diary.ends(),
        recovery: await recovery.told(),
        memory: watch.memory,
        histories: {},
      };
      for (const { jobId } of report.violations.slice(0, 30)) {
        if (jobId) report.histories[jobId] = await historyOf(stage.admin, diary, jobId);
      }
      failed = report.violations.length > 0;
      if (failed) await keep(stage, report, diary.events);
      return report;
    } finally {
      clock.close();
      clearInterval(telling);
      await watch.close();
    }
  } finally {
    await recovery.close();
    await fleet.close();
    await stage.close({ keepFolder: failed });
  }
}

const seconds = (since: number) => Math.round((Date.now() - since) / 1_000);

/** Waits until every job has ended and its pack with it, or until nothing moves any more. */
async function settle({ jobsDb }: Stage): Promise<void> {
  let before = '';
  let movedAt = Date.now();
  for (;;) {
    const [left] = await jobsDb.sql<{ open: number; packs: number; attempts: string }[]>`
      select count(*)::int as open, (select count(*)::int from jobs.pack) as packs, coalesce(sum(attempt), 0) as attempts
      from jobs.job where state = 'open'`;
    if (!left || left.open + left.packs === 0) return;
    const now = JSON.stringify(left);
    if (now !== before) movedAt = Date.now();
    before = now;
    if (Date.now() - movedAt > patienceMs) return;
    await sleep(1_000);
  }
}

async function keep(stage: Stage, report: Report, events: readonly string[]): Promise<void> {
  await stage.keepTables();
  await writeFile(join(stage.folder, 'report.json'), JSON.stringify(report, null, 2));
  await writeFile(join(stage.folder, 'report.txt'), `${told(report)}\n`);
  await writeFile(join(stage.folder, 'events.txt'), `${events.join('\n')}\n`);
}
