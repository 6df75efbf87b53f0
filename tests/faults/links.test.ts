/**
 * Links that lie: row 12 of the fault table, half-open connections to Redis and to
 * Postgres, and announcements of Postgres that never arrive. A proxy of the tests
 * stands between the worker and its stores, so no rights of root are needed.
 */
import { queueBackends } from '@ballast/test-kit/queue';
import { openTcpProxy } from '@ballast/test-kit/tcp-proxy';
import { describe, expect, test, vi } from 'vitest';
import { goalMs, on, type Stage, someDone } from './stage.ts';

/** Long enough that jobs wait and run when the fault comes. */
const slow = { BALLAST_FAILPOINTS: 'run.started=pause:200' };

/** Milliseconds until more jobs are done than there are now and `grace` could end that were under way. */
async function untilMoreDone(stage: Stage, grace: number): Promise<number> {
  const since = performance.now();
  const before = (await stage.states()).done ?? 0;
  await vi.waitFor(async () => expect((await stage.states()).done).toBeGreaterThan(before + grace), {
    timeout: goalMs,
    interval: 100,
  });
  return performance.now() - since;
}

/** While `losing`, passes everything on but what Postgres announces. */
function withoutNotifications(losing: () => boolean): (data: Buffer) => Buffer {
  let rest: Buffer = Buffer.alloc(0);
  return (data) => {
    rest = Buffer.concat([rest, data]);
    const kept: Buffer[] = [];
    while (rest.length >= 5) {
      const length = rest.readUInt32BE(1) + 1;
      if (rest.length < length) break;
      if (rest[0] !== 'A'.charCodeAt(0) || !losing()) kept.push(rest.subarray(0, length));
      rest = rest.subarray(length);
    }
    return Buffer.concat(kept);
  };
}

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
      process.stdout.write(`on ${backend}, half-open links to Postgres: ${ms.toFixed(0)} ms\n`);
      expect(ms).toBeLessThan(10_000);
      await stage.allDoneOnce(60);
      await Promise.all([app.close(), dispatcher.close()]);
    }));

  test('starts a job within two seconds though every announcement is lost', () =>
    on(backend, async (stage) => {
      let losing = false;
      const app = await openTcpProxy(stage.database.appUrl, () => withoutNotifications(() => losing));
      const dispatcher = await openTcpProxy(stage.database.dispatcherUrl, () => withoutNotifications(() => losing));
      await stage.worker({ APP_URL: app.url, DISPATCHER_URL: dispatcher.url });
      let jobs = 0;
      /**
       * The middle one of five waits, each at another moment of the poll. A busy machine delays
       * one or another; a poll that comes too late delays all, since nothing else starts them.
       */
      const usualWait = async () => {
        const ids: string[] = [];
        for (let n = 0; n < 5; n++) {
          ids.push(...(await stage.produce(1, { from: jobs })));
          jobs += 1;
          await someDone(stage, jobs);
          await new Promise((resolve) => setTimeout(resolve, 150 * n));
        }
        const [row] = await stage.jobsDb.sql<{ ms: number }[]>`
          select percentile_cont(0.5) within group (order by extract(epoch from started_at - run_at) * 1000)::float8 as ms
          from jobs.job where id = any(${ids}::uuid[])`;
        return row?.ms ?? Number.NaN;
      };
      // What a start takes on this machine at this moment, with nothing lost.
      const announced = await usualWait();
      losing = true;
      const lost = await usualWait();
      process.stdout.write(`on ${backend}, announced: ${announced.toFixed(0)} ms, lost: ${lost.toFixed(0)} ms\n`);
      expect(lost).toBeLessThan(2_000 + announced);
      // Had they been announced, none would have waited for a poll.
      expect(lost).toBeGreaterThan(100);
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
      // Goal E: consuming again within fifteen seconds.
      expect(await untilMoreDone(stage, 8)).toBeLessThan(15_000);
      await stage.allDoneOnce(60);
      await proxy.close();
    }));
});
