/**
 * A worker in a process of its own, to be killed. Its one job writes one row in its
 * transaction; `FAULT_HANDLER` changes how. Says "ready" on standard output.
 */
import { openDatabase, sqlOf, type Tx } from '@ballast/db';
import { openTransport } from '@ballast/jobs/transport';
import { startWorker } from '@ballast/jobs/work';
import { defineHandler, defineJob, type Log } from '@ballast/kernel';
import { z } from 'zod';

export const effect = defineJob({
  name: 'faults.effect',
  payload: z.strictObject({ n: z.int() }),
  attempts: 3,
  backoff: { firstMs: 100, maxMs: 100 },
  timeoutMs: 120_000,
});

const handler = defineHandler<{ n: number }, Tx, null>(effect, async ({ payload, ctx }) => {
  const kind = process.env.FAULT_HANDLER;
  if (kind === 'poison' && payload.n === 0) process.exit(13);
  // Frozen here: before its transaction, or inside it.
  if (kind === 'freeze-outside') await freeze();
  await ctx.transaction(async (tx) => {
    await sqlOf(tx)`insert into effect (n) values (${payload.n})`;
    if (kind === 'freeze-inside') await freeze();
  });
});

async function freeze(): Promise<void> {
  process.stdout.write('frozen\n');
  process.kill(process.pid, 'SIGSTOP');
  // The signal arrives a moment later.
  await new Promise((resolve) => setTimeout(resolve, 50));
}

async function main(): Promise<void> {
  const say = (level: string) => (fields: object, message: string) => {
    process.stderr.write(`${JSON.stringify({ level, message, ...fields })}\n`);
  };
  const log: Log = { debug() {}, info: say('info'), warn: say('warn'), error: say('error') };
  const { APP_URL = '', DISPATCHER_URL = '', REDIS_QUEUE_URL } = process.env;
  const transport = openTransport(
    REDIS_QUEUE_URL ? { redisUrl: REDIS_QUEUE_URL } : { postgresUrl: DISPATCHER_URL },
    log,
  );
  const worker = await startWorker({
    db: openDatabase({ url: APP_URL, applicationName: 'fault-worker', idleInTransactionTimeoutMs: 10_000 }),
    jobsDb: openDatabase({ url: DISPATCHER_URL, applicationName: 'fault-worker' }),
    transport,
    jobs: [{ job: effect as never, load: async () => handler }],
    services: null,
    queues: { default: 4 },
    log,
    release: 'faults',
  });
  process.once('SIGTERM', () => {
    void worker.close({ graceMs: 5_000 }).then(() => process.exit(0));
  });
  process.stdout.write('ready\n');
}

if (import.meta.main) await main();
