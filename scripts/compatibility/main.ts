/**
 * Old code against the new schema: the suites of the previous release run on a database
 * that this checkout has migrated. That is what happens while a release is rolled out. And old
 * payloads against new workers: what the previous release put into jobs, this one has to take.
 *
 *   node scripts/compatibility/main.ts              against the newest tag v…
 *   node scripts/compatibility/main.ts REF          against any commit; suites behind it: only these
 */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { startPostgres } from '@ballast/test-kit/embedded-postgres';
import { createTemplate } from '@ballast/test-kit/template';
import { root } from '../start/settings.ts';
import { type PayloadOfJob, refusedPayloads } from './payloads.ts';
import { previousRelease } from './previous-release.ts';

/** What says whether the schema is that of its own build: here it is not, on purpose. */
const ofOneBuild = [
  'apps/api/src/http/health.test.ts',
  'apps/api/src/processes.test.ts',
  'apps/api/src/pool-exhausted.test.ts',
  'packages/db/src/migrate.test.ts',
];
const suites = ['apps/api/src', 'modules', 'packages/db', 'packages/http', 'packages/jobs'];

const [ref = previousRelease(), ...given] = process.argv.slice(2);
const chosen = given.length > 0 ? given : suites;
if (!ref) {
  process.stdout.write('There is no release before this one: no tag v… is an ancestor of this commit.\n');
} else {
  // Said aloud: the package of the embedded Postgres ends the process with 0 otherwise.
  process.exit(await against(ref));
}

async function against(release: string): Promise<number> {
  const folder = join(root, '.ballast/previous-release');
  removeWorktree(folder);
  git(['worktree', 'add', '--detach', folder, release]);
  try {
    install(folder);
    const refused = refusedPayloads(await jobsOf(folder), await jobsOf(root));
    if (refused.length > 0) {
      process.stderr.write(`Jobs of ${release} would fail here:\n${refused.join('\n')}\n`);
      return 1;
    }
    const server = await startPostgres();
    try {
      const template = await createTemplate(server.adminUrl);
      const vitest = join(folder, 'node_modules/vitest/vitest.mjs');
      const excluded = ofOneBuild.flatMap((file) => ['--exclude', file]);
      // Not spawnSync: Postgres stops when nobody reads what it says.
      const child = spawn(process.execPath, [vitest, 'run', ...chosen, ...excluded], {
        cwd: folder,
        stdio: 'inherit',
        env: { ...process.env, BALLAST_TEST_POSTGRES: server.adminUrl, BALLAST_TEST_TEMPLATE: template },
      });
      return await new Promise<number>((resolve, reject) => {
        child.once('error', reject);
        child.once('close', (code) => resolve(code ?? 1));
      });
    } finally {
      await server.stop();
    }
  } finally {
    removeWorktree(folder);
  }
}

/** The jobs of a checkout's active modules. Importing them starts nothing. */
async function jobsOf(folder: string): Promise<PayloadOfJob[]> {
  const { jobs } = (await import(join(folder, 'apps/api/src/generated/jobs.ts'))) as { jobs: { job: PayloadOfJob }[] };
  return jobs.map(({ job }) => job);
}

/** With the packages of its own lockfile, from the store of this machine where they are there. */
function install(folder: string): void {
  const { packageManager } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    packageManager: string;
  };
  execFileSync('npx', ['--yes', packageManager, 'install', '--frozen-lockfile', '--prefer-offline'], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, CI: 'true' },
  });
}

function removeWorktree(folder: string): void {
  if (existsSync(folder)) rmSync(folder, { recursive: true, force: true });
  git(['worktree', 'prune']);
}

function git(args: readonly string[]): void {
  execFileSync('git', args, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
}
