/**
 * Keeps Postgres, and outlives the start script: in a session of its own, so that a
 * terminal's Ctrl-C reaches the script first, which ends the others before the database.
 * When the script is killed, the keeper ends what it left, in the same order.
 */
import type { ChildProcess } from 'node:child_process';
import { endProcesses } from '../processes.ts';
import { readRecord, removeRecord } from '../run-record.ts';
import { asProblem, StartProblem } from '../start-problem.ts';
import { type ClusterOptions, startCluster } from './cluster.ts';

export interface KeeperOptions {
  data: string;
  graceMs: number;
  /** None when the database is given: then the keeper only watches. */
  cluster: ClusterOptions | undefined;
}

export type KeeperMessage =
  | { kind: 'ready'; postgres: number | undefined }
  | { kind: 'failed'; sentence: string | undefined; stack: string | undefined }
  | { kind: 'postgres-exited'; code: number | null };

let running: ChildProcess | undefined;
let ending = false;
let options: KeeperOptions | undefined;

// The options hold a password: arguments would show it in every list of processes.
process.on('message', (message: 'stop' | KeeperOptions) => {
  if (message === 'stop') end();
  else void keep(message);
});
process.on('SIGTERM', end);
process.on('SIGINT', end);
process.on('SIGHUP', () => {});
process.once('disconnect', inherit);

async function keep(given: KeeperOptions): Promise<void> {
  options = given;
  try {
    const server =
      options.cluster &&
      (await startCluster(options.cluster, (child) => {
        running = child;
      }));
    server?.once('exit', (code) => {
      if (!ending) tell({ kind: 'postgres-exited', code });
      process.exit();
    });
    tell({ kind: 'ready', postgres: server?.pid });
  } catch (error) {
    if (ending) process.exit();
    const problem = asProblem(error, options.data);
    const sentence = problem instanceof StartProblem ? problem.message : undefined;
    tell({ kind: 'failed', sentence, stack: (problem as Error).stack });
    process.exitCode = 1;
    if (process.connected) process.disconnect();
  }
}

function tell(message: KeeperMessage): void {
  if (process.connected) process.send?.(message);
}

/** SIGINT is Postgres' fast shutdown, and ends an initdb; the keeper goes when it has gone. */
function end(): void {
  ending = true;
  if (running) running.kill('SIGINT');
  else process.exit();
}

async function inherit(): Promise<void> {
  if (ending || process.exitCode === 1) return;
  const record = options && readRecord(options.data);
  if (options && record) {
    await endProcesses(record.children, options.graceMs + 2000);
    removeRecord(options.data);
  }
  end();
}
