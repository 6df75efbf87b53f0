import { compare, describeFigures, interleave, measure } from '../rounds.ts';
import type { Scenario } from '../scenario.ts';
import { ballast } from '../systems/ballast.ts';
import { bullmq } from '../systems/bullmq.ts';

/** Handlers that write a row in one transaction each, through the same layer and scope; Ballast completes the job in it. */
export const transaction: Scenario = {
  name: 'transaction',
  async run(stage, { quick, rounds, say, statements }) {
    const produce = { do: 'batches', count: quick ? 3_000 : 10_000, size: 500 } as const;
    const systems = [ballast, bullmq];
    const runs = systems.map((system) => () => {
      const told = statements ? (lines: string[]) => say([`  ${system.name}:`, ...lines].join('\n')) : undefined;
      return measure(stage, { system, work: 'transaction', produce, slots: 16, statements: told });
    });
    const [own = [], base = []] = await interleave(rounds ?? (quick ? 2 : 5), runs);
    say(describeFigures('ballast', own));
    say(describeFigures('bullmq', base));
    return compare('a transaction each', 'bullmq, same transaction', own, base, '≥ 1.0');
  },
};
