import { describe, expect, it } from 'vitest';
import { familyTicks, parseStat, processorTime } from './processor-time.ts';

const line = (pid: number, name: string, parent: number, times: string) =>
  `${pid} (${name}) S ${parent} 1 1 0 -1 4194304 100 0 0 0 ${times} 20 0 1 0 500 1000 200 18446744073709551615`;

describe('processor time', () => {
  it('adds user and system time, and that of ended children apart', () => {
    expect(parseStat(line(7, 'redis-server', 3, '120 30 4 5'))).toEqual({
      parent: 3,
      ticks: 150,
      endedChildrenTicks: 9,
    });
  });

  it('reads names with spaces and brackets', () => {
    expect(parseStat(line(7, 'postgres: a) b (c', 3, '1 2 3 4')).ticks).toBe(3);
  });

  it('refuses what is no stat line', () => {
    expect(() => parseStat('nothing')).toThrow('stat line');
  });

  it('counts a server with its connections, also those that ended, and nobody else', () => {
    const stat = (parent: number, ticks: number, endedChildrenTicks = 0) => ({ parent, ticks, endedChildrenTicks });
    const stats = new Map([
      [10, stat(1, 5, 100)],
      [11, stat(10, 20)],
      [12, stat(11, 3)],
      [13, stat(1, 1_000)],
    ]);
    expect(familyTicks(stats, 10)).toBe(128);
    expect(familyTicks(stats, 99)).toBe(0);
  });

  it.runIf(process.platform === 'linux')('reads this process', async () => {
    const until = performance.now() + 50;
    while (performance.now() < until);
    expect(await processorTime(process.pid)).toBeGreaterThan(0);
    expect(await processorTime(process.pid, true)).toBeGreaterThan(0);
  });
});
