/**
 * `npm test`: everything that this machine can run. Lanes run beside each other, and
 * what needs the machine for itself after them; what a machine lacks is skipped by name, with the command that would provide it.
 *
 *   npm test                 everything
 *   npm test -- --quick      without builds and journeys
 */
import { join } from 'node:path';
import { previousRelease } from '../compatibility/previous-release.ts';
import { root } from '../start/settings.ts';
import { seconds } from '../start/steps.ts';
import { check, checks, types } from './checks.ts';
import { copyCheckout } from './copy-checkout.ts';
import { chromium, findProgram, findSwift, lackingDocker, lackingProgram } from './programs.ts';
import { showFinished, table } from './report.ts';
import { endAll } from './run-command.ts';
import { runLane, type Step } from './step-result.ts';
import { vitest } from './vitest-step.ts';

const quick = process.argv.includes('--quick');
const optionalModule = 'support';
const copy = join(root, '.ballast/without-optional');
const noRedis = lackingProgram(findProgram('redis-server'), 'redis-server', 'sudo apt-get install redis-server');
const noChromium = lackingProgram(chromium(), 'Chromium', 'sudo apt-get install chromium');
const noPgbackrest = lackingProgram(
  findProgram('pgbackrest'),
  'pgBackRest 2.57 or newer',
  'bash tests/backup/install-pgbackrest.sh',
);
const noObjectStore = lackingProgram(
  findSwift(),
  'OpenStack Swift, for its S3',
  'bash tests/backup/install-s3-server.sh',
);
const noCaddy = lackingProgram(findProgram('caddy'), 'Caddy 2.11.2 or newer', 'bash tests/edge/install-caddy.sh');
const journeys = (queue: 'postgres' | 'redis') => ({
  cwd: root,
  args: ['--config', 'tests/journeys/vitest.config.ts'],
  env: { BALLAST_JOURNEYS_QUEUE: queue },
  postgres: false,
});

const faults = vitest('faults: processes killed and frozen', {
  cwd: root,
  // Their time is their processes', and what one file leaves running would weigh on the clock of the next.
  args: ['tests/faults', '--isolate'],
  postgres: true,
});
const backups = vitest('backups: taken, tried, restored', {
  cwd: root,
  args: ['--config', 'tests/backup/vitest.config.ts'],
  postgres: false,
  lacking: noPgbackrest ?? noObjectStore,
});

const suites: Step[] = [
  vitest('suites beside the code', {
    cwd: root,
    args: ['--exclude', 'tests/{faults,soak}/**'],
    postgres: true,
  }),
  ...(quick ? [faults, backups] : []),
  vitest('a short soak', { cwd: root, args: ['tests/soak'], postgres: true }),
];
// Before the first release there is nothing that a migration could break.
if (previousRelease()) suites.push(check('previous release on the new schema', ['scripts/compatibility/main.ts']));
if (noRedis) suites.push({ name: 'queue suites on Redis', lacking: noRedis, run: unreachable });

const withoutOptional: Step[] = [
  {
    name: `copy with ${optionalModule} off`,
    async run() {
      copyCheckout(copy);
      const generator = ['scripts/generate-active-modules.ts', '--without', optionalModule];
      return await check('generate', generator, copy).run();
    },
  },
  ...types(copy, `, ${optionalModule} off`),
  vitest(`suites, ${optionalModule} off`, {
    cwd: copy,
    // What a module's absence can change; packages know no module.
    args: ['apps', 'modules', '--exclude', `modules/${optionalModule}/**`],
    postgres: true,
  }),
  check(`build, ${optionalModule} off`, ['scripts/test/build.ts'], copy, { BALLAST_DATA: join(copy, '.ballast') }),
  vitest(`npm start, ${optionalModule} off`, {
    cwd: root,
    args: ['--config', 'tests/start/vitest.config.ts'],
    env: { BALLAST_START_FOLDER: copy },
    postgres: false,
  }),
];

const whole: Step[] = [
  check('build, everything on', ['scripts/test/build.ts']),
  vitest("journeys, Postgres' queue", { ...journeys('postgres'), lacking: noChromium }),
  vitest('journeys, Redis queue', { ...journeys('redis'), lacking: noChromium ?? noRedis }),
];

/**
 * Alone, since they hold recoveries against a clock. Fault tests start some fifty processes of their own; all containers
 * together may weigh no more than one process beside them.
 */
const alone: Step[] = [
  faults,
  vitest('the edge: Caddy before replicas', {
    cwd: root,
    args: ['--config', 'tests/edge/vitest.config.ts'],
    postgres: true,
    lacking: quick ? undefined : (noCaddy ?? noChromium),
  }),
  vitest('the Compose files, in containers', {
    cwd: root,
    args: ['--config', 'tests/lab/vitest.config.ts'],
    postgres: false,
    lacking: quick ? undefined : (lackingDocker() ?? noChromium),
  }),
];

const lanes = quick
  ? [checks(), suites]
  : [
      [...checks(), ...whole],
      [...suites, ...withoutOptional],
      // They wait for their service most of their time.
      [backups],
    ];

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, endAll);
process.once('disconnect', endAll);
const started = Date.now();
process.stdout.write('\n  Ballast, its tests\n\n');
const results = (await Promise.all(lanes.map((lane) => runLane(lane, showFinished)))).flat();
if (!quick) results.push(...(await runLane(alone, showFinished)));
process.stdout.write(`\n  All of it took ${seconds(Date.now() - started)}.\n${table(results)}`);
process.exit(results.some((result) => result.counts.failed > 0) ? 1 : 0);

function unreachable(): never {
  throw new Error('A step that lacks something is not run.');
}
