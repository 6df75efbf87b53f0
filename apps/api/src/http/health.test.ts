import { createTestDatabase, onServer, type TestDatabase } from '@ballast/test-kit/database';
import { startStopwatch } from '@ballast/test-kit/stopwatch';
import { openTcpProxy, type TcpProxy } from '@ballast/test-kit/tcp-proxy';
import { Hono } from 'hono';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { expectedMigrations } from '../expected-migrations.ts';
import { edgeApp } from '../testing/edge-app.ts';
import { createHealth, type Health } from './health.ts';

const silent = { debug() {}, info() {}, warn() {}, error() {} };
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

let database: TestDatabase;
let proxy: TcpProxy;
let health: Health;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());
beforeEach(async () => {
  proxy = await openTcpProxy(database.appUrl);
  health = createHealth({
    databaseUrl: proxy.url,
    migrations: await expectedMigrations(),
    applicationName: 'health-test',
    log: silent,
  });
});
afterEach(async () => {
  await proxy.close();
  await health.close();
});

async function ask(path: '/livez' | '/readyz' | '/health') {
  const watch = startStopwatch();
  const response = await edgeApp(new Hono(), { health }).app.request(path);
  const body = (await response.json()) as { code?: string; detail?: string; status: unknown };
  return { status: response.status, body, ms: watch.stop() };
}

/** A look that comes too late on a busy machine is followed by another. */
const until = (path: '/readyz' | '/health', status: number, body: object = {}) =>
  expect.poll(() => ask(path), { timeout: 30_000 }).toMatchObject({ status, body });

/** Postgres is back: so is this, within five seconds. */
async function recovers() {
  const watch = startStopwatch();
  await until('/health', 200);
  expect(watch.stop()).toBeLessThan(5_000);
}

describe('health', () => {
  it('is well when Postgres answers and the schema is complete', async () => {
    await until('/health', 200, { status: 'healthy', release: expect.any(String), upSeconds: expect.any(Number) });
    expect((await ask('/readyz')).status).toBe(200);
  });

  it('says within two seconds that Postgres is gone, and recovers by itself', async () => {
    await until('/health', 200);
    await proxy.stop();
    await pause(600);
    const down = await ask('/health');
    expect(down).toMatchObject({ status: 503, body: { code: 'database.unreachable', status: 503 } });
    expect(down.ms).toBeLessThan(2_000);
    expect((await ask('/livez')).status).toBe(200);
    await proxy.start();
    await recovers();
  });

  it('says so within two seconds too when packets vanish, again and again', async () => {
    await until('/health', 200);
    proxy.freeze();
    for (let n = 0; n < 2; n++) {
      await pause(600);
      const down = await ask('/health');
      expect(down).toMatchObject({ status: 503, body: { code: 'database.unreachable' } });
      expect(down.ms).toBeLessThan(2_000);
    }
    proxy.thaw();
    await recovers();
  });

  it('looks once for all who ask meanwhile: a second look would share the connection that the first gives up', async () => {
    await until('/health', 200);
    await pause(600);
    proxy.freeze();
    const answeredAt = async () => {
      expect(await ask('/health')).toMatchObject({ status: 503, body: { code: 'database.unreachable' } });
      return performance.now();
    };
    const first = answeredAt();
    await pause(700);
    const second = answeredAt();
    expect(Math.abs((await second) - (await first))).toBeLessThan(300);
    proxy.thaw();
    await recovers();
  });

  it('keeps a process ready whose database went away later: all replicas would leave at once', async () => {
    await until('/readyz', 200);
    await proxy.stop();
    expect((await ask('/readyz')).status).toBe(200);
  });

  it('is not ready before it has seen the schema', async () => {
    await proxy.stop();
    expect(await ask('/readyz')).toMatchObject({ status: 503, body: { code: 'database.unreachable' } });
  });

  it('is not ready while draining, and still alive', async () => {
    health.startDraining();
    expect(await ask('/readyz')).toMatchObject({ status: 503, body: { code: 'server.draining' } });
    await until('/health', 503, { code: 'server.draining' });
    expect((await ask('/livez')).status).toBe(200);
  });
});

describe('the schema', () => {
  it('is missing: the versions and the command are named, also to callers of the API', async () => {
    const empty = await createTestDatabase({ empty: true });
    const fresh = createHealth({
      databaseUrl: empty.appUrl,
      migrations: await expectedMigrations(),
      applicationName: 'health-test',
      log: silent,
    });
    const { app } = edgeApp(new Hono(), { health: fresh });
    for (const path of ['/health', '/readyz', '/api/accounts/me']) {
      const answer = async () => {
        const response = await app.request(path);
        return { status: response.status, body: await response.json() };
      };
      const detail = expect.stringMatching(/db\/0001_scope.*node apps\/api\/dist\/migrate\.js/);
      await expect.poll(answer).toMatchObject({ status: 503, body: { code: 'migrations.missing', detail } });
    }
    await fresh.close();
    await empty.drop();
  });

  it('is ahead: unhealthy by name, and ready all the same', async () => {
    await onServer(database.adminUrl, async (admin) => {
      await admin`insert into ballast.migration (module, name, checksum) values ('jobs', '9999_later', 'x')`;
    });
    await until('/health', 503, { code: 'migrations.ahead', detail: expect.stringContaining('jobs/9999_later') });
    expect((await ask('/readyz')).status).toBe(200);
    await onServer(database.adminUrl, async (admin) => {
      await admin`delete from ballast.migration where name = '9999_later'`;
    });
  });
});
