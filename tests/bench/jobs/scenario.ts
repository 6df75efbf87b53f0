import type { Row } from '../report.ts';
import type { SuiteOptions } from '../suite.ts';
import type { Stage } from './stage.ts';

export interface Scenario {
  name: string;
  run(stage: Stage, options: SuiteOptions): Promise<ScenarioRow[]>;
}

/** A comparison, and what it is to reach. */
export interface ScenarioRow extends Row {
  goal?: string;
}
