import type { Database } from '@ballast/db';
import type { Log, Outcome } from '@ballast/kernel';
import { type Conceal, concealing } from './conceal.ts';
import { outcomeOfError } from './outcome.ts';
import { openPayload } from './sealed-payload.ts';

export interface OpenedRow {
  payload: unknown;
  /** Every line carries the job's name and id, and no secret of its payload. */
  log: Log;
  /** The same for what is kept of a failure. */
  text: Conceal['text'];
  /** Why the payload cannot be read; null when it can. */
  refusal: Outcome | null;
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
    return { payload: null, log: own, text: (said) => said, refusal: outcomeOfError(error) };
  }
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
