import { compare, describeFigures, interleave, measure } from '../rounds.ts';
import type { Scenario } from '../scenario.ts';
import { ballastEmbedded } from '../systems/ballast.ts';
import { bullmqPostgres } from '../systems/bullmq-postgres.ts';

/** Without Redis: Ballast's packs on BullMQ's Postgres backend, beside that backend with one BullMQ job a job. */
export const embedded: Scenario = {
  name: 'embedded',
  async run(stage, { quick, rounds, say, statements }) {
    const produce = { do: 'batches', count: quick ? 2_000 : 6_000, size: 500 } as const;
    const systems = [ballastEmbedded, bullmqPostgres];
    const runs = systems.map((system) => () => {
      const lines = statements ? (said: string[]) => say([`  ${system.name}:`, ...said].join('\n')) : undefined;
      return measure(stage, { system, produce, slots: 16, statements: lines });
    });
    const [own = [], base = []] = await interleave(rounds ?? (quick ? 2 : 5), runs);
    say(describeFigures('ballast-embedded', own));
    say(describeFigures('bullmq-postgres', base));
    return compare('embedded, no-op jobs', 'bullmq on Postgres', own, base, '≥ 2');
  },
};
