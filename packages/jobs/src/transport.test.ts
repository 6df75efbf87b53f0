import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { openDatabase } from '@ballast/db';
import { createTestDatabase, type TestDatabase } from '@ballast/test-kit/database';
import { queueBackends, silentLog, startQueue, type TestQueue } from '@ballast/test-kit/queue';
import { Redis } from 'ioredis';
import { describe, expect, it, vi } from 'vitest';

/** Makes a store refuse what a take writes: a Redis that became somebody's replica, a role without its rights. */
function refusals(queue: TestQueue, database: TestDatabase) {
  const admin = openDatabase({ url: database.adminUrl, applicationName: 'suite' });
  const redis = queue.redis && new Redis(queue.redis.url);
  return {
    refuse: async () =>
      redis
        ? redis.replicaof('127.0.0.1', 1)
        : admin.sql`revoke all on all tables in schema bullmq from ballast_dispatcher`,
    allow: async () =>
      redis ? redis.replicaof('NO', 'ONE') : admin.sql`grant all on all tables in schema bullmq to ballast_dispatcher`,
    async close() {
      redis?.disconnect();
      await admin.close();
    },
  };
}

describe.each(queueBackends)('the queue on %s', (backend) => {
  it('serves more queues than it has connections to share', { timeout: 60_000 }, async () => {
    const database = await createTestDatabase();
    const queue = await startQueue(backend, database, silentLog);
    const transport = queue.open();
    const queues = Array.from({ length: 14 }, (_, n) => `line-${n}`);
    const ran: string[] = [];
    const consumers = queues.map((name) =>
      transport.consume(name, 1, async () => {
        ran.push(name);
      }),
    );
    for (const name of queues) await transport.add(name, [randomUUID()]);
    await vi.waitFor(() => expect(ran.toSorted()).toEqual(queues.toSorted()), { timeout: 30_000 });
    await Promise.all(consumers.map((consumer) => consumer.close()));
    await transport.close();
    await queue.stop();
    await database.drop();
  });

  it('hands a pack out once, though its run failed, and keeps nothing of it', { timeout: 60_000 }, async () => {
    const database = await createTestDatabase();
    const queue = await startQueue(backend, database, silentLog);
    const transport = queue.open();
    const [failing, fine] = [randomUUID(), randomUUID()];
    const ran: string[] = [];
    const consumer = transport.consume('default', 2, async (packId) => {
      ran.push(packId);
      if (packId === failing) throw new Error('on purpose');
    });
    await transport.add('default', [failing, fine]);
    await vi.waitFor(() => expect(ran.toSorted()).toEqual([failing, fine].toSorted()), { timeout: 30_000 });
    await vi.waitFor(async () => expect(await transport.inFlight('default')).toBe(0), { timeout: 30_000 });
    expect(await transport.holds('default', [failing, fine])).toEqual(new Set());
    if (queue.redis) {
      const redis = new Redis(queue.redis.url);
      const kept = (await redis.keys('bull:default:*')).filter((key) => key.includes(failing) || key.includes(fine));
      expect(kept).toEqual([]);
      expect(await redis.zcard('bull:default:completed')).toBe(0);
      expect(await redis.zcard('bull:default:failed')).toBe(0);
      await redis.quit();
    } else {
      const owner = openDatabase({ url: database.adminUrl, applicationName: 'suite' });
      expect(await owner.sql`select 1 from bullmq.job`).toEqual([]);
      await owner.close();
    }
    expect(ran).toHaveLength(2);
    await consumer.close();
    await transport.close();
    await queue.stop();
    await database.drop();
  });

  it('tells of many packs which it still holds', { timeout: 60_000 }, async () => {
    const database = await createTestDatabase();
    const queue = await startQueue(backend, database, silentLog);
    const transport = queue.open();
    const packs = Array.from({ length: 250 }, () => randomUUID());
    const added = packs.filter((_, n) => n % 2 === 0);
    await transport.add('default', added);
    expect([...(await transport.holds('default', packs))].toSorted()).toEqual(added.toSorted());
    await transport.close();
    await queue.stop();
    await database.drop();
  });

  it('rests between takes that the store refuses, and takes again once it may', { timeout: 60_000 }, async () => {
    const database = await createTestDatabase();
    let refused = 0;
    const warn = () => {
      refused += 1;
    };
    const queue = await startQueue(backend, database, { ...silentLog, warn });
    const takes = refusals(queue, database);
    const transport = queue.open();
    const ran: string[] = [];
    const packs = Array.from({ length: 40 }, () => randomUUID());
    await transport.add('default', packs);
    const refusing = Promise.withResolvers<void>();
    const consumer = transport.consume('default', 4, async (packId) => {
      ran.push(packId);
      await refusing.promise;
    });
    await vi.waitFor(() => expect(ran).toHaveLength(4), { timeout: 30_000 });
    await takes.refuse();
    refusing.resolve();
    await pause(3_000);
    expect(ran).toHaveLength(4);
    expect(refused).toBeGreaterThan(0);
    // Of each slot soon one a second; without rests it was 150 on Postgres and 6,000 on Redis.
    expect(refused).toBeLessThan(40);
    await takes.allow();
    await vi.waitFor(() => expect(ran).toHaveLength(packs.length), { timeout: 30_000 });
    await takes.refuse();
    const closing = performance.now();
    await consumer.close();
    expect(performance.now() - closing).toBeLessThan(1_000);
    await transport.close();
    await takes.close();
    await queue.stop();
    await database.drop();
  });

  it('begins what it has taken before its slots are full', { timeout: 60_000 }, async () => {
    const database = await createTestDatabase();
    const queue = await startQueue(backend, database, silentLog);
    const takes = refusals(queue, database);
    const transport = queue.open();
    const packs = Array.from({ length: 300 }, () => randomUUID());
    await transport.add('default', packs);
    const released = Promise.withResolvers<void>();
    let refusing: Promise<unknown> | null = null;
    const began = new Set<string>();
    const consumer = transport.consume('default', packs.length, async (packId) => {
      began.add(packId);
      refusing ??= takes.refuse();
      await released.promise;
    });
    await vi.waitFor(() => expect(began.size).toBeGreaterThan(0), { timeout: 30_000, interval: 5 });
    await refusing;
    await pause(500);
    expect(began.size).toBeLessThan(packs.length);
    await takes.allow();
    await vi.waitFor(() => expect(began.size).toBe(packs.length), { timeout: 30_000 });
    released.resolve();
    await consumer.close();
    await transport.close();
    await takes.close();
    await queue.stop();
    await database.drop();
  });
});
