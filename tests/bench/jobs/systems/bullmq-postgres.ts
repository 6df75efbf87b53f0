import { createPostgresBackend, Queue, Worker } from 'bullmq';
import pg from 'pg';
import type { Place, System } from '../system.ts';
import { createEffectTable } from './effect-table.ts';

const name = 'bench';

/** BullMQ's own Postgres backend, one BullMQ job per job. Its tables are in the template already. */
export const bullmqPostgres: System = {
  name: 'bullmq-postgres',
  prepare: createEffectTable,
  async openProducer(place) {
    const pool = openPool(place);
    const queue = openQueue(pool);
    return {
      async addBatch(numbers) {
        await queue.addBulk(numbers.map((n) => ({ name: 'job', data: { n } })));
      },
      writeAndAdd: () => Promise.reject(new Error('Not measured.')),
      async close() {
        await queue.close();
        await pool.end();
      },
    };
  },
  async openWorker(place, { slots, handled, completed }) {
    const pool = openPool(place);
    const queue = openQueue(pool);
    const worker = new Worker(
      name,
      async (job) => {
        handled(job.data.n);
      },
      {
        connection: pool as never,
        concurrency: slots,
        removeOnComplete: { count: 0 },
        removeOnFail: { count: 0 },
      },
      createPostgresBackend,
    );
    worker.on('completed', (job) => completed(job.data.n));
    worker.on('error', (error) => process.stderr.write(`${error.message}\n`));
    return {
      async remaining() {
        const counts = await queue.getJobCounts('waiting', 'active', 'delayed', 'prioritized');
        return Object.values(counts).reduce((sum, count) => sum + count, 0);
      },
      async close() {
        await worker.close();
        await queue.close();
        await pool.end();
      },
    };
  },
};

function openPool(place: Place): pg.Pool {
  return new pg.Pool({ connectionString: place.dispatcherUrl, max: 20, options: '-c search_path=bullmq' });
}

function openQueue(pool: pg.Pool) {
  const options = { connection: pool as never, defaultJobOptions: { removeOnComplete: true, removeOnFail: true } };
  return new Queue(name, options, createPostgresBackend);
}
