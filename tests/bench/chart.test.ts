import { describe, expect, it } from 'vitest';
import { better, chart } from './chart.ts';

const row = (name: string, median: number) => ({
  name,
  baseline: 'a & b',
  ratio: { min: median, median, max: median },
});

describe('chart', () => {
  it('knows when more is better', () => {
    expect(better('no-op jobs, jobs/s', 2)).toBe(true);
    expect(better('no-op jobs, jobs/s', 0.5)).toBe(false);
    expect(better('no-op jobs, processor time a job', 2)).toBe(false);
    // Statements a second are a cost.
    expect(better('idle worker, statements/s', 0.5)).toBe(true);
  });

  it('draws a bar for each row, and keeps names from being markup', () => {
    const svg = chart([row('x, jobs/s', 2), row('y', 2)]);
    expect(svg.match(/<rect /g)).toHaveLength(2);
    expect(svg).toContain('class="better"');
    expect(svg).toContain('class="worse"');
    expect(svg).toContain('a &amp; b');
  });

  it('keeps what lies beyond the scale inside the picture', () => {
    expect(chart([row('x', 1_000)])).toContain(chart([row('x', 10)]).match(/<rect .*?\/>/)?.[0]);
    expect(chart([row('x', 0)])).not.toMatch(/NaN|Infinity/);
  });
});
