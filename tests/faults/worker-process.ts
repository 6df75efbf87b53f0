/**
 * A worker in a process of its own, to be hurt. Says "ready" on standard output, and
 * its metrics on SIGUSR1. The environment says what it is:
 *
 *   FAULT_HANDLER     what its job does (`handlers.ts`)
 *   FAULT_VERSIONS    the versions of the job that it knows, such as `1,2`; none when empty
 *   FAULT_SLOTS       packs at once
 *   FAULT_SAY_CLOCK   `yes` says what time it believes it is
 *   FAULT_SECONDLY    `yes` declares a schedule of every second
 */
import { flushCompileCache } from 'node:module';
import { openDatabase, type Tx } from '@ballast/db';
import { openTransport } from '@ballast/jobs/transport';
import { type RegisteredJob, startWorker } from '@ballast/jobs/work';
import { defineHandler, defineSchedule, type Log } from '@ballast/kernel';
import { openMail } from '@ballast/mail';
import { openMetrics } from '@ballast/observability/metrics';
import { retry } from '../../apps/api/src/retry.ts';
import { effect, handlers, laterEffect, type Services } from './handlers.ts';

const environment = process.env;

function jobs(): RegisteredJob<Services>[] {
  const run = handlers[environment.FAULT_HANDLER ?? 'plain'];
  if (!run) throw new Error(`No handler is called ${environment.FAULT_HANDLER}.`);
  const versions = (environment.FAULT_VERSIONS ?? '1,2').split(',');
  return [effect, laterEffect]
    .filter((job) => versions.includes(String(job.version)))
    .map((job) => {
      const handler = defineHandler<{ n: number }, Tx, Services>(job, run);
      return { job: job as never, load: async () => handler };
    });
}

const secondly = defineSchedule({ name: 'faults.secondly', job: effect, payload: { n: 0 }, cron: '* * * * * *' });

/** An error has nothing that JSON would tell by itself. */
const sayErrors = (_: string, value: unknown) => (value instanceof Error ? value.message : value);

async function main(): Promise<void> {
  const say = (level: string) => (fields: object, message: string) => {
    process.stderr.write(`${JSON.stringify({ level, message, ...fields }, sayErrors)}\n`);
  };
  const log: Log = { debug() {}, info: say('info'), warn: say('warn'), error: say('error') };
  const { APP_URL = '', DISPATCHER_URL = '', REDIS_QUEUE_URL, SMTP_URL, FAULT_SLOTS = '4' } = environment;
  const metrics = openMetrics({ service: 'worker', release: 'faults', modules: [] });
  process.on('SIGUSR1', () => void metrics.scrape().then((text) => process.stdout.write(text)));
  const transport = openTransport(
    REDIS_QUEUE_URL ? { redisUrl: REDIS_QUEUE_URL } : { postgresUrl: DISPATCHER_URL },
    log,
  );
  // As in apps/api/src/start-jobs.ts, for jobs that take seconds.
  const pool = { applicationName: 'fault-worker', connectTimeoutSeconds: 5 };
  const limits = { idleInTransactionTimeoutMs: 10_000, transactionTimeoutMs: 10_000 };
  const db = openDatabase({ ...pool, ...limits, url: APP_URL });
  const jobsDb = openDatabase({ ...pool, url: DISPATCHER_URL, transactionTimeoutMs: 60_000, answerTimeoutMs: 3_000 });
  // A crowd's mails wait for each other.
  const patient = { from: 'Faults <faults@example.com>', timeouts: { sendMs: 300_000 } };
  const open = () =>
    startWorker({
      ...{ db, jobsDb, transport, log },
      jobs: jobs(),
      schedules: environment.FAULT_SECONDLY === 'yes' ? [secondly] : [],
      services: { mail: SMTP_URL ? openMail({ ...patient, smtpUrl: SMTP_URL }) : null },
      queues: { default: Number(FAULT_SLOTS) },
      release: 'faults',
    });
  // As there, too: a store that answers late at the start is asked again, without an end.
  const worker = await retry(new AbortController().signal, log, open);
  process.once('SIGTERM', () => {
    void worker?.close({ graceMs: 5_000 }).then(() => process.exit(0));
  });
  if (environment.FAULT_SAY_CLOCK === 'yes') process.stdout.write(`clock ${Date.now()}\n`);
  // It will hardly come to an orderly end, at which Node keeps what it has compiled for the next one.
  flushCompileCache();
  process.stdout.write('ready\n');
}

await main();
