import { randomUUID } from 'node:crypto';
import { createTestDatabase } from '@ballast/test-kit/database';
import { queueBackends, silentLog, startQueue } from '@ballast/test-kit/queue';
import { describe, expect, it, vi } from 'vitest';

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
});
