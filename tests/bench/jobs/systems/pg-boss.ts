import pg from 'pg';
import { PgBoss } from 'pg-boss';
import { now, type Place, type System } from '../system.ts';
import { createEffectTable } from './effect-table.ts';

const queue = 'bench';
const batchSize = 500;

/** pg-boss in the caller's transaction; workers fetch batches and are woken by NOTIFY. */
export const pgBoss: System = {
  name: 'pg-boss',
  async prepare(place) {
    await createEffectTable(place);
    const boss = await start(place, false);
    await boss.createQueue(queue, { notify: true, partition: true });
    await boss.stop();
  },
  async openProducer(place) {
    const pool = new pg.Pool({ connectionString: place.adminUrl, max: 16 });
    const boss = await start(place, false);
    return {
      addBatch: (numbers) =>
        inTransaction(pool, async (client) => {
          const jobs = numbers.map((n) => ({ data: { n } }));
          await boss.insert(queue, jobs, { db: executor(client) });
        }),
      async writeAndAdd(n) {
        await inTransaction(pool, async (client) => {
          await client.query({ name: 'effect', text: 'insert into effect (n) values ($1)', values: [n] });
          await boss.send(queue, { n }, { db: executor(client) });
        });
        return now();
      },
      async close() {
        await boss.stop();
        await pool.end();
      },
    };
  },
  async openWorker(place, { work, slots, handled }) {
    const pool = new pg.Pool({ connectionString: place.adminUrl, max: 16 });
    const boss = await start(place, true);
    if (work === 'transaction') {
      await boss.work(
        queue,
        { transactional: true, localConcurrency: slots, notifyPollingIntervalSeconds: 1, pollingIntervalSeconds: 0.5 },
        async (jobs, tx) => {
          for (const { data } of jobs) {
            const { n } = data as { n: number };
            await tx.executeSql('insert into effect (n) values ($1)', [n]);
            handled(n);
          }
        },
      );
    } else {
      const options = {
        batchSize,
        burstWhenBatchFull: true,
        pollingIntervalSeconds: 0.5,
        notifyPollingIntervalSeconds: 1,
      };
      await boss.work<{ n: number }>(queue, { ...options, localConcurrency: 2 }, async (jobs) => {
        for (const { data } of jobs) handled(data.n);
      });
    }
    return {
      async remaining() {
        const { rows } = await pool.query<{ jobs: number }>(
          `select count(*)::int as jobs from pgboss.job where name = $1 and state < 'completed'`,
          [queue],
        );
        return rows[0]?.jobs ?? 0;
      },
      async close() {
        await boss.stop();
        await pool.end();
      },
    };
  },
};

async function start(place: Place, worker: boolean): Promise<PgBoss> {
  const boss = new PgBoss({
    connectionString: place.adminUrl,
    useListenNotify: worker,
    supervise: worker,
    schedule: false,
    max: 20,
  });
  boss.on('error', (error) => process.stderr.write(`${error.message}\n`));
  await boss.start();
  return boss;
}

function executor(client: pg.PoolClient) {
  return { executeSql: (text: string, values?: unknown[]) => client.query(text, values) };
}

export async function inTransaction(pool: pg.Pool, work: (client: pg.PoolClient) => Promise<void>): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query('begin');
    await work(client);
    await client.query('commit');
  } catch (error) {
    await client.query('rollback');
    throw error;
  } finally {
    client.release();
  }
}
