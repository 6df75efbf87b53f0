import { expect, it } from 'vitest';
import { spacedReturns } from './spaced-returns.ts';

it('returns one row soon, a crowd one after the other, and none after more than five seconds', () => {
  let nowMs = 1_000;
  const inMs = spacedReturns(() => nowMs);
  expect(inMs()).toBe(100);
  const crowd = Array.from({ length: 200 }, inMs);
  expect(crowd.slice(0, 3)).toEqual([150, 200, 250]);
  expect(crowd.slice(-2)).toEqual([5_000, 5_000]);
  nowMs += 5_000;
  expect(inMs()).toBe(100);
});
