/**
 * A process of the soak, to be killed: a worker with everything that a worker has, or a
 * dispatcher alone. Tells its parent that it is ready and which jobs began.
 */
import { flushCompileCache } from 'node:module';
import { openDatabase } from '@ballast/db';
import { startDispatcher } from '@ballast/jobs/dispatch';
import { openTransport } from '@ballast/jobs/transport';
import { type RegisteredJob, startWorker } from '@ballast/jobs/work';
import type { Log } from '@ballast/kernel';
import { retry } from '../../apps/api/src/retry.ts';
import { handlerOf, type Services } from './handlers.ts';
import { jobs, type Kind } from './kinds.ts';

export type Role = 'worker' | 'dispatcher' | 'elder';

/** What a process is given, as JSON in `SOAK_ASSIGNMENT`. */
export interface Assignment {
  role: Role;
  /** What its sessions in Postgres are called. */
  name: string;
  appUrl: string;
  dispatcherUrl: string;
  redisUrl: string | null;
  httpUrl: string;
  smtpUrl: string;
}

/** What it tells. */
export type Told = { ready: string } | { started: string[] } | { thawed: true };

/** What a worker is told: to stop itself at the beginning of its next job, or not to do so any more. */
export type Order = 'freeze' | 'thaw';

/** The elder is never killed, so nothing that kills may reach it: it knows as much as a worker of an older release. */
const unknownToElder: readonly Kind[] = ['poison', 'risky'];

const compiledAfterMs = 15_000;
/** Whoever has found no Postgres by then is at fault itself. */
const startWithinMs = 60_000;

/** It lives for seconds: connections that it opens cost more than those that it waits for. */
const few = { maxConnections: 3 };

async function main({ role, name, ...urls }: Assignment): Promise<void> {
  const log = openLog();
  const transport = openTransport(
    urls.redisUrl ? { redisUrl: urls.redisUrl } : { postgresUrl: urls.dispatcherUrl },
    log,
  );
  const jobsDb = openDatabase({ ...few, applicationName: name, url: urls.dispatcherUrl });
  process.once('disconnect', () => process.exit(0));
  if (role === 'dispatcher') {
    const dispatcher = startDispatcher({ db: jobsDb, transport, log });
    process.once('SIGTERM', () => void dispatcher.close().then(() => process.exit(0)));
    return tell({ ready: '' });
  }
  const kinds = (Object.keys(jobs) as Kind[]).filter((kind) => role === 'worker' || !unknownToElder.includes(kind));
  const db = openDatabase({ ...few, applicationName: name, url: urls.appUrl, idleInTransactionTimeoutMs: 10_000 });
  const services = openServices(urls);
  // As in production: a start that finds no Postgres, or loses its session there, is tried again.
  const worker = await retry(AbortSignal.timeout(startWithinMs), log, () =>
    startWorker<Services>({
      db,
      jobsDb,
      transport,
      // A registry holds jobs of any payload; the type of each of these is narrower.
      jobs: kinds.map(
        (kind) => ({ job: jobs[kind], load: async () => handlerOf(kind) }) as unknown as RegisteredJob<Services>,
      ),
      services,
      queues: { default: 6, bulk: 2 },
      log,
      release: role,
    }),
  );
  if (!worker) throw new Error(`It did not start within ${startWithinMs} ms.`);
  process.once('SIGTERM', () => void worker.close({ graceMs: 8_000 }).then(() => process.exit(0)));
  tell({ ready: worker.processId });
  // A process that is killed leaves no compiled code behind for the next: the one that lives does.
  if (role === 'elder') setTimeout(flushCompileCache, compiledAfterMs).unref();
}

function openServices({ httpUrl, smtpUrl }: Pick<Assignment, 'httpUrl' | 'smtpUrl'>): Services {
  let beginning: string[] = [];
  let freezes = false;
  process.on('message', (order: Order) => {
    freezes = order === 'freeze';
    if (order === 'thaw') tell({ thawed: true });
  });
  const mail = once(async () => {
    const { messageIdOf, openMail } = await import('@ballast/mail');
    return { messageIdOf, pool: openMail({ smtpUrl, from: 'Soak <soak@example.com>', maxConnections: 2 }) };
  });
  return {
    started(jobIds) {
      if (freezes) {
        freezes = false;
        process.kill(process.pid, 'SIGSTOP');
      }
      if (beginning.length === 0) {
        setImmediate(() => {
          tell({ started: beginning });
          beginning = [];
        });
      }
      beginning.push(...jobIds);
    },
    async post(kind, n, jobId) {
      const response = await fetch(`${httpUrl}/${kind}/${n}`, {
        method: 'POST',
        headers: { 'idempotency-key': jobId },
        signal: AbortSignal.timeout(15_000),
      });
      await response.body?.cancel();
      if (!response.ok) throw new Error(`The sink said ${response.status}.`);
    },
    async mail(n, jobId) {
      const { messageIdOf, pool } = await mail();
      await pool.send({
        messageId: messageIdOf(jobId, 'soak.example.com'),
        to: `n${n}@sink.example.com`,
        subject: `number ${n}`,
        html: '<p>soak</p>',
        text: 'soak',
      });
    },
  };
}

function once<Result>(open: () => Promise<Result>): () => Promise<Result> {
  let opened: Promise<Result> | null = null;
  return () => {
    opened ??= open();
    return opened;
  };
}

function openLog(): Log {
  const say = (level: string) => (fields: object, message: string) => {
    // An error has nothing that JSON would tell by itself.
    const sayErrors = (_: string, value: unknown) => (value instanceof Error ? value.message : value);
    process.stderr.write(`${JSON.stringify({ at: new Date().toISOString(), level, message, ...fields }, sayErrors)}\n`);
  };
  return { debug() {}, info() {}, warn: say('warn'), error: say('error') };
}

function tell(told: Told): void {
  if (process.connected) process.send?.(told, undefined, undefined, () => {});
}

if (import.meta.main) await main(JSON.parse(process.env.SOAK_ASSIGNMENT ?? '') as Assignment);
