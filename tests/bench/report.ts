import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, loadavg, platform, release, totalmem } from 'node:os';
import { join } from 'node:path';
import type { Ratio } from './statistics.ts';

/** What every suite prints with `--json`. */
export interface Report {
  suite: string;
  versions: Record<string, string>;
  machine: { cores: number; cpu: string; memoryGb: number; system: string; load: number };
  rows: Row[];
}

/** One comparison. Whether more or less is better says its name: jobs a second, or microseconds a job. */
export interface Row {
  name: string;
  baseline: string;
  ratio: Ratio;
}

export function machine(): Report['machine'] {
  return {
    cores: cpus().length,
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    memoryGb: Math.round(totalmem() / 2 ** 30),
    system: `${platform()} ${release()}`,
    // Above the number of cores, others were working too: ratios hold up better than figures, not perfectly.
    load: Math.round((loadavg()[0] ?? 0) * 10) / 10,
  };
}

/** The installed versions of packages of the root, and of Node. */
export function versions(packages: readonly string[]): Record<string, string> {
  const root = join(import.meta.dirname, '../../node_modules');
  const installed = packages.map((name) => {
    const { version } = JSON.parse(readFileSync(join(root, name, 'package.json'), 'utf8')) as { version: string };
    return [name, version] as const;
  });
  return { node: process.versions.node, ...Object.fromEntries(installed) };
}

export function redisVersion(): string {
  const said = execFileSync('redis-server', ['--version'], { encoding: 'utf8' });
  return /v=(\S+)/.exec(said)?.[1] ?? 'unknown';
}

/** The rows as a table for people. */
export function table(rows: readonly (Row & { goal?: string | undefined })[]): string {
  const cells = [['what', 'against', 'goal', 'min', 'median', 'max']];
  for (const { name, baseline, ratio, goal = '' } of rows) {
    cells.push([name, baseline, goal, ratio.min.toFixed(2), ratio.median.toFixed(2), ratio.max.toFixed(2)]);
  }
  const widths = cells[0]?.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0))) ?? [];
  return cells.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')).join('\n');
}
