import type { Database } from '@ballast/db';
import { AppError, type Log } from '@ballast/kernel';
import { type Conceal, concealing } from './conceal.ts';
import { outcomeOfError, type RunOutcome } from './outcome.ts';
import { openPayload } from './sealed-payload.ts';

export interface OpenedRow {
  payload: unknown;
  /** Every line carries the job's name and id, and no secret of its payload. */
  log: Log;
  /** The same for what is kept of a failure. */
  text: Conceal['text'];
  /** Why the payload cannot be read; null when it can. */
  refusal: RunOutcome | null;
}

/** Reads a row's payload, and arranges that whatever is said of its run tells none of its secrets. */
export function openRow(
  { db, log }: { db: Database; log: Log },
  row: { id: string; name: string; body: unknown; secrets: readonly string[] | null },
): OpenedRow {
  const own = childLog(log, { job: row.name, jobId: row.id });
  try {
    const { payload, secrets } = openPayload(db.keys, row);
    const conceal = concealing(secrets);
    return { payload, log: conceal.log(own), text: conceal.text, refusal: null };
  } catch (error) {
    return { payload: null, log: own, text: (said) => said, refusal: refusalOf(error) };
  }
}

const keyCodes = ['secrets.unknown_key', 'secrets.no_keys'];

/** A key that this process lacks is no fault of the job: while keys are replaced, some have it and some do not yet. */
function refusalOf(error: unknown): RunOutcome {
  if (error instanceof AppError && keyCodes.includes(error.code)) return { outcome: 'unopened', error };
  return outcomeOfError(error);
}

/** Every line carries `ids`. */
export function childLog(log: Log, ids: Record<string, unknown>): Log {
  return {
    debug: (fields, message) => log.debug({ ...ids, ...fields }, message),
    info: (fields, message) => log.info({ ...ids, ...fields }, message),
    warn: (fields, message) => log.warn({ ...ids, ...fields }, message),
    error: (fields, message) => log.error({ ...ids, ...fields }, message),
  };
}
