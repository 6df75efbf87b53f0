import { apiConnections, workerConnections } from '@ballast/capacity/connections';
import { createTestDatabase, onServer, type TestDatabase } from '@ballast/test-kit/database';
import { freePort } from '@ballast/test-kit/free-port';
import { startRedis, type TestRedis } from '@ballast/test-kit/redis';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { killStarted, start, untilReady } from './testing/start-process.ts';

const poolSize = 3;

let database: TestDatabase;
let redis: TestRedis;

beforeAll(async () => {
  database = await createTestDatabase();
  redis = await startRedis();
});
afterAll(async () => {
  await redis.stop();
  await database.drop();
});
afterEach(killStarted);

async function settings(): Promise<Record<string, string>> {
  return {
    BALLAST_ENV: 'local',
    DATABASE_URL: database.appUrl,
    DATABASE_DISPATCHER_URL: database.dispatcherUrl,
    DATABASE_POOL_SIZE: String(poolSize),
    REDIS_QUEUE_URL: redis.url,
    AUTH_SECRET: 'q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA=',
    API_PORT: String(await freePort()),
    METRICS_PORT: String(await freePort()),
    WORKER_PORT: String(await freePort()),
  };
}

/** The most that the pools of a process open together, as the process says it. */
async function sumOfPools(port: string | undefined): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const pools = [...text.matchAll(/^ballast_postgres_pool_max_connections\{.*\} (\d+)$/gm)];
  return pools.reduce((sum, [, max]) => sum + Number(max), 0);
}

/** Connections that wait for announcements: postgres.js opens them beside their pool. */
const listeners = () =>
  onServer(database.adminUrl, async (admin) => {
    const rows = await admin`
      select from pg_stat_activity
      where datname = current_database() and application_name like 'ballast-%' and query ilike 'listen %'`;
    return rows.length;
  });

it('an API opens as many connections at most as the model counts', async () => {
  const env = await settings();
  const api = start('main', { ...env, DISABLE_BACKGROUND_WORKERS: 'true' });
  await untilReady(env.API_PORT, api);
  expect(await listeners()).toBe(0);
  expect(await sumOfPools(env.METRICS_PORT)).toBe(apiConnections(poolSize));
});

it('a worker opens as many connections at most as the model counts', async () => {
  const env = await settings();
  const worker = start('workers-standalone', env);
  await untilReady(env.WORKER_PORT, worker);
  await expect.poll(listeners).toBe(1);
  expect((await sumOfPools(env.WORKER_PORT)) + 1).toBe(workerConnections(poolSize));
});
