/**
 * Migrations as processes: rows 38, 39 and 40 of the fault table. One that fails half-way
 * leaves nothing behind and is named, of several at once one does it, and builds that are
 * older or newer than the database work or say by name why not.
 */
import { createTestDatabase, onServer, type TestDatabase } from '@ballast/test-kit/database';
import { freePort } from '@ballast/test-kit/free-port';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { killStarted, start, untilReady } from '../../apps/api/src/testing/start-process.ts';
import { goalMs } from './stage.ts';

let database: TestDatabase;
afterEach(async () => {
  killStarted();
  await database.drop();
});

const migrateEnvironment = () => ({ BALLAST_ENV: 'local', DATABASE_OWNER_URL: database.ownerUrl });

async function serving(): Promise<Record<string, string>> {
  return {
    BALLAST_ENV: 'local',
    DATABASE_URL: database.appUrl,
    DATABASE_DISPATCHER_URL: database.dispatcherUrl,
    AUTH_SECRET: 'q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA=',
    API_PORT: String(await freePort()),
    WORKER_PORT: String(await freePort()),
    DISABLE_BACKGROUND_WORKERS: 'true',
  };
}

async function migrated(): Promise<{ code: number | null; said: string }> {
  const started = start('migrate', migrateEnvironment());
  const code = await started.exited;
  return { code, said: started.said() };
}

/** Whatever the process serves, once it listens at all. */
async function ask(
  origin: string,
  path: string,
): Promise<{ status: number; body: { code?: string; detail?: string } }> {
  const response = await fetch(`${origin}${path}`);
  return { status: response.status, body: (await response.json()) as { code?: string; detail?: string } };
}

/** Never served, and once Postgres has answered in time the migration is named. */
const missing = (origin: string, path: string, migration: string) =>
  vi.waitFor(
    async () => {
      const { status, body } = await ask(origin, path);
      if (status !== 503) throw new Error(`${path} was answered with ${status}.`);
      expect(body).toMatchObject({ code: 'migrations.missing', detail: expect.stringContaining(migration) });
    },
    { timeout: goalMs, interval: 100 },
  );

const listening = (origin: string) =>
  expect
    .poll(
      () =>
        fetch(`${origin}/livez`).then(
          ({ ok }) => ok,
          () => false,
        ),
      { timeout: goalMs, interval: 100 },
    )
    .toBe(true);

describe('a migration', { timeout: 4 * goalMs }, () => {
  test('fails half-way: rolled back, named by itself and by the API, and done by the next (row 38)', async () => {
    database = await createTestDatabase({ empty: true });
    // What the first migration makes last is there already: its functions are made, and then it fails.
    await onServer(database.ownerUrl, async (owner) => {
      await owner.unsafe('create schema ballast; create table ballast.audit_event (squatter integer)');
    });
    const failed = await migrated();
    expect(failed.code).toBe(1);
    expect(failed.said).toMatch(/Migration db\/0001_scope failed and was rolled back: .*audit_event.*already exists/);
    const [left] = await onServer(
      database.ownerUrl,
      (owner) =>
        owner`select to_regprocedure('ballast.tenant_id()') as half, (select count(*)::int from ballast.migration) as entered`,
    );
    expect(left).toEqual({ half: null, entered: 0 });

    const env = await serving();
    const api = start('main', env);
    const origin = `http://127.0.0.1:${env.API_PORT}`;
    await listening(origin);
    for (const path of ['/health', '/readyz', '/api/accounts/me']) await missing(origin, path, 'db/0001_scope');
    await onServer(database.ownerUrl, (owner) => owner.unsafe('drop table ballast.audit_event'));
    expect(await migrated()).toMatchObject({ code: 0, said: expect.stringContaining('db/0001_scope') });
    // The API that waited needs no restart.
    await untilReady(env.API_PORT, api);
    await expect.poll(async () => (await ask(origin, '/health')).status).toBe(200);
  });

  test('is done by exactly one of five that start at once; all of them end well (row 39)', async () => {
    database = await createTestDatabase({ empty: true });
    const replicas = await Promise.all(Array.from({ length: 5 }, migrated));
    expect(replicas.map(({ code }) => code)).toEqual([0, 0, 0, 0, 0]);
    expect(replicas.filter(({ said }) => said.includes('"migrated"'))).toHaveLength(1);
    expect(replicas.filter(({ said }) => said.includes('"nothing to migrate"'))).toHaveLength(4);
    const [entered] = await onServer(
      database.ownerUrl,
      (owner) =>
        owner`select count(*)::int as all, count(distinct (module, name))::int as different from ballast.migration`,
    );
    expect(entered?.all).toBeGreaterThan(8);
    expect(entered?.different).toBe(entered?.all);
  });
});

describe('a build', { timeout: 4 * goalMs }, () => {
  test('that is older than the database serves, and says that it is behind (row 40)', async () => {
    database = await createTestDatabase();
    await onServer(database.ownerUrl, async (owner) => {
      await owner.unsafe('alter table ballast.audit_event add column of_the_next_release text');
      await owner`insert into ballast.migration (module, name, checksum) values ('db', '9999_next_release', 'x')`;
    });
    const env = await serving();
    const api = start('main', env);
    const origin = await untilReady(env.API_PORT, api);
    expect((await ask(origin, '/api/accounts/me')).status).toBe(401);
    const ahead = { code: 'migrations.ahead', detail: expect.stringContaining('db/9999_next_release') };
    await expect.poll(() => ask(origin, '/health')).toMatchObject({ status: 503, body: ahead });
    const worker = start('workers-standalone', { ...env, DISABLE_BACKGROUND_WORKERS: 'false' });
    await untilReady(env.WORKER_PORT, worker);
    // Rolled back to this build: its migration has nothing to do, and takes nothing away.
    expect(await migrated()).toMatchObject({ code: 0, said: expect.stringContaining('nothing to migrate') });
  });

  test('that is newer than the database takes no traffic and no jobs, and names what is missing (row 40)', async () => {
    database = await createTestDatabase();
    await onServer(database.ownerUrl, async (owner) => {
      await owner`delete from ballast.migration where module = 'db' and name = '0002_backups'`;
    });
    const env = await serving();
    start('main', env);
    start('workers-standalone', { ...env, DISABLE_BACKGROUND_WORKERS: 'false' });
    for (const [port, path] of [
      [env.API_PORT, '/api/accounts/me'],
      [env.API_PORT, '/readyz'],
      [env.WORKER_PORT, '/readyz'],
    ]) {
      const origin = `http://127.0.0.1:${port}`;
      await listening(origin);
      await missing(origin, path ?? '', 'db/0002_backups');
    }
    const [processes] = await onServer(
      database.adminUrl,
      (admin) => admin`select count(*)::int as count from jobs.process`,
    );
    expect(processes).toEqual({ count: 0 });
  });
});
