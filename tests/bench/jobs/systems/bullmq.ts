import { type Database, openDatabase, withTenant } from '@ballast/db';
import { Queue, Worker } from 'bullmq';
import { now, type System } from '../system.ts';
import { createEffectTable, tenant, writeEffect } from './effect-table.ts';

const queueName = 'bench';

/** BullMQ alone: nothing in Postgres but what a handler or producer writes itself, and a crash between the two loses the job. */
export const bullmq: System = alone('bullmq', async (db, n) => {
  await db.sql`insert into effect (n) values (${n})`;
});

/** The same, but the producer's row is written in a transaction under the tenant's scope, as Ballast's is. */
export const bullmqScoped: System = alone('bullmq-scoped', writeInTransaction);

function alone(name: string, write: (db: Database, n: number) => Promise<void>): System {
  return {
    name,
    prepare: createEffectTable,
    async openProducer(place) {
      const db = openDatabase({ url: place.appUrl, applicationName: 'bench-producer', maxConnections: 16 });
      const queue = openQueue(place.redisUrl);
      return {
        async addBatch(numbers) {
          await queue.addBulk(numbers.map((n) => ({ name: 'job', data: { n } })));
        },
        async writeAndAdd(n) {
          await write(db, n);
          const committedAt = now();
          await queue.add('job', { n });
          return committedAt;
        },
        async close() {
          await Promise.all([queue.close(), db.close()]);
        },
      };
    },
    async openWorker(place, { work, slots, handled, completed }) {
      const db = openDatabase({ url: place.appUrl, applicationName: 'bench-worker', maxConnections: 16 });
      return openBullWorker(place.redisUrl, slots, completed, async (n) => {
        if (work === 'transaction') await writeInTransaction(db, n);
        handled(n);
      });
    },
  };
}

/** The same layer and scope as a Ballast handler's transaction, without its fence. */
function writeInTransaction(db: Database, n: number): Promise<void> {
  return withTenant(db, tenant, (tx) => writeEffect(tx, n));
}

export function openQueue(url: string): Queue {
  return new Queue(queueName, {
    connection: { url, enableAutoPipelining: true },
    defaultJobOptions: { removeOnComplete: true, removeOnFail: true },
  });
}

/** A worker process with `slots` jobs at once; completed jobs are removed at once, as the documentation advises for speed. */
export async function openBullWorker(
  url: string,
  slots: number,
  completed: (n: number) => void,
  run: (n: number) => Promise<void>,
) {
  const queue = openQueue(url);
  const worker = new Worker(queueName, (job) => run(job.data.n), {
    connection: { url, maxRetriesPerRequest: null },
    concurrency: slots,
    removeOnComplete: { count: 0 },
    removeOnFail: { count: 0 },
  });
  worker.on('completed', (job) => completed(job.data.n));
  worker.on('error', (error) => process.stderr.write(`${error.message}\n`));
  await worker.waitUntilReady();
  return {
    async remaining() {
      const counts = await queue.getJobCounts('waiting', 'active', 'delayed', 'prioritized');
      return Object.values(counts).reduce((sum, count) => sum + count, 0);
    },
    async close() {
      await worker.close();
      await queue.close();
    },
  };
}
