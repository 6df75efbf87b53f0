/**
 * `pnpm soak [--jobs 100000] [--kills 1000] [--minutes 30] [--seed N] [--queue redis|postgres]`: the long soak.
 * `BALLAST_SEED` is another way to give the seed. SIGUSR2 ends the run early, with its report.
 * Exits with 1 when anything was lost, doubled or otherwise wrong.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startPostgres } from '@ballast/test-kit/embedded-postgres';
import { createTemplate } from '@ballast/test-kit/template';
import { told } from './report.ts';
import { runSoak } from './run.ts';

const { values } = parseArgs({
  options: {
    jobs: { type: 'string', default: '100000' },
    kills: { type: 'string', default: '1000' },
    minutes: { type: 'string', default: '30' },
    seed: { type: 'string', default: process.env.BALLAST_SEED ?? String(Date.now() % 1_000_000_000) },
    queue: { type: 'string', default: 'redis' },
    workers: { type: 'string', default: '5' },
  },
});
const seed = Number(values.seed);
const folder = join(import.meta.dirname, '../../.ballast/soak', String(seed));
const say = (line: string) => process.stdout.write(`${line}\n`);

say(
  `soak: BALLAST_SEED=${seed}, ${values.jobs} jobs, ${values.kills} kills in ${values.minutes} minutes; logs in ${folder}`,
);
const givenUp = new AbortController();
// Not SIGINT: a terminal sends that to the servers too.
process.once('SIGUSR2', () => givenUp.abort());
const server = await startPostgres();
process.env.BALLAST_TEST_POSTGRES = server.adminUrl;
process.env.BALLAST_TEST_TEMPLATE = await createTemplate(server.adminUrl);
try {
  const report = await runSoak({
    seed,
    jobs: Number(values.jobs),
    kills: Number(values.kills),
    durationMs: Number(values.minutes) * 60_000,
    backend: values.queue === 'postgres' ? 'postgres' : 'redis',
    workers: Number(values.workers),
    dispatchers: 1,
    longestMs: { freeze: 45_000, absence: 5_000 },
    folder,
    givenUp: givenUp.signal,
    say,
  });
  say(told(report));
  if (report.violations.length > 0) {
    say(`Tables and logs are in ${folder}.`);
    process.exitCode = 1;
  }
} finally {
  await server.stop();
}
