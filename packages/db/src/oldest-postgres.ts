import { AppError } from '@ballast/kernel';
import type postgres from 'postgres';

/** `uuidv7()` and `returning old.` came with it; migrations and statements use both. */
export const oldestMajor = 18;

/** `server_version_num` is 170005 for 17.5. */
export function isTooOld(versionNumber: number): boolean {
  return versionNumber < oldestMajor * 10_000;
}

/** As people say it. Before 10, releases had three numbers. */
export function versionName(versionNumber: number): string {
  const major = Math.trunc(versionNumber / 10_000);
  return `${major}.${major < 10 ? Math.trunc(versionNumber / 100) % 100 : versionNumber % 10_000}`;
}

/**
 * For whoever is about to change a database. Without it an older server takes the first migrations, and refuses
 * a later one for a function that it does not know.
 */
export async function refuseOldPostgres(sql: postgres.Sql): Promise<void> {
  const [row] = await sql<{ number: number }[]>`select current_setting('server_version_num')::int as number`;
  if (!row || !isTooOld(row.number)) return;
  const { host, port } = sql.options;
  throw new AppError('database.too_old', {
    public:
      `Postgres ${versionName(row.number)} answers at ${host[0]}:${port[0]}; Ballast needs ${oldestMajor} or newer. ` +
      'Nothing was changed. Upgrade the server (pg_upgrade, or a dump that is restored), or give the address of a newer one.',
    retryable: false,
  });
}
