import { setTimeout as sleep } from 'node:timers/promises';
import postgres from 'postgres';
import type { Scenario } from '../scenario.ts';
import type { Crew } from '../stage.ts';
import { ballast } from '../systems/ballast.ts';

const perSecond = 1_000;
const windowSeconds = 15;

/**
 * Nobody helps: autovacuum looks once a minute as Postgres comes (`autovacuum_naptime`), and gives the tables' empty pages
 * back; an index keeps the size of its longest backlog until a sweep builds it anew, which is tried once a minute, after
 * that. A pass that had begun before the snapshot ended frees nothing, so two minutes are not the most that it takes.
 */
const shrunkWithinMs = 240_000;

/** A steady thousand jobs a second, before, while and after another transaction holds a snapshot, as a backup does. */
export const snapshot: Scenario = {
  name: 'snapshot',
  async run(stage, { quick, say }) {
    const heldSeconds = quick ? 45 : 600;
    const crew = await stage.enter(ballast);
    const backup = postgres(crew.place.adminUrl, { max: 1 });
    try {
      await steady(crew, 5);
      await sleep(3_500);
      const before = await steady(crew, windowSeconds);
      const bytesBefore = await bytesOfLine(backup);
      await backup`begin isolation level repeatable read`;
      await backup`select count(*) from jobs.job`;
      await steady(crew, heldSeconds - windowSeconds);
      const during = await steady(crew, windowSeconds);
      const bytesDuring = await bytesOfLine(backup);
      await backup`commit`;
      const endedAt = performance.now();
      const bytesAfter = await shrunk(backup, bytesBefore);
      const shrunkSeconds = (performance.now() - endedAt) / 1_000;
      const after = await steady(crew, windowSeconds);
      say(`  ${[before, during, after].map((cost) => cost.toFixed(0)).join(', ')} µs a job before, during, after`);
      const bytes = [bytesBefore, bytesDuring, bytesAfter].map((size) => (size / 1024 / 1024).toFixed(1));
      say(
        `  ${bytes.join(', ')} MB of tables and indexes of the line before, during, ${shrunkSeconds.toFixed(0)} s after`,
      );
      const row = (what: string, value: number, base: number) => ({
        name: `${perSecond} jobs/s, ${what}`,
        baseline: 'before',
        ratio: { min: value / base, median: value / base, max: value / base },
      });
      return [
        { ...row(`processor time a job, a snapshot held ${heldSeconds} s`, during, before), goal: '≤ 2' },
        row('processor time a job, after it', after, before),
        { ...row('size of the line’s tables and indexes, after it', bytesAfter, bytesBefore), goal: '≤ 1.1' },
      ];
    } finally {
      await backup.end();
      await crew.leave();
    }
  },
};

/** What jobs pass through; `jobs.job` keeps those that ended for a week, and is not meant to shrink. */
async function bytesOfLine(admin: postgres.Sql): Promise<number> {
  const [row] = await admin<{ bytes: number }[]>`
    select sum(pg_total_relation_size(oid))::float8 as bytes from pg_class
    where oid in ('jobs.due'::regclass, 'jobs.later'::regclass, 'jobs.pack'::regclass, 'jobs.key'::regclass)`;
  return row?.bytes ?? 0;
}

/** Waits until the line is as small as it was, or as long as vacuum and sweep may need. */
async function shrunk(admin: postgres.Sql, bytes: number): Promise<number> {
  const deadline = Date.now() + shrunkWithinMs;
  for (;;) {
    const now = await bytesOfLine(admin);
    if (now <= bytes * 1.1 || Date.now() > deadline) return now;
    await sleep(2_000);
  }
}

/** Microseconds a job. */
async function steady(crew: Crew, seconds: number): Promise<number> {
  const count = seconds * perSecond;
  const before = await crew.processorTime();
  await Promise.all([
    crew.worker.order({ do: 'expect', count }),
    crew.producer.order({ do: 'steady', count, perSecond }),
  ]);
  const after = await crew.processorTime();
  const total = (spent: typeof before) => spent.worker + spent.producer + spent.redis + spent.postgres;
  return (total(after) - total(before)) / count;
}
