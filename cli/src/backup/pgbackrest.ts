/**
 * The one place that runs pgBackRest (docs/decisions). It is told everything by its
 * environment, so that the key of the repository is in no file and in no list of processes.
 */
import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { BackupProblem } from './backup-problem.ts';
import type { BackupSettings } from './settings.ts';

export type BackupKind = 'full' | 'diff' | 'incr';

export interface KnownBackup {
  label: string;
  kind: BackupKind;
  /** Seconds since 1970. */
  startedAt: number;
  endedAt: number;
  /** Bytes of the database, and what this backup added to the repository. */
  size: number;
  stored: number;
  /** A page had a wrong checksum when it was copied. */
  damaged: boolean;
}

/** What its commands need of the settings. */
export type RepositorySettings = Pick<BackupSettings, 'spool' | 'pgbackrest' | 'path'>;

/** Runs one command. Resolves with what it printed. */
export async function pgbackrest(
  settings: RepositorySettings,
  command: string,
  args: readonly string[] = [],
): Promise<string> {
  mkdirSync(settings.spool, { recursive: true, mode: 0o700 });
  const child = spawn('pgbackrest', [command, ...args], {
    env: environmentOf(settings),
    stdio: ['ignore', 'pipe', 'pipe'],
    // Where the shell stands may be closed to Postgres' user.
    cwd: '/',
  });
  const said = { out: '', err: '' };
  child.stdout.on('data', (chunk) => {
    said.out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    said.err = (said.err + chunk).slice(-20_000);
  });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', (error: NodeJS.ErrnoException) => {
      reject(error.code === 'ENOENT' ? new BackupProblem(notInstalled) : error);
    });
    child.once('close', resolve);
  });
  if (code !== 0) throw new BackupProblem(explain(command, said.err, code));
  return said.out;
}

export function environmentOf(settings: RepositorySettings): NodeJS.ProcessEnv {
  return { PATH: settings.path, LC_ALL: 'C.UTF-8', ...settings.pgbackrest };
}

/** The backups that are there, the oldest first. */
export async function listBackups(settings: BackupSettings): Promise<KnownBackup[]> {
  const [stanza] = parseInfo(await pgbackrest(settings, 'info', ['--output=json']));
  if (!stanza) return [];
  // 1: nothing was ever prepared; 2: no backup yet.
  if (stanza.status.code > 2) {
    const why = (stanza.repo ?? []).map(({ status }) => status.message).join('; ') || stanza.status.message;
    throw unreadable(why);
  }
  return stanza.backup.map((backup) => ({
    label: backup.label,
    kind: backup.type,
    startedAt: backup.timestamp.start,
    endedAt: backup.timestamp.stop,
    size: backup.info.size,
    stored: backup.info.repository.delta,
    damaged: backup.error === true,
  }));
}

/**
 * With another key than the repository's it finds a wrong padding, or takes for a file's content what is none and repeats it inside
 * its JSON: any bytes, also those that no string of JSON may hold and that no terminal should be shown.
 */
function parseInfo(said: string): Stanza[] {
  try {
    return JSON.parse(said.replaceAll(/\p{Cc}/gu, ' ')) as Stanza[];
  } catch {
    throw unreadable('what pgBackRest tells of it is no JSON (FormatError)');
  }
}

function unreadable(why: string): BackupProblem {
  const question = /CryptoError|FormatError/.test(why) ? '\nWas it encrypted with another BACKUP_KEY?' : '';
  return new BackupProblem(`The repository cannot be read: ${why.trim()}${question}`);
}

/** Which Postgres these backups are of, by the number that `initdb` gave it; null when there are none yet. */
export async function systemOfRepository(settings: RepositorySettings): Promise<bigint | null> {
  // More digits than JSON.parse keeps. The newest of several stands last.
  const [, id] =
    [...(await pgbackrest(settings, 'info', ['--output=json'])).matchAll(/"system-id":(\d+)/g)].at(-1) ?? [];
  return id === undefined ? null : BigInt(id);
}

interface Stanza {
  status: { code: number; message: string };
  repo?: { status: { message: string } }[];
  backup: {
    label: string;
    type: BackupKind;
    timestamp: { start: number; stop: number };
    info: { size: number; repository: { delta: number } };
    error?: boolean;
  }[];
}

const notInstalled =
  'pgBackRest is not installed here. Run this in the service backup (docker compose exec backup ballast …), ' +
  'or beside Postgres after: apt-get install pgbackrest';

/** Its errors come with hints, line by line. */
function explain(command: string, said: string, code: number | null): string {
  const lines = said.split('\n').map((line) => line.trim());
  const from = lines.findIndex((line) => /^(P\d+ +)?ERROR:/.test(line));
  const error = (from < 0 ? lines : lines.slice(from))
    .map((line) => line.replace(/^(P\d+ +)?ERROR: \[\d+\]: /, ''))
    .filter((line) => line !== '' && !/^\[(FILE|RETRY)/.test(line))
    .slice(0, 12)
    .join('\n');
  return `pgBackRest could not ${command} (${code}): ${error || 'it said nothing'}`;
}
