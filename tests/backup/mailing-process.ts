/**
 * A worker in a process of its own whose one job does something outside of the database:
 * it writes a line with its id into a file, as a mail is sent, and says so in its own time. While a file of that name
 * with `.hold` behind it is there, it says nothing.
 */
import { appendFileSync, existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { openDatabase, type Tx } from '@ballast/db';
import { openTransport } from '@ballast/jobs/transport';
import { startWorker } from '@ballast/jobs/work';
import { defineHandler, defineJob, type Log } from '@ballast/kernel';
import { z } from 'zod';

export const mailing = defineJob({
  name: 'backup.mail',
  payload: z.strictObject({ n: z.int() }),
  attempts: 3,
  backoff: { firstMs: 100, maxMs: 100 },
});

const handler = defineHandler<{ n: number }, Tx, null>(mailing, async ({ payload, ctx }) => {
  const { MAILBOX = '' } = process.env;
  appendFileSync(MAILBOX, `${ctx.jobId} ${payload.n}\n`);
  while (existsSync(`${MAILBOX}.hold`)) await sleep(20);
  await sleep(700);
});

async function main(): Promise<void> {
  const say = (level: string) => (fields: object, message: string) => {
    process.stderr.write(`${JSON.stringify({ level, message, ...fields })}\n`);
  };
  const log: Log = { debug() {}, info: say('info'), warn: say('warn'), error: say('error') };
  const { APP_URL = '', DISPATCHER_URL = '', REDIS_QUEUE_URL = '' } = process.env;
  await startWorker({
    db: openDatabase({ url: APP_URL, applicationName: 'backup-worker' }),
    jobsDb: openDatabase({ url: DISPATCHER_URL, applicationName: 'backup-worker' }),
    transport: openTransport({ redisUrl: REDIS_QUEUE_URL }, log),
    jobs: [{ job: mailing as never, load: async () => handler }],
    services: null,
    queues: { default: 2 },
    log,
    release: 'backup',
  });
  process.stdout.write('ready\n');
}

if (import.meta.main) await main();
