import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import type { Database } from '@ballast/db';
import { createTestDatabase, type TestDatabase } from '@ballast/test-kit/database';
import { openPatiently } from '@ballast/test-kit/pools';
import { queueBackends, silentLog, startQueue, type TestQueue } from '@ballast/test-kit/queue';
import { startStopwatch } from '@ballast/test-kit/stopwatch';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { addPacks } from './testing/add-packs.ts';
import type { Consumer, Transport } from './transport.ts';

describe.each(queueBackends)('a consumer of the queue on %s', (backend) => {
  let database: TestDatabase;
  let admin: Database;
  let queue: TestQueue;
  let redis: Redis | null;
  let transport: Transport;
  let consumer: Consumer | undefined;
  let warnings: number;

  beforeEach(async () => {
    database = await createTestDatabase();
    admin = openPatiently({ url: database.adminUrl });
    warnings = 0;
    const warn = () => {
      warnings += 1;
    };
    queue = await startQueue(backend, database, { ...silentLog, warn });
    redis = queue.redis && new Redis(queue.redis.url);
    transport = queue.open();
    // Whoever takes the consumer's rights away is there at once.
    await admin.sql`select 1`;
    await redis?.ping();
  });
  afterEach(async () => {
    // After a failure it still runs, and would keep the process alive.
    await consumer?.abandon();
    await transport.close();
    redis?.disconnect();
    await queue.stop();
    await admin.close();
    await database.drop();
  });

  // What a take writes is refused by a Redis that became somebody's replica, and to a role without its rights.
  const refuseTakes = async () =>
    redis
      ? redis.replicaof('127.0.0.1', 1)
      : admin.sql`revoke all on all tables in schema bullmq from ballast_dispatcher`;
  const allowTakes = async () =>
    redis ? redis.replicaof('NO', 'ONE') : admin.sql`grant all on all tables in schema bullmq to ballast_dispatcher`;

  const packs = (count: number) => Array.from({ length: count }, () => randomUUID());

  it('rests between takes that the store refuses, and takes again once it may', async () => {
    await addPacks(transport, packs(40));
    const refusing = Promise.withResolvers<void>();
    let began = 0;
    consumer = transport.consume('default', 4, async () => {
      began += 1;
      await refusing.promise;
    });
    await vi.waitFor(() => expect(began).toBe(4), { timeout: 30_000 });
    await refuseTakes();
    refusing.resolve();
    await vi.waitFor(() => expect(warnings).toBeGreaterThan(0), { timeout: 30_000 });
    await pause(3_000);
    expect(began).toBe(4);
    // Of each slot soon one a second; without rests it was 150 on Postgres and 6,000 on Redis.
    expect(warnings).toBeLessThan(40);
    await allowTakes();
    await vi.waitFor(() => expect(began).toBe(40), { timeout: 30_000 });
    warnings = 0;
    await refuseTakes();
    // The rests begin with 50 ms and double: it has just begun one of a second.
    await vi.waitFor(() => expect(warnings).toBeGreaterThan(8), { timeout: 30_000, interval: 5 });
    const watch = startStopwatch();
    await consumer.close();
    expect(watch.stop()).toBeLessThan(500);
  });

  it('begins what it has taken before its slots are full', async () => {
    const slots = 300;
    await addPacks(transport, packs(slots));
    const released = Promise.withResolvers<void>();
    let refusing: Promise<unknown> | null = null;
    let began = 0;
    consumer = transport.consume('default', slots, async () => {
      began += 1;
      refusing ??= refuseTakes();
      await released.promise;
    });
    await vi.waitFor(() => expect(began).toBeGreaterThan(0), { timeout: 30_000, interval: 5 });
    await refusing;
    await pause(500);
    expect(began).toBeLessThan(slots);
    await allowTakes();
    await vi.waitFor(() => expect(began).toBe(slots), { timeout: 30_000 });
    released.resolve();
    await consumer.close();
  });
});
