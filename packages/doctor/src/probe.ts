import type { Finding } from './finding.ts';
import type { View } from './view.ts';

/** One question. Throws when it cannot be answered; what it throws says why. */
export interface Probe {
  name: string;
  look(view: View): Promise<Finding[] | Looked>;
}

/** For what people want to know although nothing is wrong. */
export interface Looked {
  findings: Finding[];
  /** A sentence. */
  says: string;
}
