/**
 * Links that lie: row 12 of the fault table, half-open connections to Redis and to
 * Postgres, and announcements of Postgres that never arrive. A proxy of the tests
 * stands between the worker and its stores, so no rights of root are needed.
 */
import { queueBackends } from '@ballast/test-kit/queue';
import { openTcpProxy } from '@ballast/test-kit/tcp-proxy';
import { describe, expect, test, vi } from 'vitest';
import { consumingWithinMs, goalMs, on, type Stage, someDone, untilMoreDone } from './stage.ts';

/** Long enough that jobs wait and run when the fault comes. */
const slow = { BALLAST_FAILPOINTS: 'run.started=pause:200' };

/** Passes everything on but what Postgres announces, when `lose` says so: it is asked for each announcement. */
function withoutNotifications(lose: () => boolean): (data: Buffer) => Buffer {
  let rest: Buffer = Buffer.alloc(0);
  return (data) => {
    rest = Buffer.concat([rest, data]);
    const kept: Buffer[] = [];
    while (rest.length >= 5) {
      const length = rest.readUInt32BE(1) + 1;
      if (rest.length < length) break;
      if (rest[0] !== 'A'.charCodeAt(0) || !lose()) kept.push(rest.subarray(0, length));
      rest = rest.subarray(length);
    }
    return Buffer.concat(kept);
  };
}

/** Resolves when a session of the worker waits for announcements. */
const isListening = ({ admin }: Stage) =>
  vi.waitFor(
    async () =>
      expect(
        await admin.sql`
          select 1 from pg_stat_activity
          where datname = current_database() and application_name = 'fault-worker' and query ilike 'listen%'`,
      ).toHaveLength(1),
    { timeout: goalMs, interval: 100 },
  );

describe.concurrent.each(queueBackends)('a worker on %s', { timeout: 5 * goalMs }, (backend) => {
  test('goes on when its links to Postgres forget their other end (row 12)', () =>
    on(backend, async (stage) => {
      const app = await openTcpProxy(stage.database.appUrl);
      const dispatcher = await openTcpProxy(stage.database.dispatcherUrl);
      await stage.worker({ ...slow, APP_URL: app.url, DISPATCHER_URL: dispatcher.url });
      await stage.produce(60);
      await someDone(stage, 4);
      expect(app.forget() + dispatcher.forget()).toBeGreaterThan(4);
      // Goal E. The dispatcher's patience is three seconds, and a begin’s; what was in the middle of a transaction takes longer.
      const ms = await untilMoreDone(stage, 8);
      process.stdout.write(`on ${backend}, half-open links to Postgres: ${ms} ms\n`);
      expect(ms).toBeLessThan(10_000);
      await stage.allDoneOnce(60);
      await Promise.all([app.close(), dispatcher.close()]);
    }));

  test('starts each job within two seconds though every announcement is lost', () =>
    on(backend, async (stage) => {
      let losing = false;
      let lost = 0;
      const lose = () => {
        if (losing) lost += 1;
        return losing;
      };
      const app = await openTcpProxy(stage.database.appUrl, () => withoutNotifications(lose));
      const dispatcher = await openTcpProxy(stage.database.dispatcherUrl, () => withoutNotifications(lose));
      await stage.worker({ APP_URL: app.url, DISPATCHER_URL: dispatcher.url });
      let jobs = 0;
      const wait = async () => {
        const ids = await stage.produce(1, { from: jobs });
        jobs += 1;
        await someDone(stage, jobs);
        const [row] = await stage.jobsDb.sql<{ ms: number }[]>`
          select (extract(epoch from started_at - run_at) * 1000)::float8 as ms from jobs.job where id = any(${ids}::uuid[])`;
        return row?.ms ?? Number.NaN;
      };
      const waits = { announced: [] as number[], lost: [] as number[] };
      // What a start takes on this machine in these moments, with nothing lost, is the machine's.
      const isInTime = (ms: number) => ms < 2_000 + Math.max(...waits.announced);
      await isListening(stage);
      for (let n = 0; n < 6; n++) {
        losing = false;
        waits.announced.push(await wait());
        losing = true;
        const before = lost;
        let waited = await wait();
        // It was announced, and nobody heard it.
        expect(lost).toBeGreaterThan(before);
        // A poll that is late by itself is late each time; a machine that stood still was so once.
        for (let again = 0; again < 2 && !isInTime(waited); again++) waited = Math.min(waited, await wait());
        waits.lost.push(waited);
        // The next one at another moment of the poll.
        await new Promise((resolve) => setTimeout(resolve, 150 * n));
      }
      process.stdout.write(`on ${backend}, announced and lost: ${JSON.stringify(waits)} ms\n`);
      expect(waits.lost.filter((ms) => !isInTime(ms))).toEqual([]);
      await stage.allDoneOnce(jobs);
      await Promise.all([app.close(), dispatcher.close()]);
    }));

  if (backend !== 'redis') return;

  test('goes on when its links to Redis forget their other end (row 12)', () =>
    on(backend, async (stage) => {
      const proxy = await openTcpProxy(stage.queue.redis?.url ?? '');
      await stage.worker({ ...slow, REDIS_QUEUE_URL: proxy.url });
      await stage.produce(60);
      await someDone(stage, 4);
      expect(proxy.forget()).toBeGreaterThan(1);
      expect(await untilMoreDone(stage, 8)).toBeLessThan(consumingWithinMs);
      await stage.allDoneOnce(60);
      await proxy.close();
    }));
});
