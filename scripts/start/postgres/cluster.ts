import { type ChildProcess, spawn } from 'node:child_process';
import {
  appendFileSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { StartProblem } from '../start-problem.ts';
import { type Account, accountFor, under } from './account.ts';
import { findBinaries } from './binaries.ts';
import { corrupt, explainPostgres } from './explain-postgres.ts';
import { stopForgotten } from './stop-forgotten.ts';

export const postgresVersion = '18';

export interface ClusterOptions {
  directory: string;
  port: number;
  password: string;
  log: string;
  /** 200 when left out. */
  maxConnections?: number;
}

/** Told of each process that is started, so that it can be ended at any moment. */
type OnSpawn = (child: ChildProcess) => void;

/** Starts Postgres on the folder, which is made first when it is new. Resolves when it takes connections. */
export async function startCluster(options: ClusterOptions, onSpawn: OnSpawn = () => {}): Promise<ChildProcess> {
  const binaries = await findBinaries();
  const account = accountFor(options.directory, [dirname(options.directory), binaries.postgres]);
  await stopForgotten(options.directory);
  if (isNew(options.directory)) await initialise(options, binaries.initdb, account, onSpawn);
  checkVersion(options);
  const settings = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: String(options.maxConnections ?? 200),
    timezone: 'UTC',
    log_timezone: 'UTC',
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  const target = under(account, binaries.postgres, ['-D', options.directory, '-p', String(options.port), ...flags]);
  const server = spawn(target.command, target.args, { ...target.options, stdio: ['ignore', 'pipe', 'pipe'], env });
  onSpawn(server);
  await ready(server, options);
  return server;
}

/** Made aside and renamed when complete: an interrupted start leaves nothing half-made in its place. */
async function initialise(
  options: ClusterOptions,
  initdb: string,
  account: Account | undefined,
  onSpawn: OnSpawn,
): Promise<void> {
  const draft = `${options.directory}.new`;
  const passwordFile = `${options.directory}.password`;
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(draft, { recursive: true, mode: 0o700 });
  writeFileSync(passwordFile, `${options.password}\n`, { mode: 0o600 });
  if (account) for (const path of [draft, passwordFile]) chownSync(path, account.uid, account.gid);
  const target = under(account, initdb, [
    `--pgdata=${draft}`,
    '--auth=scram-sha-256',
    '--username=postgres',
    `--pwfile=${passwordFile}`,
    '--encoding=UTF8',
    '--locale=C',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
  ]);
  try {
    const child = spawn(target.command, target.args, { ...target.options, stdio: ['ignore', 'pipe', 'pipe'], env });
    onSpawn(child);
    const said = listen(child, options.log);
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    if (code !== 0) throw new StartProblem(explainPostgres(said.text, options));
    rmSync(options.directory, { recursive: true, force: true });
    renameSync(draft, options.directory);
  } finally {
    rmSync(passwordFile, { force: true });
  }
}

function isNew(directory: string): boolean {
  return !existsSync(directory) || readdirSync(directory).length === 0;
}

function checkVersion(options: ClusterOptions): void {
  const file = join(options.directory, 'PG_VERSION');
  const version = existsSync(file) ? readFileSync(file, 'utf8').trim() : '';
  if (!version) throw new StartProblem(corrupt(options, 'its PG_VERSION file is missing'));
  if (version === postgresVersion) return;
  throw new StartProblem(
    `The data in ${options.directory} was written by Postgres ${version}, and this is Postgres ${postgresVersion}. ` +
      `Dump it with the older version and restore it, or move it away to begin afresh: mv ${options.directory} ${options.directory}.${version}`,
  );
}

async function ready(server: ChildProcess, options: ClusterOptions): Promise<void> {
  const said = listen(server, options.log);
  await new Promise<void>((resolve, reject) => {
    const look = () => {
      if (!said.text.includes('ready to accept connections')) return;
      server.stderr?.off('data', look);
      server.off('close', fail);
      resolve();
    };
    const fail = () => reject(new StartProblem(explainPostgres(said.text, options)));
    server.stderr?.on('data', look);
    server.once('close', fail);
    server.once('error', reject);
  });
}

/** Copies what the process says into the log, and keeps the end of it. */
function listen(child: ChildProcess, log: string): { text: string } {
  const said = { text: '' };
  const keep = (chunk: Buffer) => {
    said.text = (said.text + chunk.toString()).slice(-20_000);
    try {
      appendFileSync(log, chunk);
    } catch {
      // A full disk must not end the process that keeps Postgres.
    }
  };
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  return said;
}

// English messages, whatever the machine speaks: they are read here.
const env = { ...process.env, LC_ALL: 'C', LC_MESSAGES: 'C' };
