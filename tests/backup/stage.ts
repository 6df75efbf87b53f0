/**
 * A Postgres of the test's own that is backed up as the Compose file's is: the same archive_command, the same
 * command line, under an account that is not root.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { migrate, readMigrations } from '@ballast/db/migrate';
import { prepareDatabase } from '@ballast/db/prepare-database';
import { roles } from '@ballast/db/roles';
import { databaseUrl, onServer, testPassword } from '@ballast/test-kit/database';
import { freePort } from '@ballast/test-kit/free-port';
import { migrationSources } from '@ballast/test-kit/template';
import { expect, vi } from 'vitest';
import { accountFor, under } from '../../scripts/start/postgres/account.ts';
import { findBinaries } from '../../scripts/start/postgres/binaries.ts';

const root = resolve(import.meta.dirname, '../..');

export interface Said {
  code: number | null;
  out: string;
  err: string;
}

export interface BackupStage {
  folder: string;
  dataFolder: string;
  adminUrl: string;
  ownerUrl: string;
  appUrl: string;
  dispatcherUrl: string;
  /** Runs the command line beside Postgres. */
  ballast(words: readonly string[], env?: Record<string, string>): Promise<Said>;
  /** The service, until the stage closes or its process is ended. */
  serve(env?: Record<string, string>): ChildProcess;
  startPostgres(): Promise<void>;
  stopPostgres(signal?: 'SIGINT' | 'SIGTERM' | 'SIGKILL'): Promise<void>;
  /** Comes back when all that was committed before lies in the repository; throws after three minutes. */
  walSaved(): Promise<void>;
  close(): Promise<void>;
}

