import type { Counts } from './counts.ts';

export interface StepResult {
  name: string;
  counts: Counts;
  ms: number;
  /** Shown in the table: what a number means, or why it was skipped. */
  note: string;
  /** What it printed; shown when it failed. */
  output: string;
}

export interface Step {
  name: string;
  /** What the machine lacks for it, with the command that would provide it. */
  lacking?: string | undefined;
  run(): Promise<Omit<StepResult, 'name' | 'ms'>>;
}

/** Runs steps one after another; lanes of them run beside each other. */
export async function runLane(steps: readonly Step[], finished: (result: StepResult) => void): Promise<StepResult[]> {
  const results: StepResult[] = [];
  for (const step of steps) {
    const started = Date.now();
    const outcome = step.lacking ? skipped(step.lacking) : await step.run().catch(broken);
    const result = { name: step.name, ms: Date.now() - started, ...outcome };
    results.push(result);
    finished(result);
  }
  return results;
}

function skipped(lacking: string) {
  return { counts: { passed: 0, failed: 0, skipped: 1 }, note: `SKIPPED: ${lacking}`, output: '' };
}

function broken(error: unknown) {
  const output = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { counts: { passed: 0, failed: 1, skipped: 0 }, note: 'did not run to its end', output };
}
