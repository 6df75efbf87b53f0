import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '@ballast/test-kit/free-port';
import postgres from 'postgres';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startCluster } from './cluster.ts';

let folder: string;
beforeEach(() => {
  // mkdtemp's folder is closed to others: as root, Postgres' own user could not enter it.
  folder = mkdtempSync(join(tmpdir(), 'ballast-cluster-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function options() {
  return { directory: join(folder, 'postgres'), port: await freePort(), password: 'secret', log: join(folder, 'log') };
}

test('a new folder becomes a cluster that starts, stops and starts again, below a folder closed to others', async () => {
  const given = await options();
  for (const time of [1, 2]) {
    const server = await startCluster(given);
    const sql = postgres(`postgres://postgres:secret@127.0.0.1:${given.port}/postgres`, { max: 1, onnotice: () => {} });
    const [row] =
      await sql`select current_setting('server_version') as version, current_setting('listen_addresses') as address`;
    expect(row, `start ${time}`).toMatchObject({ version: expect.stringMatching(/^18\./), address: '127.0.0.1' });
    await sql.end();
    await new Promise((gone) => {
      server.once('exit', gone);
      server.kill('SIGINT');
    });
  }
  expect(readdirSync(folder).sort()).toEqual(['log', 'postgres']);
});

test('a folder that is no cluster is named and left as it is', async () => {
  const given = await options();
  mkdirSync(given.directory);
  writeFileSync(join(given.directory, 'precious.txt'), 'keep me');
  await expect(startCluster(given)).rejects.toThrow(/PG_VERSION file is missing.+Nothing was changed/);
  expect(readdirSync(given.directory)).toEqual(['precious.txt']);
});

test('data of another version is refused with both versions', async () => {
  const given = await options();
  mkdirSync(given.directory);
  writeFileSync(join(given.directory, 'PG_VERSION'), '16\n');
  await expect(startCluster(given)).rejects.toThrow('was written by Postgres 16, and this is Postgres 18');
});

test('a Postgres that a crash left running on the folder is stopped first', async () => {
  const given = await options();
  const left = await startCluster(given);
  const gone = new Promise((exit) => left.once('exit', exit));
  const server = await startCluster({ ...given, port: await freePort() });
  await gone;
  await new Promise((exit) => {
    server.once('exit', exit);
    server.kill('SIGINT');
  });
});
