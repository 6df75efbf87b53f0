/**
 * `pnpm bench <suite> [--json] [--quick] [--only <name>]`: ratios against baselines
 * that run in the same minutes, on the same servers.
 * `pnpm bench chart <report.json>…` draws what `--json` printed, as SVG.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { chart } from './chart.ts';
import { type Report, table } from './report.ts';
import type { Suite } from './suite.ts';

const suites: Record<string, () => Promise<Suite>> = {
  jobs: async () => (await import('./jobs/suite.ts')).runJobs,
  capacity: async () => (await import('./capacity/suite.ts')).runCapacity,
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    rows: { type: 'string', default: '1000000' },
    rounds: { type: 'string' },
    statements: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
  },
});

const [name = '', ...files] = positionals;
if (name === 'chart') {
  const reports = files.map((file) => JSON.parse(readFileSync(file, 'utf8')) as Report);
  process.stdout.write(chart(reports.flatMap((report) => report.rows)));
  process.exit(0);
}
const open = suites[name];
if (!open) {
  process.stderr.write(
    `Choose a suite: pnpm bench ${Object.keys(suites).join(' | ')} | chart [--json] [--quick] [--only name]\n`,
  );
  process.exit(2);
}

const suite = await open();
const { report, goals } = await suite({
  quick: values.quick,
  only: values.only ?? null,
  rows: Number(values.rows),
  rounds: values.rounds === undefined ? null : Number(values.rounds),
  statements: values.statements,
  keep: values.keep,
  say: (line) => process.stderr.write(`${line}\n`),
});
const rows = report.rows.map((row) => ({ ...row, goal: goals.get(row) }));
process.stdout.write(values.json ? `${JSON.stringify(report, null, 2)}\n` : `${table(rows)}\n`);
