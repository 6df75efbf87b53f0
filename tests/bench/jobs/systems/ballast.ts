import { openDatabase, withTenant } from '@ballast/db';
import { enqueue, enqueueMany } from '@ballast/jobs/enqueue';
import { openTransport } from '@ballast/jobs/transport';
import { type RegisteredJob, startWorker } from '@ballast/jobs/work';
import { type BatchHandler, defineJob, type JobHandler, type Log, type ScheduleDefinition } from '@ballast/kernel';
import { z } from 'zod';
import { jobs } from '../../../../apps/api/src/generated/jobs.ts';
import { schedules } from '../../../../apps/api/src/generated/schedules.ts';
import { now, type Place, type System } from '../system.ts';
import { createEffectTable, tenant, writeEffect } from './effect-table.ts';

const payload = z.strictObject({ n: z.int() });
const single = defineJob({ name: 'bench.job', payload });
const batched = defineJob({ name: 'bench.batch', payload, batch: 100 });

function system(
  name: string,
  transportOf: (place: Place) => Parameters<typeof openTransport>[0],
  modules: { jobs: readonly RegisteredJob<never>[]; schedules: readonly ScheduleDefinition[] } = {
    jobs: [],
    schedules: [],
  },
  job = single,
): System {
  return {
    name,
    prepare: createEffectTable,
    async openProducer(place) {
      const db = openDatabase({ url: place.appUrl, applicationName: 'bench-producer', maxConnections: 16 });
      return {
        addBatch: (numbers) =>
          withTenant(db, tenant, async (tx) => {
            await enqueueMany(
              tx,
              job,
              numbers.map((n) => ({ payload: { n } })),
            );
          }),
        async writeAndAdd(n) {
          await withTenant(db, tenant, async (tx) => {
            await Promise.all([writeEffect(tx, n), enqueue(tx, job, { n })]);
          });
          return now();
        },
        close: () => db.close(),
      };
    },
    async openWorker(place, { work, slots, handled, completed }) {
      const db = openDatabase({ url: place.appUrl, applicationName: 'bench-worker', maxConnections: 16 });
      const jobsDb = openDatabase({ url: place.dispatcherUrl, applicationName: 'bench-worker', steadyPlans: true });
      const ran: number[] = [];
      const handler: JobHandler['run'] = async ({ payload, ctx }) => {
        const { n } = payload as { n: number };
        if (work === 'transaction') {
          await ctx.transaction((tx) => writeEffect(tx as never, n));
          completed(n);
        } else ran.push(n);
        handled(n);
      };
      const runBatch: BatchHandler['runBatch'] = async ({ items }) => {
        for (const { payload } of items) {
          ran.push((payload as { n: number }).n);
          handled((payload as { n: number }).n);
        }
      };
      const transport = openTransport(transportOf(place), log);
      const worker = await startWorker({
        db,
        jobsDb,
        transport,
        jobs: [
          { job: job as JobHandler['job'], load: async () => ({ job, run: handler, runBatch }) as never },
          ...(modules.jobs as readonly RegisteredJob<null>[]),
        ],
        schedules: modules.schedules,
        services: null,
        queues: { default: slots },
        log,
        release: 'bench',
        observe: {
          dispatched() {},
          started() {},
          repaired() {},
          // Told once the outcome is committed. Outcomes are committed in the order in which handlers end.
          ended() {
            const n = ran.shift();
            if (n !== undefined) completed(n);
          },
        },
      });
      return {
        async remaining() {
          const [row] = await jobsDb.sql<{ jobs: number }[]>`
            select count(*)::int as jobs from jobs.job where state = 'open'`;
          return row?.jobs ?? 0;
        },
        async close() {
          await worker.close({ graceMs: 1_000 });
          await transport.close();
          await Promise.all([db.close(), jobsDb.close()]);
        },
      };
    },
  };
}

const say = (fields: object, message: string) => process.stderr.write(`${message} ${JSON.stringify(fields)}\n`);
/** Warnings are for the person who runs the bench. */
const log: Log = { debug() {}, info() {}, warn: say, error: say };

export const ballast = system('ballast', (place) => ({ redisUrl: place.redisUrl }));
/** A hundred jobs in one call of their handler. */
export const ballastBatch = system('ballast-batch', (place) => ({ redisUrl: place.redisUrl }), undefined, batched);
/** With the jobs and schedules of the default modules besides: what an application's worker is. */
export const ballastModules = system('ballast-modules', (place) => ({ redisUrl: place.redisUrl }), {
  jobs,
  schedules,
});
export const ballastEmbedded = system('ballast-embedded', (place) => ({ postgresUrl: place.dispatcherUrl }));
