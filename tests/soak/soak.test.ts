/**
 * The short soak: some hundred jobs a second while a process or Redis is killed every half
 * second. `BALLAST_SEED` plays the plan of a run again; how processes interleave is their own.
 */
import { join } from 'node:path';
import { queueBackends } from '@ballast/test-kit/queue';
import { expect, test } from 'vitest';
import { told } from './report.ts';
import { runSoak } from './run.ts';

const seed = Number(process.env.BALLAST_SEED ?? Date.now() % 1_000_000_000);
const backend = queueBackends.at(-1) ?? 'postgres';

test(`loses nothing and doubles nothing on ${backend}`, { timeout: 900_000 }, async () => {
  process.stdout.write(`soak: BALLAST_SEED=${seed}\n`);
  const folder = join(import.meta.dirname, '../../.ballast/soak', String(seed));
  const report = await runSoak({
    seed,
    jobs: 3_000,
    kills: 30,
    durationMs: 13_000,
    backend,
    workers: 3,
    dispatchers: 1,
    longestMs: { freeze: 23_000, absence: 2_000 },
    folder,
    say: () => {},
  });
  process.stdout.write(`${told(report)}\n`);
  expect(report.violations, told(report)).toEqual([]);
  expect(Object.values(report.ended).reduce((sum, jobs) => sum + jobs, 0)).toBeGreaterThan(2_500);
});
