/**
 * Faults of the stores while workers run: rows 9, 10, 11, 13 and 20 of the fault
 * table. Committed jobs are done, once, and writes go on while Redis is away.
 */
import { withTenant } from '@ballast/db';
import { enqueueMany } from '@ballast/jobs/enqueue';
import { queueBackends } from '@ballast/test-kit/queue';
import { startStopwatch } from '@ballast/test-kit/stopwatch';
import { Redis } from 'ioredis';
import { describe, expect, test, vi } from 'vitest';
import { effect } from './handlers.ts';
import { chanceOf } from './seed.ts';
import { consumingWithinMs, goalMs, on, type Stage, someDone, untilMoreDone } from './stage.ts';

/** Long enough that jobs wait and run when the fault comes. */
const slow = { BALLAST_FAILPOINTS: 'run.started=pause:200' };

async function withRedis(stage: Stage, work: (redis: Redis) => Promise<unknown>): Promise<void> {
  const redis = new Redis(stage.queue.redis?.url ?? '');
  try {
    await work(redis);
  } finally {
    redis.disconnect();
  }
}

if (queueBackends.includes('redis')) {
  describe.concurrent('a queue’s Redis', { timeout: 5 * goalMs }, () => {
    for (const downMs of [3_000, 10_000, 60_000]) {
      test(`is away for ${downMs / 1_000} s while jobs wait and run; writes go on (row 10)`, () =>
        on('redis', async (stage) => {
          const chance = chanceOf(`row 10, ${downMs} ms on redis`);
          await stage.worker(slow);
          await stage.produce(20);
          await someDone(stage);
          await chance.moment(400);
          const restarted = stage.queue.redis?.restart(downMs);
          const watch = startStopwatch();
          await stage.produce(20);
          expect(watch.stop()).toBeLessThan(2_000);
          await restarted;
          expect(await untilMoreDone(stage)).toBeLessThan(consumingWithinMs);
          await vi.waitFor(async () => expect(await stage.states()).toEqual({ done: 40 }), { timeout: goalMs });
          const [effects] = await stage.db.sql`select count(*)::int as rows from effect`;
          expect(effects).toEqual({ rows: 40 });
        }));
    }

    test('hangs for thirty seconds; writes go on (row 11)', () =>
      on(
        'redis',
        async (stage) => {
          await stage.worker(slow);
          await stage.produce(10);
          await someDone(stage);
          await withRedis(stage, async (redis) => {
            await redis.ping();
            redis.call('DEBUG', 'SLEEP', '30').catch(() => {});
            await new Promise((resolve) => setTimeout(resolve, 200));
          });
          for (let n = 0; n < 5; n++) {
            const watch = startStopwatch();
            await stage.produce(2);
            expect(watch.stop()).toBeLessThan(2_000);
            await new Promise((resolve) => setTimeout(resolve, 4_000));
          }
          await vi.waitFor(async () => expect(await stage.states()).toEqual({ done: 20 }), { timeout: goalMs });
          const [effects] = await stage.db.sql`select count(*)::int as rows from effect`;
          expect(effects).toEqual({ rows: 20 });
        },
        ['--enable-debug-command', 'yes'],
      ));

    test('loses the keys of packs that wait and run (row 9)', () =>
      on('redis', async (stage) => {
        const chance = chanceOf('row 9 on redis');
        await stage.worker(slow);
        await stage.produce(100);
        await someDone(stage);
        await chance.moment(300);
        await withRedis(stage, async (redis) => {
          const packs = (await redis.keys('bull:default:*')).filter((key) => /:[0-9a-f-]{36}(:lock)?$/.test(key));
          expect(packs.length).toBeGreaterThan(0);
          await redis.del(packs);
        });
        await stage.allDoneOnce(100);
      }));

    test('has no memory left: the dispatcher backs off, and nothing is lost (row 13)', () =>
      on('redis', async (stage) => {
        let failedRounds = 0;
        await stage.worker({}, (said) => {
          failedRounds += said.split('dispatch failed').length - 1;
        });
        await withRedis(stage, (redis) => redis.config('SET', 'maxmemory', '1mb'));
        await stage.produce(30);
        await vi.waitFor(() => expect(failedRounds).toBeGreaterThan(0), { timeout: goalMs });
        await new Promise((resolve) => setTimeout(resolve, 3_000));
        const meanwhile = await stage.states();
        expect((meanwhile.pending ?? 0) + (meanwhile.dispatched ?? 0) + (meanwhile.done ?? 0)).toBe(30);
        expect(meanwhile.done ?? 0).toBeLessThan(30);
        // Its pauses double: 0.2, 0.4, 0.8, 1.6 s.
        expect(failedRounds).toBeLessThan(8);
        await withRedis(stage, (redis) => redis.config('SET', 'maxmemory', '0'));
        await stage.allDoneOnce(30);
      }));
  });
}

describe.concurrent.each(queueBackends)('Postgres, under workers on %s', { timeout: 5 * goalMs }, (backend) => {
  test('ends every session of theirs in the middle of their work (row 20)', () =>
    on(backend, async (stage) => {
      const chance = chanceOf(`row 20 on ${backend}`);
      await stage.worker(slow);
      await stage.produce(24);
      await someDone(stage);
      // Of a transaction that is ended before its commit there is no job, whatever it said before.
      const ended = withTenant(stage.db, '018f0000-0000-7000-8000-000000000001', async (tx) => {
        await enqueueMany(tx, effect, [{ payload: { n: 99 } }]);
        await stage.admin.sql`
          select pg_terminate_backend(pid) from pg_stat_activity
          where datname = current_database() and application_name = 'faults' and state = 'idle in transaction'`;
      });
      await expect(ended).rejects.toThrow();
      for (let strike = 0; strike < 3; strike++) {
        await vi.waitFor(
          async () => {
            const ended = await stage.admin.sql`
              select pg_terminate_backend(pid) from pg_stat_activity
              where datname = current_database() and application_name in ('fault-worker', 'ballast-transport')`;
            // After the strike before, none may stand again yet.
            expect(ended.length).toBeGreaterThan(0);
          },
          { timeout: goalMs, interval: 50 },
        );
        await chance.moment(500);
      }
      await stage.allDoneOnce(24);
    }));
});
