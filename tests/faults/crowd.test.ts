/**
 * Many at once, and a job that kills whoever runs it: rows 7 and 30 of the fault table.
 * `BALLAST_SEED` replays a run (`seed.ts`).
 */
import { queueBackends } from '@ballast/test-kit/queue';
import { describe, expect, test, vi } from 'vitest';
import { effect } from './handlers.ts';
import { chanceOf } from './seed.ts';
import { goalMs, on, supervised } from './stage.ts';

/** Where dispatchers and workers meet: each process is slow in another of these places. */
const narrows = ['dispatch.marked', 'run.started', 'run.before-commit', 'run.committed'];

describe.concurrent.each(queueBackends)('workers on %s', { timeout: 4 * goalMs }, (backend) => {
  test(`five dispatchers and five workers share the work, once (row 7)`, () =>
    on(backend, async (stage) => {
      const { pick, upTo } = chanceOf(`row 7 on ${backend}`);
      const workers = Array.from({ length: 5 }, () => {
        const failpoints = [pick(narrows), pick(narrows)].map((name) => `${name}=pause:${upTo(30)}`);
        return stage.worker({ BALLAST_FAILPOINTS: failpoints.join() });
      });
      // Producers race with their boot, and with each other.
      const sizes = Array.from({ length: 20 }, () => upTo(20));
      let total = 0;
      await Promise.all(
        sizes.map((size) => {
          const from = total;
          total += size;
          return stage.produce(size, { from });
        }),
      );
      await Promise.all(workers);
      await stage.allDoneOnce(total);
      await stage.startedOnce();
    }));

  // One pack at a time: with a single attempt, whoever else had started beside it could not be started again.
  for (const [attempts, slots] of [
    [1, 1],
    [2, 4],
  ] as const) {
    test(`a poison row with ${attempts} attempts dies alone among 19 neighbours, ${slots} at a time (row 30)`, () =>
      on(backend, async (stage) => {
        await supervised(stage, { FAULT_HANDLER: 'poison', FAULT_SLOTS: String(slots) });
        const [poison] = await stage.produce(20, { job: { ...effect, attempts } as never });
        await vi.waitFor(async () => expect(await stage.states()).toEqual({ done: 19, dead: 1 }), {
          timeout: 3 * goalMs,
          interval: 200,
        });
        const dead = await stage.jobsDb.sql`select id, attempt from jobs.job where state = 'dead'`;
        expect(dead).toEqual([{ id: poison, attempt: attempts }]);
        const [effects] = await stage.db.sql`select count(*)::int as rows, count(distinct n)::int as jobs from effect`;
        expect(effects).toEqual({ rows: 19, jobs: 19 });
      }));
  }
});
