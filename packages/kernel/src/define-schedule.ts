import type { JobDefinition } from './define-job.ts';

/**
 * Work that comes round: a job at the slots of a cron expression. Any number of
 * workers run a slot once.
 *
 * @example
 * export const nightly = defineSchedule({
 *   name: 'accounts.remove-expired-sessions',
 *   job: removeExpiredSessions,
 *   payload: {},
 *   cron: '0 3 * * *',
 *   zone: 'Europe/Berlin',
 * });
 */
export interface ScheduleDefinition<Payload = unknown> {
  /** Stable: the row that remembers the next slot carries it. */
  name: string;
  job: JobDefinition<Payload>;
  payload: Payload;
  /** Five fields, or six with seconds in front. */
  cron: string;
  /**
   * An IANA time zone. A slot that daylight saving skips runs when the gap ends;
   * one that it repeats runs once.
   */
  zone: string;
  /** What happens to slots that passed while no worker was alive. */
  catchUp: CatchUp;
}

/** None of them, only the latest, or each, but never more than `max` of the latest. */
export type CatchUp = 'skip' | 'one' | { all: number };

/** Fills in UTC, and the latest missed slot only. Its payload stands in the code, and so can hold no secret. */
export function defineSchedule<Payload>(
  schedule: Omit<ScheduleDefinition<Payload>, 'zone' | 'catchUp'> & Partial<ScheduleDefinition<Payload>>,
): ScheduleDefinition<Payload> {
  if (schedule.job.secrets.length > 0)
    throw new Error(
      `${schedule.name}: ${schedule.job.name} has secret fields, and a schedule's payload stands in the code.`,
    );
  return { zone: 'UTC', catchUp: 'one', ...schedule };
}
