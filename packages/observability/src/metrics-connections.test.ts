import { openRateLimiter } from '@ballast/cache/rate-limit';
import { sqlOf, withScope } from '@ballast/db';
import { createTestDatabase } from '@ballast/test-kit/database';
import { openPatiently } from '@ballast/test-kit/pools';
import { queueBackends, startQueue } from '@ballast/test-kit/queue';
import { expect, it } from 'vitest';
import { openMetrics } from './metrics.ts';
import { poolMetrics, redisMetrics } from './metrics-connections.ts';
import { parseMetrics } from './testing/parse-metrics.ts';

const open = () => {
  const metrics = openMetrics({ service: 'worker', release: '1', modules: [] });
  return { metrics, scrape: async () => parseMetrics(await metrics.scrape()) };
};

it('tells what a pool has in use and who waits for it, until it is closed', async () => {
  const { metrics, scrape } = open();
  poolMetrics(metrics);
  const database = await createTestDatabase();
  const db = openPatiently({ url: database.appUrl, applicationName: 'pool-suite', maxConnections: 2 });
  const pool = async () => {
    const samples = await scrape();
    const of = (name: string) => samples.get(`ballast_postgres_pool_${name}`);
    const [used, idle] = ['used', 'idle'].map((state) => of(`connections{pool="pool-suite",state="${state}"}`));
    return { used, idle, max: of('max_connections{pool="pool-suite"}'), waiting: of('waiting{pool="pool-suite"}') };
  };
  expect(await pool()).toEqual({ used: 0, idle: 0, max: 2, waiting: 0 });

  const release = Promise.withResolvers<void>();
  const held = [1, 2].map(() =>
    withScope(db, {}, async (tx) => {
      await sqlOf(tx)`select 1`;
      await release.promise;
    }),
  );
  await expect.poll(pool).toMatchObject({ used: 2, waiting: 0 });
  const third = withScope(db, {}, (tx) => sqlOf(tx)`select 1`);
  await expect.poll(pool).toEqual({ used: 2, idle: 0, max: 2, waiting: 1 });
  release.resolve();
  await Promise.all([...held, third]);
  await expect.poll(pool).toEqual({ used: 0, idle: 2, max: 2, waiting: 0 });

  await db.close();
  expect(await pool()).toEqual({ used: undefined, idle: undefined, max: undefined, waiting: undefined });
  await database.drop();
  metrics.close();
});

it('says nothing of a Redis that is not there', async () => {
  const { metrics, scrape } = open();
  const limiter = openRateLimiter({ redisUrl: null });
  const database = await createTestDatabase();
  const queue = await startQueue('postgres', database);
  const transport = queue.open();
  redisMetrics(metrics, { cache: () => limiter.connected(), queue: () => transport.connected() });
  expect([...(await scrape()).keys()].filter((name) => name.startsWith('ballast_redis'))).toEqual([]);
  await Promise.all([limiter.close(), transport.close(), queue.stop()]);
  await database.drop();
  metrics.close();
});

if (queueBackends.includes('redis')) {
  it('tells whether each Redis is connected, and knows when it goes and comes back', async () => {
    const { metrics, scrape } = open();
    const database = await createTestDatabase();
    const queue = await startQueue('redis', database);
    const transport = queue.open();
    const limiter = openRateLimiter({ redisUrl: queue.redis?.url ?? null });
    redisMetrics(metrics, { cache: () => limiter.connected(), queue: () => transport.connected() });
    // As a dispatcher asks each second.
    const asking = setInterval(() => transport.epoch?.read().catch(() => {}), 50);
    const connected = async () => {
      const samples = await scrape();
      return ['cache', 'queue'].map((store) => samples.get(`ballast_redis_connected{store="${store}"}`));
    };
    const poll = () => expect.poll(connected, { timeout: 60_000 });
    await poll().toEqual([1, 1]);
    await queue.redis?.restart(0, { whileDown: () => poll().toEqual([0, 0]) });
    await poll().toEqual([1, 1]);
    clearInterval(asking);
    await Promise.all([limiter.close(), transport.close()]);
    await queue.stop();
    await database.drop();
    metrics.close();
  });
}
