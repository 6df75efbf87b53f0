import { type ChildProcess, fork } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '@ballast/test-kit/free-port';
import { knownProcess } from '../processes.ts';
import { type RunRecord, writeRecord } from '../run-record.ts';
import { secretFile } from '../secrets.ts';
import type { Settings } from '../settings.ts';
import { StartProblem, Stopped } from '../start-problem.ts';
import type { KeeperMessage, KeeperOptions } from './keeper.ts';

export interface Keeper {
  /** The superuser's URL of the embedded Postgres; undefined when a database is given. */
  adminUrl: string | undefined;
  stop(): Promise<void>;
}

/**
 * Starts the keeper, and with it Postgres unless DATABASE_URL is given. Ends with `ending`
 * while it starts; later, ends the session when Postgres ends without being asked.
 */
export async function startKeeper(settings: Settings, record: RunRecord, ending: AbortController): Promise<Keeper> {
  const log = join(settings.logs, 'postgres.log');
  const port = settings.postgresPort ?? (await freePort());
  const password = settings.databaseUrl ? '' : secretFile(settings.data, 'postgres_superuser').value;
  const cluster = { directory: join(settings.data, 'postgres'), port, password, log };
  const options: KeeperOptions = {
    data: settings.data,
    graceMs: settings.graceMs,
    cluster: settings.databaseUrl ? undefined : cluster,
  };
  const output = openSync(log, 'a');
  const child = fork(join(import.meta.dirname, 'keeper.ts'), [], {
    detached: true,
    stdio: ['ignore', output, output, 'ipc'],
  });
  closeSync(output);
  child.send(options);
  record.keeper = knownProcess('keeper', child.pid ?? 0);
  writeRecord(settings.data, record);
  const stop = () => stopKeeper(child);
  ending.signal.addEventListener('abort', stop);
  const postgres = await firstAnswer(child).catch((error) => {
    throw ending.signal.aborted ? new Stopped('postgres') : error;
  });
  ending.signal.removeEventListener('abort', stop);
  if (postgres !== undefined) record.postgres = knownProcess('postgres', postgres);
  writeRecord(settings.data, record);
  child.on('message', (message: KeeperMessage) => {
    if (message.kind === 'postgres-exited') ending.abort(`Postgres ended by itself (exit code ${message.code}).`);
  });
  child.once('exit', () => ending.abort('The process that keeps Postgres was ended.'));
  return {
    adminUrl: settings.databaseUrl ? undefined : `postgres://postgres:${password}@127.0.0.1:${port}/postgres`,
    stop,
  };
}

/** Aborting an abort that happened does nothing: an exit that was asked for is no failure. */
async function stopKeeper(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  if (child.connected) child.send('stop');
  await gone;
}

function firstAnswer(child: ChildProcess): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    child.once('message', (message: KeeperMessage) => {
      if (message.kind === 'ready') resolve(message.postgres);
      else if (message.kind === 'failed') {
        reject(message.sentence ? new StartProblem(message.sentence) : new Error(message.stack));
      }
    });
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`The process that keeps Postgres ended (exit code ${code}).`)));
  });
}
