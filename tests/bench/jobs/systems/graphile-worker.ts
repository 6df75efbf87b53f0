import { Logger, run, runMigrations } from 'graphile-worker';
import pg from 'pg';
import { now, type System } from '../system.ts';
import { createEffectTable } from './effect-table.ts';
import { inTransaction } from './pg-boss.ts';

const task = 'bench';
const logger = new Logger(() => (level, message) => {
  if (level === 'error') process.stderr.write(`${message}\n`);
});

/** graphile-worker with the settings of its own published figures: https://worker.graphile.org/docs/performance */
export const graphileWorker: System = {
  name: 'graphile-worker',
  async prepare(place) {
    await createEffectTable(place);
    await runMigrations({ connectionString: place.adminUrl, logger });
  },
  async openProducer(place) {
    const pool = new pg.Pool({ connectionString: place.adminUrl, max: 16 });
    return {
      addBatch: (numbers) =>
        inTransaction(pool, async (client) => {
          const specs = numbers.map((n) => ({ identifier: task, payload: { n } }));
          await client.query({
            name: 'add-jobs',
            text: `select count(*) from graphile_worker.add_jobs(
                     array(select json_populate_recordset(null::graphile_worker.job_spec, $1::json)))`,
            values: [JSON.stringify(specs)],
          });
        }),
      async writeAndAdd(n) {
        await inTransaction(pool, async (client) => {
          await client.query({ name: 'effect', text: 'insert into effect (n) values ($1)', values: [n] });
          await client.query({
            name: 'add-job',
            text: 'select id from graphile_worker.add_job($1, $2::json)',
            values: [task, JSON.stringify({ n })],
          });
        });
        return now();
      },
      close: () => pool.end(),
    };
  },
  async openWorker(place, { work, handled }) {
    const runner = await run({
      taskList: {
        async [task](payload, { withPgClient }) {
          const { n } = payload as { n: number };
          if (work === 'transaction') {
            await withPgClient((client) =>
              client.query({ name: 'effect', text: 'insert into effect (n) values ($1)', values: [n] }),
            );
          }
          handled(n);
        },
      },
      noHandleSignals: true,
      logger,
      preset: {
        worker: {
          connectionString: place.adminUrl,
          concurrentJobs: 24,
          maxPoolSize: 25,
          localQueue: { size: 500 },
          completeJobBatchDelay: 0,
          failJobBatchDelay: 0,
        },
      },
    });
    const pool = new pg.Pool({ connectionString: place.adminUrl, max: 1 });
    return {
      async remaining() {
        const { rows } = await pool.query<{ jobs: number }>(
          'select count(*)::int as jobs from graphile_worker._private_jobs',
        );
        return rows[0]?.jobs ?? 0;
      },
      async close() {
        await runner.stop();
        await pool.end();
      },
    };
  },
};
