import { compare, describeFigures, interleave, measure } from '../rounds.ts';
import type { Scenario } from '../scenario.ts';
import { ballast } from '../systems/ballast.ts';
import { bullmq, bullmqScoped } from '../systems/bullmq.ts';
import { graphileWorker } from '../systems/graphile-worker.ts';
import { pgBoss } from '../systems/pg-boss.ts';

const goals: Record<string, string> = { bullmq: '≥ 1.0' };
const told: Record<string, string> = {
  bullmq: 'bullmq, insert then add',
  'bullmq-scoped': 'bullmq, scoped transaction then add',
};

/** A row and its job in one commit each, 16 at a time, while a worker runs them. */
export const oneCommit: Scenario = {
  name: 'one-commit',
  async run(stage, { quick, rounds, say, statements }) {
    const systems = [ballast, bullmq, bullmqScoped, ...(quick ? [] : [pgBoss, graphileWorker])];
    const produce = { do: 'singles', count: quick ? 2_000 : 6_000, parallel: 16 } as const;
    const runs = systems.map((system) => () => {
      const lines = statements ? (said: string[]) => say([`  ${system.name}:`, ...said].join('\n')) : undefined;
      return measure(stage, { system, produce, slots: 16, statements: lines });
    });
    const [own = [], ...others] = await interleave(rounds ?? (quick ? 2 : 5), runs);
    say(describeFigures('ballast', own));
    return others.flatMap((figures, index) => {
      const name = systems[index + 1]?.name ?? '';
      say(describeFigures(name, figures));
      return compare('one commit a job', told[name] ?? name, own, figures, goals[name]);
    });
  },
};
