import { describe, expect, it } from 'vitest';
import { erlangC, waitFor } from './erlang.ts';

describe('erlangC', () => {
  it('agrees with the sum that defines it', () => {
    const factorial = (n: number): number => (n <= 1 ? 1 : n * factorial(n - 1));
    for (const [servers, load] of [
      [1, 0.5],
      [4, 3],
      [10, 9.5],
      [20, 1],
    ] as const) {
      const last = (load ** servers / factorial(servers)) * (servers / (servers - load));
      const others = Array.from({ length: servers }, (_, k) => load ** k / factorial(k)).reduce((a, b) => a + b);
      expect(erlangC(servers, load)).toBeCloseTo(last / (others + last), 12);
    }
  });

  it('does not overflow where factorials do', () => {
    expect(erlangC(5_000, 4_900)).toBeGreaterThan(0);
    expect(erlangC(5_000, 4_900)).toBeLessThan(1);
  });

  it('is certain to wait at and above the limit', () => {
    expect(erlangC(3, 3)).toBe(1);
    expect(erlangC(3, 7)).toBe(1);
  });

  it('refuses what has no meaning', () => {
    expect(() => erlangC(0, 1)).toThrow(RangeError);
    expect(() => erlangC(2, Number.NaN)).toThrow(RangeError);
  });
});

describe('waitFor', () => {
  it('is the textbook figure for one server: load / (1 - load) services', () => {
    expect(waitFor(1, 0.8, 1).mean).toBeCloseTo(4, 12);
  });

  /** The same queue, played: arrivals and services drawn at random, the first free server takes the first in line. */
  it('agrees with a simulated queue', () => {
    const [servers, arrivals, serviceTime] = [5, 80, 0.05];
    let seed = 42;
    const draw = (mean: number) => {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
      return -mean * Math.log((seed + 1) / 2 ** 32);
    };
    const free = new Array<number>(servers).fill(0);
    const waits: number[] = [];
    for (let now = 0; waits.length < 400_000; now += draw(1 / arrivals)) {
      const first = free.indexOf(Math.min(...free));
      const begins = Math.max(now, free[first] as number);
      free[first] = begins + draw(serviceTime);
      waits.push(begins - now);
    }
    const sorted = waits.toSorted((a, b) => a - b);
    const mean = waits.reduce((a, b) => a + b) / waits.length;
    const predicted = waitFor(servers, arrivals, serviceTime);
    expect(predicted.mean / mean).toBeGreaterThan(0.93);
    expect(predicted.mean / mean).toBeLessThan(1.07);
    const p99 = sorted[Math.floor(sorted.length * 0.99)] as number;
    expect(predicted.p99 / p99).toBeGreaterThan(0.9);
    expect(predicted.p99 / p99).toBeLessThan(1.1);
  });

  it('never ends above the limit, and is nothing without load', () => {
    expect(waitFor(2, 100, 1)).toEqual({ mean: Infinity, p99: Infinity });
    expect(waitFor(2, 0, 1)).toEqual({ mean: 0, p99: 0 });
  });
});
