import { setTimeout as sleep } from 'node:timers/promises';
import postgres from 'postgres';
import type { Scenario } from '../scenario.ts';
import type { Crew } from '../stage.ts';
import { ballast } from '../systems/ballast.ts';

const perSecond = 1_000;
const windowSeconds = 15;

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
      await backup`begin isolation level repeatable read`;
      await backup`select count(*) from jobs.job`;
      await steady(crew, heldSeconds - windowSeconds);
      const during = await steady(crew, windowSeconds);
      await backup`commit`;
      await backup`vacuum analyze`;
      const after = await steady(crew, windowSeconds);
      say(`  ${[before, during, after].map((cost) => cost.toFixed(0)).join(', ')} µs a job before, during, after`);
      const row = (name: string, value: number) => ({
        name: `${perSecond} jobs/s, processor time a job, ${name}`,
        baseline: 'before',
        ratio: { min: value / before, median: value / before, max: value / before },
      });
      return [{ ...row(`a snapshot held ${heldSeconds} s`, during), goal: '≤ 2' }, row('after it', after)];
    } finally {
      await backup.end();
      await crew.leave();
    }
  },
};

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
