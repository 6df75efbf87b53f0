/**
 * Row 50 of the fault table: the database is restored to an older point while Redis and a
 * worker live on, and are ahead of it.
 */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { withTenant } from '@ballast/db';
import { misplacedJobs } from '@ballast/jobs/control';
import { enqueueMany } from '@ballast/jobs/enqueue';
import { openTransport } from '@ballast/jobs/transport';
import { onServer } from '@ballast/test-kit/database';
import { openPatiently } from '@ballast/test-kit/pools';
import { silentLog } from '@ballast/test-kit/queue';
import { startRedis, type TestRedis } from '@ballast/test-kit/redis';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { mailing } from './mailing-process.ts';
import { type BackupStage, openBackupStage } from './stage.ts';

const tenant = '018f0000-0000-7000-8000-000000000001';

let stage: BackupStage;
let redis: TestRedis;
beforeAll(async () => {
  [stage, redis] = await Promise.all([openBackupStage(), startRedis()]);
});
afterAll(async () => {
  await stage.close();
  await redis.stop();
});

const mailbox = () => join(stage.folder, 'mailbox');
/** While it is there, no job that has begun comes to its end. */
const hold = () => `${mailbox()}.hold`;
/** Every mail that ever left, as "id n". */
const mails = () => (existsSync(mailbox()) ? readFileSync(mailbox(), 'utf8').trimEnd().split('\n') : []);

async function produce(from: number, count: number): Promise<void> {
  const db = openPatiently({ url: stage.appUrl, maxConnections: 1 });
  const items = Array.from({ length: count }, (_, at) => ({ payload: { n: from + at } }));
  try {
    await withTenant(db, tenant, (tx) => enqueueMany(tx, mailing, items));
  } finally {
    await db.close();
  }
}

const states = () =>
  onServer(stage.dispatcherUrl, async (sql) => {
    const rows = await sql<{ state: string; jobs: number }[]>`
      select state, count(*)::int as jobs from jobs.status group by state`;
    return Object.fromEntries(rows.map((row) => [row.state, row.jobs]));
  });
const untilStates = (wanted: object) =>
  vi.waitFor(async () => expect(await states()).toEqual(wanted), { timeout: 120_000, interval: 200 });

function startWorkerProcess() {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'mailing-process.ts')], {
    env: {
      ...process.env,
      APP_URL: stage.appUrl,
      DISPATCHER_URL: stage.dispatcherUrl,
      REDIS_QUEUE_URL: redis.url,
      MAILBOX: mailbox(),
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return { child, ready: new Promise<void>((resolve) => child.stdout.once('data', () => resolve())) };
}

describe('a database that was restored to an older point, under a live Redis and a live worker', () => {
  it('has its jobs held, discards what the queue knows beyond, and repeats no mail until it is told to', async () => {
    const service = stage.serve({ BACKUP_DRILL_EVERY_HOURS: '1000' });
    const { child: worker, ready } = startWorkerProcess();
    try {
      await ready;
      await vi.waitFor(
        async () => {
          const [row] = await onServer(stage.appUrl, (sql) => sql`select backup from ballast.backup_state`);
          expect(row?.backup).toBeTruthy();
        },
        { timeout: 600_000, interval: 500 },
      );
      await produce(0, 4);
      await untilStates({ done: 4 });

      // The moment: five jobs are open, some of them in the worker's hands, which keeps them until we have looked.
      writeFileSync(hold(), '');
      await produce(10, 5);
      await vi.waitFor(async () => expect((await states()).dispatched).toBeGreaterThan(0), {
        timeout: 60_000,
        interval: 20,
      });
      const [at] = await onServer(
        stage.appUrl,
        (sql) =>
          sql<
            { now: string }[]
          >`select to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.USZ') as now`,
      );
      const then = await states();
      rmSync(hold());
      // What the restored database will not know: that they were done, and that there were others.
      await untilStates({ done: 9 });
      await stage.walSaved();
      await produce(20, 12);
      await vi.waitFor(() => expect(mails().length).toBeGreaterThanOrEqual(11), { timeout: 120_000, interval: 20 });
      await stage.stopPostgres('SIGKILL');

      const restored = await stage.ballast(['restore', '--to', at?.now ?? '', '--json']);
      expect(restored.code, restored.err).toBe(0);
      const { held } = JSON.parse(restored.out) as { held: { jobs: number; handedOut: number } };
      expect(held.jobs).toBe(9 - (then.done ?? 0));
      expect(held.handedOut).toBeGreaterThan(0);
      // Those under way when Postgres went away have left by now.
      const before = mails();
      expect(before.filter((mail) => / 1\d$/.test(mail))).toHaveLength(5);

      await stage.startPostgres();
      await produce(100, 3);
      await vi.waitFor(async () => expect((await states()).done).toBe((then.done ?? 0) + 3), {
        timeout: 120_000,
        interval: 200,
      });
      // Packs of jobs that nobody knows any more are gone from Redis.
      const transport = openTransport({ redisUrl: redis.url }, silentLog);
      await vi.waitFor(async () => expect(await transport.inFlight('default')).toBe(0), {
        timeout: 120_000,
        interval: 200,
      });
      // Long enough for two sweeps: they return nothing either.
      await new Promise((resolve) => setTimeout(resolve, 12_000));
      expect(await transport.inFlight('default')).toBe(0);
      await transport.close();
      expect(await states()).toEqual({ done: (then.done ?? 0) + 3, held: held.jobs });
      const since = mails().slice(before.length);
      expect(since.map((mail) => mail.split(' ')[1]).sort()).toEqual(['100', '101', '102']);

      // Now somebody has looked, and says so.
      const released = await stage.ballast(['jobs', 'release', '--all', '--json'], {
        DATABASE_DISPATCHER_URL: stage.dispatcherUrl,
      });
      expect(JSON.parse(released.out)).toMatchObject({ released: held.jobs });
      await untilStates({ done: (then.done ?? 0) + 3 + held.jobs });
      const again = mails().slice(before.length + 3);
      expect(again).toHaveLength(held.jobs);
      // The same ids: whoever gets a mail a second time can tell.
      for (const mail of again) expect(before).toContain(mail);
      await onServer(stage.dispatcherUrl, async (sql) => expect(await misplacedJobs({ sql })).toEqual([]));
    } finally {
      worker.kill('SIGKILL');
      service.kill('SIGKILL');
    }
  });
});
