import { setTimeout as sleep } from 'node:timers/promises';
import { median, percentile, ratioOf } from '../../statistics.ts';
import { interleave } from '../rounds.ts';
import type { Scenario } from '../scenario.ts';
import type { Stage } from '../stage.ts';
import { countStatements, describeStatements } from '../statements.ts';
import type { System } from '../system.ts';
import { ballast } from '../systems/ballast.ts';
import { bullmq } from '../systems/bullmq.ts';

/** From the commit of a row to the committed completion of its job, on idle processes, one job at a time. */
export const latency: Scenario = {
  name: 'latency',
  async run(stage, { quick, rounds, say, statements }) {
    const count = quick ? 150 : 400;
    const systems = [ballast, bullmq];
    const runs = systems.map((system) => () => delays(stage, system, count, statements ? say : undefined));
    const [own = [], base = []] = await interleave(rounds ?? (quick ? 2 : 5), runs);
    const rows = [50, 99].map((percent) => {
      const of = (rounds: number[][]) => rounds.map((round) => percentile(round, percent));
      const [ours, theirs] = [of(own), of(base)];
      say(`  p${percent}: ballast ${median(ours).toFixed(1)} ms, bullmq ${median(theirs).toFixed(1)} ms`);
      return {
        name: `idle, commit to completed, p${percent}`,
        baseline: 'bullmq, insert then add',
        ratio: ratioOf(ours, theirs),
        goal: '≤ 2.5',
      };
    });
    return rows;
  },
};

async function delays(stage: Stage, system: System, count: number, say?: (line: string) => void): Promise<number[]> {
  const crew = await stage.enter(system);
  try {
    const send = async (jobs: number) => {
      const orders = [
        crew.worker.order({ do: 'expect', count: jobs }),
        crew.producer.order({ do: 'paced', count: jobs, everyMs: 80 }),
      ] as const;
      return Promise.all(orders);
    };
    await send(50);
    await sleep(1_000);
    const counting = say && (await countStatements(stage.admin, crew.database));
    const [completed, committed] = await send(count);
    if (counting) say([`  ${system.name}:`, ...describeStatements(await counting.stop(), count)].join('\n'));
    const endOf = new Map(completed.moments);
    return committed.moments.map(([number, at]) => (endOf.get(number) ?? Number.NaN) - at);
  } finally {
    await crew.leave();
  }
}
