/**
 * Kills, freezes and wipes, with real processes: rows 1, 2, 4, 6, 8 and 30 of the
 * fault table. What must hold is looked at from outside the process that was hurt.
 */
import { queueBackends } from '@ballast/test-kit/queue';
import { Redis } from 'ioredis';
import { test as base, describe, expect, vi } from 'vitest';
import { effect } from './handlers.ts';
import { chanceOf } from './seed.ts';
import { exited, goalMs, openStage, type Stage, saying, supervised } from './stage.ts';

describe.concurrent.each(queueBackends)('workers on %s', { timeout: 3 * goalMs }, (backend) => {
  const it = base.extend<{ stage: Stage }>({
    // biome-ignore lint/correctness/noEmptyPattern: vitest reads a fixture's needs from this pattern
    stage: async ({}, use) => {
      const stage = await openStage(backend);
      await use(stage);
      await stage.close();
    },
  });

  for (const [moment, failpoint] of [
    ['before the effect (row 1)', 'run.started=kill'],
    ['inside the transaction (row 1)', 'run.before-commit=kill'],
    ['after the effect’s commit, before the queue’s ack (row 2)', 'run.committed=kill'],
    ['between mark and add (row 6)', 'dispatch.marked=kill'],
  ] as const) {
    it(`survive a kill ${moment}`, async ({ stage }) => {
      const victim = await stage.worker({ BALLAST_FAILPOINTS: failpoint });
      await stage.produce(12);
      await exited(victim);
      await stage.worker();
      await stage.allDoneOnce(12);
    });
  }

  for (const [where, words] of [
    ['outside', 'outside the transaction'],
    ['inside', 'inside the transaction'],
    ['within-a-statement', 'within a statement of the transaction'],
  ] as const) {
    it(`survive a freeze past the lock, ${words}, and a wake (row 4)`, async ({ stage }) => {
      const victim = await stage.worker({ FAULT_HANDLER: `freeze-${where}` });
      const frozen = saying(victim, 'frozen');
      await stage.produce(12);
      await frozen;
      await stage.worker();
      await stage.allDoneOnce(12);
      victim.kill('SIGCONT');
      // What the woken one still holds must roll back: give it the time to try.
      await new Promise((resolve) => setTimeout(resolve, 2_000));
      await stage.allDoneOnce(12);
    });
  }

  it('bury a poison job after its attempts, and finish its neighbours (row 30)', { timeout: 4 * goalMs }, async ({
    stage,
  }) => {
    await supervised(stage, { FAULT_HANDLER: 'poison' });
    await stage.produce(6);
    const states = async () => expect(await stage.states()).toEqual({ done: 5, dead: 1 });
    await vi.waitFor(states, { timeout: 3 * goalMs, interval: 200 });
    const dead = await stage.jobsDb.sql`select attempt from jobs.status where state = 'dead'`;
    expect(dead).toEqual([{ attempt: effect.attempts }]);
  });

  if (backend === 'redis')
    it('finish what waited and ran in a queue that was wiped (row 8)', async ({ stage }) => {
      await stage.produce(40);
      await stage.worker({ BALLAST_FAILPOINTS: 'run.started=pause:300' });
      await chanceOf('row 8 on redis').moment(600);
      const redis = new Redis(stage.queue.redis?.url ?? '');
      await redis.flushall();
      const wipedAt = performance.now();
      const [{ at } = {}] = await stage.jobsDb.sql<{ at: string }[]>`select clock_timestamp()::text as at`;
      // Goal E: within thirty seconds the new store is known, and nothing waits any more in a pack that only the old one had.
      const again = async () => {
        const [row] = await stage.jobsDb.sql<{ value: string }[]>`select value from jobs.epoch`;
        expect(await redis.get('ballast:epoch')).toBe(row?.value);
        expect(
          await stage.jobsDb.sql`
            select id from jobs.pack where runner_id is null and dispatched_at < ${at ?? ''}::text::timestamptz`,
        ).toEqual([]);
      };
      await vi.waitFor(again, { timeout: goalMs, interval: 100 });
      const ms = performance.now() - wipedAt;
      process.stdout.write(`a wiped queue is handed out again: ${ms.toFixed(0)} ms\n`);
      expect(ms).toBeLessThan(30_000);
      await redis.quit();
      await stage.allDoneOnce(40);
    });
});
