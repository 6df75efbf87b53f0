import { describe, expect, it } from 'vitest';
import { median, percentile, ratioOf } from './statistics.ts';

describe('statistics', () => {
  it('takes the middle value, or the mean of the two middle ones', () => {
    expect(median([9, 1, 5])).toBe(5);
    expect(median([4, 1, 3, 2])).toBe(2.5);
    expect(median([7])).toBe(7);
  });

  it('sorts by size, not as text', () => {
    expect(median([100, 9, 20])).toBe(20);
  });

  it('interpolates percentiles and leaves its input alone', () => {
    const values = [10, 0];
    expect(percentile(values, 0)).toBe(0);
    expect(percentile(values, 25)).toBe(2.5);
    expect(percentile(values, 100)).toBe(10);
    expect(values).toEqual([10, 0]);
  });

  it('refuses a percentile of nothing', () => {
    expect(() => percentile([], 50)).toThrow('nothing');
  });

  it('compares within a round, never across rounds', () => {
    // The second round ran on a machine half as fast: the ratio does not show it.
    expect(ratioOf([200, 100, 330], [100, 50, 110])).toEqual({ min: 2, median: 2, max: 3 });
  });

  it('refuses rounds without a baseline', () => {
    expect(() => ratioOf([1, 2], [1])).toThrow('baseline');
  });
});
