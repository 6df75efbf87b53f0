import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { chart } from './chart.ts';
import { machine, type Report, versions } from './report.ts';

const docs = join(import.meta.dirname, '../../docs');
const kept = readdirSync(join(docs, 'benchmarks'))
  .filter((file) => file.endsWith('.json'))
  .sort();
const read = (file: string) => readFileSync(join(docs, file), 'utf8');

/** What `--json` prints, of every suite. */
const reportShape = z.strictObject({
  suite: z.string().min(1),
  versions: z.record(z.string(), z.string()),
  machine: z.strictObject({
    cores: z.int().positive(),
    cpu: z.string(),
    memoryGb: z.int().positive(),
    system: z.string(),
    load: z.number(),
  }),
  rows: z
    .array(
      z.strictObject({
        name: z.string().min(1),
        baseline: z.string().min(1),
        ratio: z
          .strictObject({ min: z.number(), median: z.number(), max: z.number() })
          .refine(({ min, median, max }) => min <= median && median <= max),
      }),
    )
    .min(1),
});

describe('a report', () => {
  it('names the machine and the versions that were measured', () => {
    const report = {
      suite: 'jobs',
      versions: versions(['bullmq', 'postgres']),
      machine: machine(),
      rows: [{ name: 'a', baseline: 'b', ratio: { min: 1, median: 1, max: 1 } }],
    };
    expect(reportShape.parse(report)).toEqual(report);
    expect(report.versions.bullmq).toMatch(/^\d+\.\d+\.\d+/);
  });

  it.each(kept)('has the shape of every suite where it is kept, in %s', (file) => {
    reportShape.parse(JSON.parse(read(`benchmarks/${file}`)));
  });
});

describe('docs/benchmarks.md', () => {
  const reports = kept.map((file) => JSON.parse(read(`benchmarks/${file}`)) as Report);
  const rows = reports.flatMap((report) => report.rows);

  it('shows every row that was measured, as it was measured', () => {
    const lines = read('benchmarks.md')
      .split('\n')
      .map((line) =>
        line
          .split('|')
          .map((cell) => cell.trim())
          .filter(Boolean),
      );
    for (const { name, baseline, ratio } of rows) {
      const [line] = lines.filter((cells) => cells[0] === name && cells[1] === baseline);
      const figures = [ratio.min, ratio.median, ratio.max].map((figure) => figure.toFixed(2));
      expect([name, baseline, line?.slice(-3)]).toEqual([name, baseline, figures]);
    }
  });

  it('shows the chart of those rows', () => {
    expect(read('images/benchmarks-jobs.svg')).toBe(chart(rows));
  });
});
