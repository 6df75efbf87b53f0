/**
 * The same things as in `model.test.ts`, all at once: dispatchers, workers, sweeps and
 * operators in random order, each in its own connection, and sweeps that take packs
 * from under running workers. At no moment is an open job in no place or in two, nor are
 * more packs of a limited kind out than may be, and at the end each is done with its effect, once, or dead or cancelled without.
 *
 * `BALLAST_SEED` plays the same orders again; how Postgres interleaves them is its own.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { misplacedJobs } from '../testing.ts';
import { overLimit } from './agreement.ts';
import { type Act, acts, openCrowd } from './crowd.ts';
import { openSystem } from './system.ts';

let opened: Awaited<ReturnType<typeof openSystem>>;

beforeAll(async () => {
  opened = await openSystem();
});
afterAll(async () => {
  await opened.close();
});

const seed = Number(process.env.BALLAST_SEED ?? Date.now() % 1_000_000_000);
const numRuns = Number(process.env.BALLAST_RACE_RUNS ?? 12);

const act: fc.Arbitrary<Act> = fc.record({
  what: fc.oneof(
    ...Object.entries(acts).map(([what, weight]) => ({ weight, arbitrary: fc.constant(what as Act['what']) })),
  ),
  number: fc.nat({ max: 999 }),
});

it('keeps every job in one place while everything happens at once', {
  timeout: 300_000 + numRuns * 20_000,
}, async () => {
  process.stdout.write(`jobs in a crowd: BALLAST_SEED=${seed}\n`);
  const actors = fc.array(fc.array(act, { minLength: 10, maxLength: 40, size: 'max' }), { minLength: 8, maxLength: 8 });
  const property = fc.asyncProperty(actors, async (lists) => {
    const crowd = await openCrowd(opened.system);
    let over = false;
    const watch = (async () => {
      while (!over) {
        expect(await misplacedJobs(opened.system.jobsDb)).toEqual([]);
        expect(await overLimit(opened.system.jobsDb)).toEqual([]);
      }
    })();
    const played = Promise.all(lists.map((list) => crowd.play(list))).finally(() => {
      over = true;
    });
    await Promise.all([played, watch]);
    await crowd.finish();
    expect(await crowd.wrong()).toEqual([]);
    expect(crowd.surprises).toEqual([]);
  });
  // Played again it interleaves otherwise: a smaller example would prove nothing.
  const outcome = await fc.check(property, { seed, numRuns, endOnFailure: true });
  if (outcome.failed) throw new Error(`seed ${seed}, run ${outcome.numRuns}`, { cause: outcome.errorInstance });
});
