import { expect, test } from 'vitest';
import { makePlan } from './plan.ts';

const options = {
  jobs: 3_000,
  kills: 40,
  durationMs: 60_000,
  redis: true,
  longestMs: { freeze: 5_000, absence: 1_000 },
};

test('the same seed makes the same plan, another one makes another', () => {
  const [one, again, other] = [7, 7, 8].map((seed) => {
    const plan = makePlan({ ...options, seed });
    return JSON.stringify([plan, Array.from({ length: 50 }, (_, started) => plan.failpointOf(started))]);
  });
  expect(again).toBe(one);
  expect(other).not.toBe(one);
});

test('a plan has all its jobs, each number once, and every disaster', () => {
  const plan = makePlan({ ...options, seed: 1 });
  const numbers = plan.commits.flatMap((commit) => commit.jobs.map((job) => job.payload.n));
  expect(new Set(numbers).size).toBe(numbers.length);
  const committed = plan.commits.filter((commit) => !commit.rollsBack).flatMap((commit) => commit.jobs);
  expect(committed).toHaveLength(options.jobs);
  expect(new Set(plan.disasters.map((disaster) => disaster.what)).size).toBe(8);
  expect(plan.disasters).toHaveLength(options.kills);
});
