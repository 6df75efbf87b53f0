import type { Report, Row } from './report.ts';

/** What a suite is asked for. */
export interface SuiteOptions {
  /** Few and small runs: to see that it works, not to quote. */
  quick: boolean;
  /** Only scenarios whose name contains this. */
  only: string | null;
  /** How many rows wait, where a scenario has a backlog. */
  rows: number;
  /** Overrides each scenario's number of rounds. */
  rounds: number | null;
  /** Tells which statements Postgres ran. They are counted at a cost: nothing to quote. */
  statements: boolean;
  /** Writes what was measured to where the project reads it. Only the suite `capacity` has such a place. */
  keep: boolean;
  /** What happens meanwhile, for people. */
  say(line: string): void;
}

export type Suite = (options: SuiteOptions) => Promise<{ report: Report; goals: ReadonlyMap<Row, string> }>;
