import { setTimeout as sleep } from 'node:timers/promises';
import { median, ratioOf } from '../statistics.ts';
import type { ScenarioRow } from './scenario.ts';
import type { Spent, Stage } from './stage.ts';
import { countStatements, describeStatements } from './statements.ts';
import type { System, Work } from './system.ts';
import type { Order } from './system-process.ts';

/** What one run of one system gave. */
export interface Figures {
  jobsPerSecond: number;
  /** Microseconds of all processes, per job. */
  processorTime: number;
  spent: Spent;
}

export interface Run {
  system: System;
  work?: Work;
  slots?: number;
  /** Measured: everything from the first order to the last committed completion. */
  produce: Order & { count: number };
  /** Told which statements Postgres ran meanwhile. */
  statements?: ((lines: string[]) => void) | undefined;
}

/** Runs that no longer measure how fast code is compiled, and that give workers the time to learn how long a job takes. */
const warmUp = 2_000;
const settleMs = 3_500;

/** Produces and works at the same time, and measures both until the last job is completed. */
export async function measure(stage: Stage, { system, work, slots, produce, statements }: Run): Promise<Figures> {
  const crew = await stage.enter(system, { ...(work && { work }), ...(slots && { slots }) });
  try {
    const warm = { ...produce, count: Math.min(warmUp, produce.count) };
    await Promise.all([crew.worker.order({ do: 'expect', count: warm.count }), crew.producer.order(warm)]);
    await sleep(settleMs);
    const counting = statements && (await countStatements(stage.admin, crew.database));
    const before = await crew.processorTime();
    const [worked, produced] = await Promise.all([
      crew.worker.order({ do: 'expect', count: produce.count }),
      crew.producer.order(produce),
    ]);
    const after = await crew.processorTime();
    if (counting) statements(describeStatements(await counting.stop(), produce.count));
    const each = (key: keyof Spent) => (after[key] - before[key]) / produce.count;
    const spent = {
      worker: each('worker'),
      producer: each('producer'),
      redis: each('redis'),
      postgres: each('postgres'),
    };
    return {
      jobsPerSecond: (produce.count / (worked.endedAt - produced.startedAt)) * 1_000,
      processorTime: spent.worker + spent.producer + spent.redis + spent.postgres,
      spent,
    };
  } finally {
    await crew.leave();
  }
}

/** Round after round every run once, A B C A B C …, so that a slow minute of the machine meets all of them. */
export async function interleave<Result>(
  rounds: number,
  runs: readonly (() => Promise<Result>)[],
): Promise<Result[][]> {
  const results: Result[][] = runs.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const [index, run] of runs.entries()) results[index]?.push(await run());
  }
  return results;
}

/** A run's figures for people. */
export function describeFigures(name: string, figures: readonly Figures[]): string {
  const of = (pick: (one: Figures) => number) => Math.round(median(figures.map(pick)));
  const spent = (['worker', 'producer', 'redis', 'postgres'] as const).map((key) => of((one) => one.spent[key]));
  return `  ${name}: ${of((one) => one.jobsPerSecond)} jobs/s, ${of((one) => one.processorTime)} µs a job (worker, producer, Redis, Postgres: ${spent.join(', ')})`;
}

/** Two rows: how fast, and at what cost. On a machine that others use too, the cost is the steadier of the two. */
export function compare(
  name: string,
  baseline: string,
  own: readonly Figures[],
  base: readonly Figures[],
  goal?: string,
): ScenarioRow[] {
  const ratio = (pick: (one: Figures) => number) => ratioOf(own.map(pick), base.map(pick));
  return [
    { name: `${name}, jobs/s`, baseline, ratio: ratio((one) => one.jobsPerSecond), ...(goal && { goal }) },
    { name: `${name}, processor time a job`, baseline, ratio: ratio((one) => one.processorTime) },
  ];
}
