/**
 * Everything that can happen to a job, in random order, on a real Postgres and against a
 * model in memory: after every step each open job is in exactly one place, and tables
 * and model agree on every job and pack, of which no more are out than a limit allows. At the end every job reaches its end, and none
 * had an effect twice.
 *
 * It says its seed. `BALLAST_SEED=123` plays the same again, `BALLAST_SEED=123:4:2` with
 * the path that a failure prints only what failed, and `BALLAST_MODEL_RUNS=1000` looks longer.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { agree } from './agreement.ts';
import { addFails, claimPacks, lineUp, timePasses } from './commands/dispatch.ts';
import { add } from './commands/enqueue.ts';
import { beatOrFallSilent, deploy, losePack, sweepAll, wipe } from './commands/fleet.ts';
import { cancelOne, hold, pauseOrResume, release, retryOne, runOne } from './commands/operate.ts';
import { goOnWith, kill, open } from './commands/run.ts';
import { finish } from './finish.ts';
import { Model } from './model.ts';
import { openSystem } from './system.ts';

let opened: Awaited<ReturnType<typeof openSystem>>;

beforeAll(async () => {
  opened = await openSystem();
});
afterAll(async () => {
  await opened.close();
});

const [seed = Date.now() % 1_000_000_000, path] = readSeed(process.env.BALLAST_SEED);
const numRuns = Number(process.env.BALLAST_MODEL_RUNS ?? 25);

/** What moves jobs along comes up more often than what disturbs it. */
const anything = fc.oneof(
  { weight: 24, arbitrary: goOnWith },
  { weight: 18, arbitrary: add },
  { weight: 14, arbitrary: open },
  { weight: 6, arbitrary: claimPacks },
  ...[sweepAll, cancelOne, retryOne, beatOrFallSilent].map((arbitrary) => ({ weight: 4, arbitrary })),
  ...[lineUp, timePasses, runOne, kill, release].map((arbitrary) => ({ weight: 3, arbitrary })),
  ...[addFails, losePack, deploy, pauseOrResume, wipe, hold].map((arbitrary) => ({ weight: 1, arbitrary })),
);

it('agrees with a model, whatever happens in whatever order', { timeout: 300_000 + numRuns * 20_000 }, async () => {
  process.stdout.write(`jobs against their model: BALLAST_SEED=${seed}\n`);
  const { system } = opened;
  const property = fc.asyncProperty(fc.commands([anything], { maxCommands: 250, size: 'max' }), async (given) => {
    await system.reset();
    const model = new Model();
    await fc.asyncModelRun(() => ({ model, real: system }), given);
    await finish(model, system);
    await agree(system.jobsDb, model);
    expect(model.open()).toEqual([]);
    expect(model.packs).toEqual([]);
  });
  await fc.assert(property, { seed, numRuns, endOnFailure: process.env.CI !== undefined, ...(path ? { path } : {}) });
});

function readSeed(given: string | undefined): [number?, string?] {
  if (!given) return [];
  const [seed, ...path] = given.split(':');
  return [Number(seed), path.join(':')];
}
