import type { z } from 'zod';
import { secretFieldsOf } from './secret-field.ts';

/**
 * A kind of background work: its name, the shape of its payload and its policy.
 * Importing a job starts nothing; only the worker imports handlers.
 *
 * @example
 * export const deliver = defineJob({
 *   name: 'webhooks.deliver',
 *   payload: z.strictObject({ eventId: z.uuid() }),
 *   attempts: 8,
 * });
 */
export interface JobDefinition<Payload = unknown> {
  /** `module.verb-noun`. Rows carry it, so it outlives the code: never rename one with rows waiting. */
  name: string;
  /** Raised when the payload's shape changes; a worker is only handed versions it knows. */
  version: number;
  /** The line it waits in, so that slow work does not hold up fast work. */
  queue: string;
  payload: z.ZodType<Payload>;
  /** The fields of the payload that `secret()` marks. */
  secrets: readonly string[];
  /** How often the work may be started before the job is dead. */
  attempts: number;
  backoff: Backoff;
  /** After this, `ctx.signal` aborts and the attempt counts as failed. */
  timeoutMs: number;
  /** How many may run at once over all workers, whoever's they are; null without a limit. */
  concurrency: number | null;
  /** For a batch handler: how many jobs of one tenant it is given at once; null for the others. */
  batch: number | null;
}

/** The n-th repeat waits `firstMs × 2^(n−1)`, at most `maxMs`, ± 20 % so that failures do not return as one wave. */
export interface Backoff {
  firstMs: number;
  maxMs: number;
}

/** Fills in the policy and finds the secret fields. Eight attempts with this back-off span about an hour. */
export function defineJob<Payload>(
  job: Pick<JobDefinition<Payload>, 'name' | 'payload'> & Partial<Omit<JobDefinition<Payload>, 'secrets'>>,
): JobDefinition<Payload> {
  return {
    version: 1,
    queue: 'default',
    attempts: 8,
    backoff: { firstMs: 5_000, maxMs: 30 * 60_000 },
    timeoutMs: 60_000,
    concurrency: null,
    batch: null,
    ...job,
    secrets: secretFieldsOf(job.name, job.payload),
  };
}

/** The time to wait before the next attempt, after `attempt` failed ones. `random` is in [0, 1). */
export function backoffMs(backoff: Backoff, attempt: number, random: number): number {
  const waitMs = Math.min(backoff.maxMs, backoff.firstMs * 2 ** Math.max(0, attempt - 1));
  return Math.round(waitMs * (0.8 + 0.4 * random));
}
