/**
 * A worker whose handler holds its slot for a random time (exponential, `SLEEP_MS` on average) and uses no processor:
 * what a call to another system does. Tells each run's wait over IPC.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { openDatabase } from '@ballast/db';
import { openTransport } from '@ballast/jobs/transport';
import { startWorker } from '@ballast/jobs/work';
import { defineHandler, defineJob, type Log } from '@ballast/kernel';
import { z } from 'zod';

export const nap = defineJob({ name: 'bench.nap', payload: z.strictObject({}) });

async function main(): Promise<void> {
  const { APP_URL = '', DISPATCHER_URL = '', REDIS_URL = '', SLEEP_MS = '50', SLOTS = '4' } = process.env;
  const say = (fields: object, message: string) => process.stderr.write(`${message} ${JSON.stringify(fields)}\n`);
  const log: Log = { debug() {}, info() {}, warn: say, error: say };
  const handler = defineHandler(nap, () => sleep(-Math.log(1 - Math.random()) * Number(SLEEP_MS)));
  await startWorker({
    db: openDatabase({ url: APP_URL, applicationName: 'bench-sleeper' }),
    jobsDb: openDatabase({ url: DISPATCHER_URL, applicationName: 'bench-sleeper' }),
    transport: openTransport({ redisUrl: REDIS_URL }, log),
    jobs: [{ job: nap as never, load: async () => handler as never }],
    services: null,
    queues: { default: Number(SLOTS) },
    log,
    release: 'bench',
    observe: {
      dispatched() {},
      started: (_job, { waitMs }) => process.send?.(waitMs),
      ended() {},
      repaired() {},
    },
  });
  process.send?.('ready');
}

if (import.meta.main) await main();
