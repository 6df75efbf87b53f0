/**
 * Postgres on a folder that was just restored, for nobody but us: no network, a socket in
 * a folder of its own, where recovery is waited for and looked at.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type postgres from 'postgres';
import { BackupProblem } from './backup-problem.ts';
import { openSocket } from './live-server.ts';
import { environmentOf } from './pgbackrest.ts';
import { type BackupSettings, postgresProgram } from './settings.ts';

export interface PrivateServer {
  sql: postgres.Sql;
  /** The newest commit that recovery brought back, by the server's log; null when there was none to bring. */
  newestCommit: Date | null;
}

export interface PrivateOptions {
  folder: string;
  /** Whether this becomes the server: then what it writes belongs into the repository, and must last. */
  keeps: boolean;
}

const port = 5432;

export async function withPrivateServer<Result>(
  settings: BackupSettings,
  { folder, keeps }: PrivateOptions,
  work: (server: PrivateServer) => Promise<Result>,
): Promise<Result> {
  const own = mkdtempSync(join(tmpdir(), 'ballast-restore-'));
  const server = start(settings, { folder, keeps }, own);
  try {
    const sql = openSocket(own, port, settings.database);
    try {
      await server.recovered(sql);
      return await work({ sql, newestCommit: newestCommit(server.said()) });
    } finally {
      await sql.end({ timeout: 5 });
    }
  } finally {
    await server.stop();
    rmSync(own, { recursive: true, force: true });
  }
}

function start(settings: BackupSettings, { folder, keeps }: PrivateOptions, own: string) {
  const access = join(own, 'pg_hba.conf');
  // Who may enter the folder is us alone.
  writeFileSync(access, 'local all postgres trust\n');
  const words = {
    listen_addresses: '',
    unix_socket_directories: own,
    hba_file: access,
    port: String(port),
    // Nobody reads while it recovers, and so it needs no room for as many connections as the original had.
    hot_standby: 'off',
    logging_collector: 'off',
    log_destination: 'stderr',
    log_min_messages: 'warning',
    lc_messages: 'C',
    archive_mode: keeps ? 'on' : 'off',
    ...(keeps ? { archive_command: 'pgbackrest archive-push %p' } : { fsync: 'off' }),
    ...(existsSync(join(folder, 'postgresql.conf')) ? {} : { config_file: emptyFile(own) }),
  };
  const child = spawn(
    postgresProgram('postgres', settings),
    ['-D', folder, ...Object.entries(words).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
    { env: { ...environmentOf(settings), PGBACKREST_PG1_PATH: folder }, stdio: ['ignore', 'ignore', 'pipe'], cwd: '/' },
  );
  let said = '';
  child.stderr.on('data', (chunk) => {
    said = (said + chunk).slice(-50_000);
  });
  const ended = new Promise<void>((resolve) => {
    child.once('error', (error) => {
      said += error.message;
      resolve();
    });
    child.once('close', () => resolve());
  });
  let gone = false;
  void ended.then(() => {
    gone = true;
  });
  return {
    said: () => said,
    /** However long the WAL is; a server that gives up ends. */
    async recovered(sql: postgres.Sql): Promise<void> {
      while (!gone) {
        const [row] = await sql<{ recovers: boolean }[]>`select pg_is_in_recovery() as recovers`.catch(() => []);
        if (row?.recovers === false) return;
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
      throw new BackupProblem(whyNot(said));
    },
    async stop(): Promise<void> {
      child.kill('SIGINT');
      await ended;
    },
  };
}

/** For a Debian server, whose configuration lies elsewhere. */
function emptyFile(own: string): string {
  const file = join(own, 'postgresql.conf');
  writeFileSync(file, '');
  return file;
}

function newestCommit(said: string): Date | null {
  const at =
    /last completed transaction was at log time (\d{4}-\d\d-\d\d) ([\d:.]+) ?([+-]\d\d(?::\d\d)?|UTC|GMT)/.exec(said);
  if (!at) return null;
  const [, day, time, zone = ''] = at;
  const offset = /^[+-]\d\d$/.test(zone) ? `${zone}:00` : zone.replace(/^(UTC|GMT)$/, 'Z');
  return new Date(`${day}T${time}${offset}`);
}

function whyNot(said: string): string {
  if (/recovery ended before configured recovery target was reached/.test(said)) {
    const newest = newestCommit(said);
    return `The backups do not reach that moment${newest ? `: their newest commit is of ${newest.toISOString()}` : ''}. Restore to an earlier one, or to latest.`;
  }
  const lines = said.split('\n').filter((line) => /FATAL|PANIC|ERROR|HINT|pgBackRest|P00/.test(line));
  return `What was restored does not start:\n${lines.slice(-8).join('\n') || said.slice(-500) || 'it said nothing'}`;
}
