import { seconds } from '../start/steps.ts';
import { add, finalLine, none } from './counts.ts';
import type { StepResult } from './step-result.ts';

const mark = ({ counts }: StepResult) => (counts.failed > 0 ? '✗' : counts.passed === 0 ? '○' : '✓');

/** One line when a step ends; the whole output when it failed. */
export function showFinished(result: StepResult): void {
  const { failed } = result.counts;
  process.stdout.write(`  ${mark(result)} ${result.name}  ${seconds(result.ms)}\n`);
  if (failed === 0 && result.note.startsWith('SKIPPED')) process.stdout.write(`      ${result.note}\n`);
  if (failed > 0) {
    const lines = result.output.trimEnd().split('\n');
    const shown = lines.length > 400 ? [`… ${lines.length - 400} lines before`, ...lines.slice(-400)] : lines;
    process.stdout.write(`${shown.map((line) => `      ${line}`).join('\n')}\n\n`);
  }
}

/** All steps in a table, and the sum as the last line. */
export function table(results: readonly StepResult[]): string {
  const width = Math.max(...results.map((result) => result.name.length));
  const row = (result: StepResult) =>
    [
      `  ${mark(result)} ${result.name.padEnd(width)}`,
      `${result.counts.passed}`.padStart(6),
      `${result.counts.failed}`.padStart(7),
      `${result.counts.skipped}`.padStart(8),
      seconds(result.ms).padStart(12),
      `  ${result.note}`,
    ].join('');
  const header = `    ${''.padEnd(width)}passed failed skipped        time`;
  const total = results.map((result) => result.counts).reduce(add, none);
  return ['', header, ...results.map(row), '', finalLine(total), ''].join('\n');
}
