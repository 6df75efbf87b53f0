import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { readValue } from '@ballast/settings/read-value';
import { loadConfig } from '../../../apps/api/src/config.ts';
import type { Surroundings } from '../database/dispatcher-url.ts';
import { BackupProblem } from './backup-problem.ts';

const hourMs = 3_600_000;

/** Where Postgres is and where its backups go. Everything here runs beside Postgres: on its machine, as its user. */
export interface BackupSettings {
  /** Postgres' data. */
  dataFolder: string;
  socketFolder: string;
  port: number;
  database: string;
  /** Where finished WAL waits until it is in the repository. */
  spool: string;
  /** Where drills restore to. */
  scratch: string;
  fullEveryMs: number;
  backupEveryMs: number;
  drillEveryMs: number;
  /** What pgBackRest reads; holds the key. */
  pgbackrest: Readonly<Record<string, string>>;
  path: string;
}

/** Reads the settings, or throws one error with every problem. */
export function backupSettings({ env, secretsDirectory }: Surroundings): BackupSettings {
  const { values } = loadConfig('backup', { env, secretsDirectory });
  const spool = values.BACKUP_SPOOL;
  const defaults = {
    STANZA: 'ballast',
    PG1_PATH: values.PGDATA,
    PG1_SOCKET_PATH: values.PGHOST,
    PG1_PORT: String(values.PGPORT),
    PG1_USER: 'postgres',
    REPO1_PATH: values.BACKUP_REPOSITORY,
    REPO1_CIPHER_TYPE: 'aes-256-cbc',
    REPO1_CIPHER_PASS: values.BACKUP_KEY,
    // The newest full backup that is old enough stays, and all WAL since: any moment of these days can be restored.
    REPO1_RETENTION_FULL_TYPE: 'time',
    REPO1_RETENTION_FULL: String(values.BACKUP_KEEP_DAYS),
    REPO1_BUNDLE: 'y',
    REPO1_BLOCK: 'y',
    COMPRESS_TYPE: 'zst',
    START_FAST: 'y',
    LOCK_PATH: join(spool, 'lock'),
    LOG_LEVEL_FILE: 'off',
    LOG_LEVEL_CONSOLE: 'off',
    LOG_LEVEL_STDERR: 'warn',
  };
  return {
    dataFolder: values.PGDATA,
    socketFolder: values.PGHOST,
    port: values.PGPORT,
    database: values.PGDATABASE,
    spool,
    scratch: values.BACKUP_SCRATCH,
    fullEveryMs: values.BACKUP_FULL_EVERY_HOURS * hourMs,
    backupEveryMs: values.BACKUP_EVERY_HOURS * hourMs,
    drillEveryMs: values.BACKUP_DRILL_EVERY_HOURS * hourMs,
    pgbackrest: {
      ...Object.fromEntries(Object.entries(defaults).map(([name, value]) => [`PGBACKREST_${name}`, value])),
      ...secretsOfStore({ env, secretsDirectory }),
      ...ownWords(env),
    },
    path: env.PATH ?? '',
  };
}

/** Anything that pgBackRest can be told, its own way: S3, Azure, SFTP, a second repository. */
function ownWords(env: Surroundings['env']): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => (name.startsWith('PGBACKREST_') && value ? [[name, value]] : [])),
  );
}

/** The logins of an object store are secrets, and may be files as the others are. Who signed its certificate comes the same way. */
function secretsOfStore(sources: Pick<Surroundings, 'env' | 'secretsDirectory'>): Record<string, string> {
  const names = ['PGBACKREST_REPO1_S3_KEY', 'PGBACKREST_REPO1_S3_KEY_SECRET'];
  const logins = Object.fromEntries(
    names.flatMap((name) => {
      const found = readValue(name, sources);
      if (found && 'problem' in found) throw new BackupProblem(`${found.origin} ${found.problem}.`);
      return found ? [[name, found.value]] : [];
    }),
  );
  const authority = join(sources.secretsDirectory, 'pgbackrest_repo1_storage_ca');
  return existsSync(authority) ? { ...logins, PGBACKREST_REPO1_STORAGE_CA_FILE: authority } : logins;
}

/** Where a program of Postgres is: on the PATH, or where Debian puts it. */
export function postgresProgram(name: string, { path }: Pick<BackupSettings, 'path'>): string {
  const folders = [...path.split(delimiter), '/usr/lib/postgresql/18/bin'];
  const found = folders.map((folder) => join(folder, name)).find((file) => existsSync(file));
  if (found) return found;
  throw new BackupProblem(`There is no ${name} here. Run this where Postgres is installed, or add its folder to PATH.`);
}
