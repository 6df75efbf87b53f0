import { type Database, openDatabase } from '@ballast/db';
import { within } from '../deadline.ts';
import { Away } from './away.ts';

export interface SeenDatabase {
  db: Database;
  user: string;
  bypassesRows: boolean;
  readOnly: boolean;
  /** As `server_version_num` says it. */
  versionNumber: number;
}

/** A machine that is very busy answers late, and is not away. */
const connectSeconds = 5;
/** A statement that waits for a lock is not to hold up the rest. */
const statementMs = 5_000;

/** Two connections: one slow statement does not keep the others waiting. */
export function openPostgres(
  url: string,
  { pooled = false }: { pooled?: boolean } = {},
): { seen: () => Promise<SeenDatabase>; close: () => void } {
  const db = openDatabase({
    url,
    pooled,
    applicationName: 'ballast-doctor',
    maxConnections: 2,
    connectTimeoutSeconds: connectSeconds,
    statementTimeoutMs: statementMs,
  });
  let first: Promise<SeenDatabase> | null = null;
  return {
    seen: () => (first ??= look(db)),
    // Not waited for: whatever hangs is why.
    close: () => void db.sql.end({ timeout: 0 }).catch(() => {}),
  };
}

async function look(db: Database): Promise<SeenDatabase> {
  try {
    const [row] = await within(
      connectSeconds * 1_000 + 500,
      db.sql<Omit<SeenDatabase, 'db'>[]>`
        select current_user as user, rolsuper or rolbypassrls as "bypassesRows",
               pg_is_in_recovery() or current_setting('default_transaction_read_only')::boolean as "readOnly",
               current_setting('server_version_num')::int as "versionNumber"
        from pg_roles where rolname = current_user`.execute(),
    );
    if (!row) throw new Error('Postgres does not know who is logged in.');
    return { db, ...row };
  } catch (error) {
    const { code = '', message } = error as { code?: string; message: string };
    throw new Away('Postgres', code, message);
  }
}
