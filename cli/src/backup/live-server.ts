import postgres from 'postgres';
import { BackupProblem } from './backup-problem.ts';
import type { BackupSettings } from './settings.ts';

/** One connection over a socket, as the superuser: a backup is of the whole server. */
export function openSocket(folder: string, port: number, database: string): postgres.Sql {
  return postgres({
    path: `${folder}/.s.PGSQL.${port}`,
    database,
    username: 'postgres',
    max: 1,
    connect_timeout: 5,
    onnotice: () => {},
    connection: { application_name: 'ballast-backup' },
  });
}

/** Works on the server that is backed up. */
export async function onLiveServer<Result>(
  settings: BackupSettings,
  work: (sql: postgres.Sql) => Promise<Result>,
): Promise<Result> {
  const sql = openSocket(settings.socketFolder, settings.port, settings.database);
  try {
    return await work(sql);
  } catch (error) {
    const { code = '', message } = error as { code?: string; message: string };
    if (/^(ECONN|ENOENT|EACCES|EPIPE|CONNECT|57P0)/.test(code)) {
      const where = `${settings.socketFolder}, port ${settings.port}`;
      throw new BackupProblem(`Postgres does not answer on its socket (${where}): ${message}`, { cause: error });
    }
    throw error;
  } finally {
    await sql.end({ timeout: 5 });
  }
}

/**
 * Whether a server runs on these settings' socket. Only a socket that is not there, or on which nobody listens, says
 * that none does: one that starts, stops, or has no time does not answer either.
 */
export async function isLive(settings: BackupSettings): Promise<boolean> {
  try {
    await onLiveServer({ ...settings, database: 'postgres' }, (sql) => sql`select 1`);
    return true;
  } catch (error) {
    const { code } = ((error as Error).cause ?? {}) as { code?: string };
    // Whoever may not ask does not know.
    if (!(error instanceof BackupProblem) || code === 'EACCES') throw error;
    return code !== 'ECONNREFUSED' && code !== 'ENOENT';
  }
}
