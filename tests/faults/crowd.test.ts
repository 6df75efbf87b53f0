/**
 * Many at once, and a job that kills whoever runs it: rows 7 and 30 of the fault table.
 * `FAULT_SEED` replays a run.
 */
import { queueBackends } from '@ballast/test-kit/queue';
import { describe, expect, test, vi } from 'vitest';
import { effect } from './handlers.ts';
import { goalMs, on, type Stage } from './stage.ts';

const seed = Number(process.env.FAULT_SEED ?? Math.floor(Math.random() * 2 ** 31));

/** Mulberry32: small, and the same everywhere. */
function randomOf(start: number): () => number {
  let state = start;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Where dispatchers and workers meet: each process is slow in another of these places. */
const narrows = ['dispatch.marked', 'run.started', 'run.before-commit', 'run.committed'];

/** A supervisor: starts the worker anew whenever it ends. */
async function supervised(stage: Stage, environment: Record<string, string>): Promise<void> {
  const child = await stage.worker(environment);
  child.once('exit', () => void supervised(stage, environment).catch(() => {}));
}

describe.concurrent.each(queueBackends)('workers on %s', { timeout: 4 * goalMs }, (backend) => {
  test(`five dispatchers and five workers share the work, once (row 7, FAULT_SEED=${seed})`, () =>
    on(backend, async (stage) => {
      process.stdout.write(`row 7 on ${backend}: FAULT_SEED=${seed}\n`);
      const random = randomOf(seed);
      const pick = <Item>(items: readonly Item[]) => items[Math.floor(random() * items.length)] as Item;
      const workers = Array.from({ length: 5 }, () => {
        const failpoints = [pick(narrows), pick(narrows)].map((name) => `${name}=pause:${Math.ceil(random() * 30)}`);
        return stage.worker({ BALLAST_FAILPOINTS: failpoints.join() });
      });
      // Producers race with their boot, and with each other.
      const sizes = Array.from({ length: 20 }, () => Math.ceil(random() * 20));
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