export async function openBackupStage(): Promise<BackupStage> {
  const folder = mkdtempSync(join(tmpdir(), 'ballast-backup-'));
  chmodSync(folder, 0o755);
  const binaries = await findBinaries();
  const account = accountFor(folder, [binaries.postgres, process.execPath, root]);
  const [dataFolder, run] = [join(folder, 'postgres/data'), join(folder, 'run')];
  for (const path of [join(folder, 'postgres'), dataFolder, run, join(folder, 'repository'), join(folder, 'home')]) {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    if (account) chownSync(path, account.uid, account.gid);
  }
  const port = await freePort();
  const environment = {
    PATH: `${dirname(binaries.postgres)}:${process.env.PATH}`,
    HOME: join(folder, 'home'),
    PGDATA: dataFolder,
    PGHOST: run,
    PGPORT: String(port),
    BACKUP_SPOOL: join(run, 'pgbackrest'),
    BACKUP_REPOSITORY: join(folder, 'repository'),
    BACKUP_SCRATCH: join(folder, 'repository/scratch'),
    BACKUP_KEY: 'of-the-tests-and-long-enough-to-be-one',
  };
  const start = (command: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) => {
    const target = under(account, command, args);
    return spawn(target.command, target.args, {
      ...target.options,
      cwd: '/',
      env: { LC_ALL: 'C', ...environment, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  };
  const cli = (words: readonly string[], env: Record<string, string> = {}) =>
    start(process.execPath, [join(root, 'cli/src/main.ts'), ...words], env);
  const children: ChildProcess[] = [];
  let server: ChildProcess | null = null;

  const passwordFile = join(folder, 'password');
  writeFileSync(passwordFile, `${testPassword}\n`);
  const made = await ended(
    start(binaries.initdb, [
      ...['-D', dataFolder, '-U', 'postgres', `--pwfile=${passwordFile}`, '--encoding=UTF8', '--locale=C'],
      ...['--auth-local=trust', '--auth-host=scram-sha-256'],
    ]),
  );
  if (made.code !== 0) throw new Error(made.err);

  const adminUrl = `postgres://postgres:${testPassword}@127.0.0.1:${port}/postgres`;
  const stage: BackupStage = {
    folder,
    dataFolder,
    adminUrl: databaseUrl(adminUrl, 'ballast'),
    ownerUrl: databaseUrl(adminUrl, 'ballast', roles.owner),
    appUrl: databaseUrl(adminUrl, 'ballast', roles.app),
    dispatcherUrl: databaseUrl(adminUrl, 'ballast', roles.dispatcher),
    ballast: (words, env) => ended(cli(words, env)),
    serve(env) {
      const child = cli(['backup', 'serve'], env);
      children.push(child);
      return child;
    },
    async startPostgres() {
      const settings = [
        ...['listen_addresses=127.0.0.1', `port=${port}`, `unix_socket_directories=${run}`, 'max_connections=200'],
        ...composeSettings(run),
      ];
      const child = start(binaries.postgres, ['-D', dataFolder, ...settings.flatMap((setting) => ['-c', setting])]);
      server = child;
      let said = '';
      child.stderr?.on('data', (chunk) => {
        said = (said + chunk).slice(-10_000);
      });
      for (let tries = 0; tries < 1_200 && child.exitCode === null; tries++) {
        const up = await onServer(adminUrl, (sql) => sql`select 1`).catch(() => null);
        if (up) return;
        await new Promise((again) => setTimeout(again, 100));
      }
      throw new Error(`The tests' Postgres did not start:\n${said}`);
    },
    async stopPostgres(signal = 'SIGINT') {
      const child = server;
      server = null;
      if (!child || child.exitCode !== null || child.signalCode !== null) return;
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill(signal);
      await gone;
    },
    async walSaved() {
      const segment = await onServer(stage.adminUrl, async (sql) => {
        // Where the switch finds nothing to end, since Postgres has just ended a segment itself, it names the one that begins.
        const [mark] = await sql<{ segment: string }[]>`
          select pg_walfile_name(pg_logical_emit_message(false, 'tests', '') - 1) as segment`;
        await sql`select pg_switch_wal()`;
        return mark?.segment ?? '';
      });
      // Postgres hands the segment to the spool in its own time: an empty spool alone says nothing yet.
      await vi.waitFor(
        async () => {
          const [row] = await onServer(
            stage.adminUrl,
            (sql) => sql<{ handedOver: string | null }[]>`
              select last_archived_wal as "handedOver" from pg_stat_archiver`,
          );
          expect((row?.handedOver ?? '') >= segment, `Postgres handed over ${segment}`).toBe(true);
          expect(spooled(run).filter((name) => name <= segment)).toEqual([]);
        },
        { timeout: 180_000, interval: 200 },
      );
    },
    async close() {
      for (const child of children) child.kill('SIGKILL');
      await stage.stopPostgres();
      // Those that were killed may still be ending.
      rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
    },
  };
  await stage.startPostgres();
  const passwords = { owner: testPassword, app: testPassword, dispatcher: testPassword, backup: testPassword };
  await prepareDatabase(adminUrl, { database: 'ballast', passwords });
  await migrate(stage.ownerUrl, await readMigrations(migrationSources()));
  return stage;
}

/** The segments that wait for the repository. */
export const spooled = (run: string): string[] =>
  readdirSync(join(run, 'pgbackrest')).filter((name) => /^[0-9A-F]{24}$/.test(name));

/** What the Compose file tells Postgres about archiving, with the run's folder in the place of its own. */
function composeSettings(run: string): string[] {
  const compose = readFileSync(join(root, 'docker-compose.yml'), 'utf8');
  const found = [...compose.matchAll(/^ {6}- (archive_\w+=.*)$/gm)].map(([, setting = '']) => setting);
  if (found.length !== 3) throw new Error('docker-compose.yml no longer says how WAL is archived.');
  return found.map((setting) => setting.replaceAll('$$', '$').replaceAll('/var/run/postgresql', run));
}

export function ended(child: ChildProcess): Promise<Said> {
  const said = { out: '', err: '' };
  child.stdout?.on('data', (chunk) => {
    said.out += chunk;
  });
  child.stderr?.on('data', (chunk) => {
    said.err += chunk;
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, ...said }));
  });
}
