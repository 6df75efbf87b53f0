/** The model: how a job of each kind may end, and what it must have left behind then. */
import type { Kind } from './kinds.ts';

type End = 'done' | 'dead' | 'cancelled';

interface Left {
  /** Effects in the database, each exactly once. */
  exactly: readonly string[];
  /** Effects that are there once or not at all. */
  perhaps?: readonly string[];
}

export interface Expectation {
  ends: Partial<Record<End, Left>>;
  /** It sends something: when it is done, at least once, and always under its own key. */
  outside?: 'http' | 'mail';
  /** Never more than one start. */
  once?: boolean;
}

const whole: Left = { exactly: ['whole'] };
const nothing: Left = { exactly: [] };

/** A planned job by what becomes of it; one that takes its worker down stands among harmless ones of its kind. */
export type Label = Kind | 'deadly';

export const expectations: Record<Label, Expectation> = {
  plain: { ends: { done: nothing }, outside: 'http' },
  transaction: { ends: { done: whole } },
  steps: { ends: { done: { exactly: ['first', 'second', 'whole'] } }, outside: 'http' },
  batch: { ends: { done: whole } },
  limited: { ends: { done: whole } },
  keyed: { ends: { done: whole } },
  parent: { ends: { done: whole } },
  child: { ends: { done: whole } },
  mail: { ends: { done: whole }, outside: 'mail' },
  snoozing: { ends: { done: { exactly: ['first', 'whole'] } } },
  cancelling: { ends: { cancelled: { exactly: ['first'] } } },
  // Cancelled when nobody had begun it by then.
  stale: { ends: { done: whole, cancelled: nothing } },
  // Its transaction fails after its effect: that must be rolled back, each time.
  doomed: { ends: { dead: { exactly: [], perhaps: ['first'] } } },
  // A worker that ends under its only attempt, killed or in peace, leaves it dead, and never half done.
  once: { ends: { done: whole, dead: nothing }, outside: 'http', once: true },
  poison: { ends: { dead: nothing }, once: true },
  risky: { ends: { done: whole, dead: nothing } },
  deadly: { ends: { dead: nothing } },
};
