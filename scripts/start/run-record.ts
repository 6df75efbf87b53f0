import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { endProcesses, isAlive, type KnownProcess, knownProcess, waitUntilGone } from './processes.ts';
import { StartProblem } from './start-problem.ts';

/** Who runs on a data folder: the start script, its keeper, and what they started. */
export interface RunRecord {
  starter: KnownProcess;
  address: string;
  keeper?: KnownProcess;
  postgres?: KnownProcess;
  children: KnownProcess[];
  /** What the processes were told, for `ballast doctor` in another terminal. */
  told?: Told;
}

export interface Told {
  /** Settings that are no secrets, by name. */
  settings: Record<string, string>;
  /** The names of secret settings that were given in the environment; never their values. */
  given: string[];
}

const fileOf = (data: string) => join(data, 'run.json');

export function readRecord(data: string): RunRecord | undefined {
  try {
    return JSON.parse(readFileSync(fileOf(data), 'utf8')) as RunRecord;
  } catch (error) {
    // Half a record is what a full disk leaves; it names nobody.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Takes the data folder for this process. A second start is told of the first; a crashed one is cleared away. */
export async function takeFolder(data: string, address: string): Promise<RunRecord> {
  mkdirSync(data, { recursive: true });
  const record: RunRecord = { starter: knownProcess('start', process.pid), address, children: [] };
  for (let attempt = 0; attempt < 3; attempt++) {
    const earlier = readRecord(data);
    if (earlier && isAlive(earlier.starter)) {
      throw new StartProblem(
        `Ballast already runs here (process ${earlier.starter.pid}): open ${earlier.address}, ` +
          `or stop it first (Ctrl-C in its terminal, or kill ${earlier.starter.pid}).`,
      );
    }
    await clearLeftovers(earlier);
    rmSync(fileOf(data), { force: true });
    try {
      writeFileSync(fileOf(data), JSON.stringify(record), { flag: 'wx' });
      return record;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
  throw new StartProblem(`Another start of Ballast is taking ${data} at this moment. Try again in a few seconds.`);
}

/** Written whole, so that a reader never sees half of it. */
export function writeRecord(data: string, record: RunRecord): void {
  const draft = `${fileOf(data)}.${process.pid}`;
  writeFileSync(draft, JSON.stringify(record));
  renameSync(draft, fileOf(data));
}

export function removeRecord(data: string): void {
  rmSync(fileOf(data), { force: true });
}

/** What a killed start left: its keeper gets time to end it all in order; what then remains is ended here. */
async function clearLeftovers(earlier: RunRecord | undefined): Promise<void> {
  if (!earlier) return;
  if (earlier.keeper) await waitUntilGone([earlier.keeper], 20_000);
  await endProcesses(earlier.children, 5000);
  if (earlier.postgres && isAlive(earlier.postgres)) {
    // SIGINT is Postgres' fast shutdown: it rolls back what is open and writes a checkpoint.
    process.kill(earlier.postgres.pid, 'SIGINT');
    if (!(await waitUntilGone([earlier.postgres], 20_000))) {
      throw new StartProblem(
        `The Postgres of an earlier start (process ${earlier.postgres.pid}) does not stop. ` +
          `End it with kill -QUIT ${earlier.postgres.pid}, then start again.`,
      );
    }
  }
}
