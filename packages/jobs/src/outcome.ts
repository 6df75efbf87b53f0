import { AppError, backoffMs, type JobDefinition, type Outcome } from '@ballast/kernel';

/** What a row becomes. */
export interface Ending {
  state: 'done' | 'pending' | 'dead' | 'cancelled';
  /** For `pending`: how long it waits; null keeps its place in the line. */
  afterMs: number | null;
  /** For `pending`: the start does not count. */
  uncharge: boolean;
  /** Kept with the job, for whoever looks at it. */
  failure: string | null;
}

/** How a run ended, also where its handler was not asked. */
export type RunOutcome =
  | Outcome
  /** The end of the process came first; `by` is what the run failed with then. */
  | { outcome: 'cut off'; begun: boolean; by: unknown }
  /** This process has no key for its payload; another one may. */
  | { outcome: 'unopened'; error: Error };

/**
 * A key that no process ever gets is asked for as often as this, for ever: a thousand such
 * jobs are 33 starts a second. A process that is about to get it takes longer to restart.
 */
const keyAfterMs = 30_000;

/** The one place where a run's result becomes a row's state. */
export function endingOf(outcome: RunOutcome, job: JobDefinition, attempt: number): Ending {
  switch (outcome.outcome) {
    case 'done':
      return { state: 'done', afterMs: null, uncharge: false, failure: null };
    case 'cancelled':
      return { state: 'cancelled', afterMs: null, uncharge: false, failure: outcome.reason };
    case 'snoozed':
      return { state: 'pending', afterMs: outcome.forMs, uncharge: true, failure: null };
    case 'dead':
      return { state: 'dead', afterMs: null, uncharge: false, failure: describe(outcome.error) };
    case 'retry': {
      const failure = describe(outcome.error);
      if (attempt >= job.attempts) return { state: 'dead', afterMs: null, uncharge: false, failure };
      const afterMs = outcome.afterMs ?? backoffMs(job.backoff, attempt, Math.random());
      return { state: 'pending', afterMs, uncharge: false, failure };
    }
    case 'cut off':
      if (!outcome.begun || job.attempts > 1) return { state: 'pending', afterMs: null, uncharge: true, failure: null };
      return { state: 'dead', afterMs: null, uncharge: false, failure: describe(cutOffForGood(outcome.by)) };
    case 'unopened':
      return { state: 'pending', afterMs: keyAfterMs, uncharge: true, failure: describe(outcome.error) };
  }
}

/** A thrown error: worth a repeat unless it says that none can help. */
export function outcomeOfError(error: unknown): Outcome {
  const known = toError(error);
  if (!(known instanceof AppError)) return { outcome: 'retry', error: known };
  if (!known.retryable) return { outcome: 'dead', error: known };
  const afterMs = known.retryAfterSeconds === undefined ? undefined : known.retryAfterSeconds * 1_000;
  return { outcome: 'retry', error: known, ...(afterMs === undefined ? {} : { afterMs }) };
}

/** Whatever was thrown, as an error. */
export const toError = (error: unknown) => (error instanceof Error ? error : new Error(String(error)));

const cutOffForGood = (by: unknown) =>
  new Error(
    'The end of its process cut it off. It may start once, and may have done a part: retry it to start it again.',
    {
      cause: by,
    },
  );

/** One line without the stack: it is stored, and shown to operators. */
function describe(error: Error): string {
  const code = error instanceof AppError ? `${error.code}: ` : '';
  const cause = error.cause instanceof Error ? ` (${withoutValues(error.cause.message)})` : '';
  return `${code}${withoutValues(error.message)}${cause}`.slice(0, 2_000);
}

/** Drizzle appends a failed statement's parameters to its message: people's data, and perhaps secrets. */
function withoutValues(message: string): string {
  const at = message.indexOf('\nparams:');
  return at === -1 ? message : message.slice(0, at);
}
