import { ratioOf } from '../../statistics.ts';
import { compare, describeFigures, interleave, measure } from '../rounds.ts';
import type { Scenario, ScenarioRow } from '../scenario.ts';
import { ballast, ballastBatch } from '../systems/ballast.ts';
import { bullmq } from '../systems/bullmq.ts';
import { bullmqEffects } from '../systems/bullmq-effects.ts';
import { graphileWorker } from '../systems/graphile-worker.ts';
import { pgBoss } from '../systems/pg-boss.ts';

const goals: Record<string, string> = { bullmq: '≥ 1.5', 'pg-boss': '≥ 1.7', 'graphile-worker': '≥ 1.7' };

/** What one job may take of all processes together. */
const budgetMicroseconds = 140;

/** Commits of 500 jobs, handlers that do nothing and open no transaction. */
export const noOp: Scenario = {
  name: 'no-op',
  async run(stage, { quick, rounds, say, statements }) {
    const all = [ballast, ballastBatch, bullmq, ...(quick ? [] : [bullmqEffects]), pgBoss, graphileWorker];
    const systems = all.filter(({ name }) => (process.env.BENCH_SYSTEMS ?? name).split(',').includes(name));
    const produce = { do: 'batches', count: quick ? 5_000 : 20_000, size: 500 } as const;
    const runs = systems.map((system) => () => {
      const told = statements ? (lines: string[]) => say([`  ${system.name}:`, ...lines].join('\n')) : undefined;
      return measure(stage, { system, produce, slots: slotsOf(system.name), statements: told });
    });
    const results = await interleave(rounds ?? (quick ? 2 : 5), runs);
    for (const [index, system] of systems.entries()) say(describeFigures(system.name, results[index] ?? []));
    const [own = [], ...others] = results;
    const rows: ScenarioRow[] = others.flatMap((figures, index) => {
      const against = systems[index + 1]?.name ?? '';
      // Batch handlers are ours: they are held against what the others are held against.
      if (against === ballastBatch.name) return [];
      const compared = compare('no-op jobs', against, own, figures, goals[against]);
      const batch = results[systems.indexOf(ballastBatch)];
      return batch
        ? [...compared, ...compare('no-op batch handlers', against, batch, figures, goals[against])]
        : compared;
    });
    const budgeted = [
      { name: 'no-op jobs', figures: own },
      { name: 'no-op batch handlers', figures: results[systems.indexOf(ballastBatch)] ?? [] },
    ];
    for (const { name, figures } of budgeted) {
      if (figures.length === 0) continue;
      rows.push({
        name: `${name}, processor time a job`,
        baseline: `${budgetMicroseconds} µs`,
        ratio: ratioOf(
          figures.map((one) => one.processorTime),
          figures.map(() => budgetMicroseconds),
        ),
        goal: '≤ 1',
      });
    }
    return rows;
  },
};

/** Each at the concurrency at which it was fastest here. */
function slotsOf(system: string): number {
  return Number(process.env.BENCH_SLOTS) || (system === 'bullmq' || system === 'bullmq-effects' ? 100 : 16);
}
