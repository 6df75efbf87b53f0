import { causesOf } from '@ballast/db';
import { AppError } from '@ballast/kernel';

/** What a database error means for a caller, or null when it is a fault of ours. */
export function databaseFault(error: unknown): AppError | null {
  for (const cause of causesOf(error)) {
    const { code } = cause;
    const entry = code === '08P01' ? poolersFault(cause) : typeof code === 'string' ? faults[code] : undefined;
    if (entry)
      return new AppError(entry.code, { status: 503, retryAfterSeconds: 2, public: entry.public, cause: error });
  }
  return null;
}

const unreachable = {
  code: 'database.unreachable',
  public: 'The database cannot be reached at the moment. Try again in a few seconds.',
};
const busy = { code: 'database.busy', public: 'The database is busy. Try again in a few seconds.' };
const full = { code: 'database.full', public: 'Nothing can be stored at the moment. Try again later.' };

/** PgBouncer says everything under one code: no session became free in time, too many clients, or Postgres is away. */
function poolersFault({ message }: Error): { code: string; public: string } {
  return /query_wait_timeout|no more connections/.test(message) ? busy : unreachable;
}

const faults: Record<string, { code: string; public: string }> = {
  ECONNREFUSED: unreachable,
  ECONNRESET: unreachable,
  EHOSTUNREACH: unreachable,
  ENETUNREACH: unreachable,
  ENOTFOUND: unreachable,
  EAI_AGAIN: unreachable,
  EPIPE: unreachable,
  ETIMEDOUT: unreachable,
  CONNECT_TIMEOUT: unreachable,
  CONNECTION_CLOSED: unreachable,
  CONNECTION_ENDED: unreachable,
  CONNECTION_DESTROYED: unreachable,
  CONNECTION_SILENT: unreachable,
  '57P01': unreachable, // admin_shutdown
  '57P02': unreachable, // crash_shutdown
  '57P03': unreachable, // cannot_connect_now
  '08006': unreachable, // connection_failure
  POOL_EXHAUSTED: busy,
  '53300': busy, // too_many_connections
  '57014': busy, // query_canceled, by statement_timeout
  '55P03': busy, // lock_not_available
  '40001': busy, // serialization_failure
  '40P01': busy, // deadlock_detected
  '53100': full, // disk_full
  '25006': full, // read_only_sql_transaction
};
