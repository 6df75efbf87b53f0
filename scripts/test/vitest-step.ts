import { mkdtemp, readFile, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '@ballast/test-kit/free-port';
import { serverConnections } from '@ballast/test-kit/server-connections';
import { startCluster } from '../start/postgres/cluster.ts';
import { countsOf, perBackend } from './counts.ts';
import { runNode } from './run-command.ts';
import type { Step } from './step-result.ts';

interface VitestOptions {
  cwd: string;
  args?: readonly string[];
  env?: NodeJS.ProcessEnv;
  /** With a Postgres of the run's own, for the suites' databases. */
  postgres: boolean;
  lacking?: string | undefined;
}

/** One vitest run, with the counts that its JSON reporter gives. */
export function vitest(name: string, options: VitestOptions): Step {
  return {
    name,
    lacking: options.lacking,
    run: async () => inFolder(options.postgres ? await memory() : tmpdir(), (folder) => runVitest(folder, options)),
  };
}

async function runVitest(folder: string, { cwd, args = [], env = {}, postgres }: VitestOptions) {
  const server = postgres ? await startServer(folder) : undefined;
  try {
    const file = join(folder, 'report.json');
    const vitestBin = join(cwd, 'node_modules/vitest/vitest.mjs');
    const reporters = ['--reporter=dot', '--reporter=json', `--outputFile.json=${file}`];
    const { code, output } = await runNode([vitestBin, 'run', ...reporters, ...args], {
      cwd,
      env: { ...env, ...(server ? { BALLAST_TEST_POSTGRES: server.url } : {}) },
    });
    const report = await readFile(file, 'utf8').then(JSON.parse, () => undefined);
    if (!report) return { counts: { passed: 0, failed: 1, skipped: 0 }, note: 'no report', output };
    const counts = countsOf(report);
    // A leaked handle or an error outside any test fails the run without failing a test.
    if (code !== 0 && counts.failed === 0) counts.failed = 1;
    const backends = perBackend(report);
    const note = backends.redis > 0 ? `${backends.postgres} on Postgres' queue, ${backends.redis} on Redis` : 'tests';
    return { counts, note, output };
  } finally {
    await server?.stop();
  }
}

/** The start script's own way to run Postgres: it also works as root in a folder that only root may enter. */
async function startServer(folder: string) {
  const port = await freePort();
  const password = 'test-only';
  const server = await startCluster({
    directory: join(folder, 'postgres'),
    log: join(folder, 'log'),
    port,
    password,
    maxConnections: serverConnections,
  });
  return {
    url: `postgres://postgres:${password}@127.0.0.1:${port}/postgres`,
    stop: () =>
      new Promise<void>((resolve) => {
        if (server.exitCode !== null || server.signalCode !== null) return resolve();
        server.once('exit', () => resolve());
        server.kill('SIGINT');
      }),
  };
}

/**
 * Where there is plenty of it. Each suite makes databases and drops them, and each of those waits until all of the server's
 * is on the disk. What is lost with the machine's power is lost with the run anyway; faults of disks and of killed servers
 * are played on servers of their own.
 */
async function memory(): Promise<string> {
  const place = '/dev/shm';
  const { bavail, bsize } = await statfs(place).catch(() => ({ bavail: 0, bsize: 0 }));
  return bavail * bsize > 8 * 2 ** 30 ? place : tmpdir();
}

async function inFolder<Result>(parent: string, work: (folder: string) => Promise<Result>): Promise<Result> {
  const folder = await mkdtemp(join(parent, 'ballast-test-'));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
