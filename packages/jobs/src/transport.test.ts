import { randomUUID } from 'node:crypto';
import { createTestDatabase } from '@ballast/test-kit/database';
import { openPatiently } from '@ballast/test-kit/pools';
import { queueBackends, silentLog, startQueue } from '@ballast/test-kit/queue';
import { Redis } from 'ioredis';
import { describe, expect, it, vi } from 'vitest';
import { addPacks } from './testing/add-packs.ts';

describe.each(queueBackends)('the queue on %s', (backend) => {
  it('serves more queues than it has connections to share', async () => {
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
    for (const name of queues) await addPacks(transport, [randomUUID()], name);
    await vi.waitFor(() => expect(ran.toSorted()).toEqual(queues.toSorted()), { timeout: 30_000 });
    await Promise.all(consumers.map((consumer) => consumer.close()));
    await transport.close();
    await queue.stop();
    await database.drop();
  });

  it('hands a pack out once, though its run failed, and keeps nothing of it', async () => {
    const database = await createTestDatabase();
    const queue = await startQueue(backend, database, silentLog);
    const transport = queue.open();
    const [failing, fine] = [randomUUID(), randomUUID()];
    const ran: string[] = [];
    const consumer = transport.consume('default', 2, async (packId) => {
      ran.push(packId);
      if (packId === failing) throw new Error('on purpose');
    });
    await addPacks(transport, [failing, fine]);
    await vi.waitFor(() => expect(ran.toSorted()).toEqual([failing, fine].toSorted()), { timeout: 30_000 });
    await expect.poll(() => transport.inFlight('default')).toBe(0);
    await expect.poll(() => transport.holds('default', [failing, fine])).toEqual(new Set());
    if (queue.redis) {
      const redis = new Redis(queue.redis.url);
      const kept = (await redis.keys('bull:default:*')).filter((key) => key.includes(failing) || key.includes(fine));
      expect(kept).toEqual([]);
      expect(await redis.zcard('bull:default:completed')).toBe(0);
      expect(await redis.zcard('bull:default:failed')).toBe(0);
      await redis.quit();
    } else {
      const owner = openPatiently({ url: database.adminUrl });
      expect(await owner.sql`select 1 from bullmq.job`).toEqual([]);
      await owner.close();
    }
    expect(ran).toHaveLength(2);
    await consumer.close();
    await transport.close();
    await queue.stop();
    await database.drop();
  });

  it('tells of many packs which it still holds', async () => {
    const database = await createTestDatabase();
    const queue = await startQueue(backend, database, silentLog);
    const transport = queue.open();
    const packs = Array.from({ length: 250 }, () => randomUUID());
    const added = packs.filter((_, n) => n % 2 === 0);
    await addPacks(transport, added);
    await expect.poll(async () => [...(await transport.holds('default', packs))].toSorted()).toEqual(added.toSorted());
    await transport.close();
    await queue.stop();
    await database.drop();
  });
});
