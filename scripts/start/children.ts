import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync, renameSync } from 'node:fs';
import { join, relative } from 'node:path';
import { followLog } from './follow-log.ts';
import { lastLines, sizeOf } from './log-lines.ts';
import { endProcesses, type KnownProcess, knownProcess, signalGroup, waitUntilGone } from './processes.ts';
import { root } from './settings.ts';
import { asProblem, StartProblem, Stopped } from './start-problem.ts';

export interface Command {
  name: string;
  /** Arguments of the pinned Node. */
  args: readonly string[];
  cwd?: string;
  env: Record<string, string | undefined>;
}

export interface Children {
  /** Runs to the end; a failure is reported with the last lines of its log. */
  run(command: Command): Promise<void>;
  /** Starts and leaves it running; its death is reported to `onDeath`, unless it was asked to stop. */
  start(command: Command, show: 'errors' | 'everything'): void;
  stop(names: readonly string[]): Promise<void>;
  /** SIGKILL, as a crash would: for tests. Its death is reported as any other. */
  kill(name: string): Promise<void>;
  /** Stops all, and refuses to start another. */
  close(): Promise<void>;
}

interface Live {
  known: KnownProcess;
  stopping: boolean;
}

export interface ChildrenOptions {
  data: string;
  logs: string;
  graceMs: number;
  /** Told of all that run whenever one begins or ends, so that somebody knows them if this process is killed. */
  onChange(running: KnownProcess[]): void;
  onDeath(sentence: string): void;
}

/** The processes of this start. Each leads a group of its own and writes to its own log. */
export function openChildren({ data, logs, graceMs, onChange, onDeath }: ChildrenOptions): Children {
  const live = new Map<string, Live>();
  let closed = false;
  const changed = () => onChange([...live.values()].map((entry) => entry.known));
  const logOf = (name: string) => join(logs, `${name}.log`);

  const began = new Map<string, number>();

  function launch({ name, args, cwd, env }: Command, show: 'nothing' | 'errors' | 'everything'): ChildProcess {
    if (closed) throw new Stopped(name);
    rotate(logOf(name));
    began.set(name, sizeOf(logOf(name)));
    const unfollow = show === 'nothing' ? () => {} : followLog(name, logOf(name), show === 'everything');
    const log = openSync(logOf(name), 'a');
    const child = spawn(process.execPath, args, {
      cwd: cwd ?? root,
      env: env as NodeJS.ProcessEnv,
      detached: true,
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    if (child.pid === undefined) return child;
    const known = knownProcess(name, child.pid);
    live.set(name, { known, stopping: false });
    changed();
    child.once('exit', () => {
      unfollow();
      live.delete(name);
      changed();
    });
    return child;
  }

  function failure(name: string, how: string): StartProblem {
    const log = logOf(name);
    const lines = lastLines(log, began.get(name) ?? 0, 12).map((line) => `    ${line}`);
    const problem = asProblem(errorCodeIn(lines.join('\n')), data);
    if (problem instanceof StartProblem) return problem;
    return new StartProblem(`${name} ${how}. The last lines of ${relative(root, log)}:\n\n${lines.join('\n')}`);
  }

  async function end(chosen: readonly Live[]): Promise<void> {
    for (const entry of chosen) entry.stopping = true;
    await endProcesses(
      chosen.map((entry) => entry.known),
      graceMs + 2000,
    );
  }

  return {
    async run(command) {
      const child = launch(command, 'nothing');
      const entry = live.get(command.name);
      await new Promise<void>((resolve, reject) => {
        child.once('error', reject);
        child.once('exit', (code, signal) => {
          if (code === 0) resolve();
          else if (entry?.stopping) reject(new Stopped(command.name));
          else reject(failure(command.name, `failed (${signal ?? `exit code ${code}`})`));
        });
      });
    },
    start(command, show) {
      const child = launch(command, show);
      const entry = live.get(command.name);
      child.once('error', (error) => onDeath(`${command.name} did not start: ${error.message}`));
      child.once('exit', (code, signal) => {
        if (entry?.stopping) return;
        onDeath(failure(command.name, `ended by itself (${signal ?? `exit code ${code}`})`).message);
      });
    },
    stop: (names) => end([...live.values()].filter(({ known }) => names.includes(known.name))),
    async kill(name) {
      const known = live.get(name)?.known;
      if (!known) return;
      signalGroup(known.pid, 'SIGKILL');
      await waitUntilGone([known], 5000);
      while (live.has(name)) await new Promise((resolve) => setTimeout(resolve, 10));
    },
    close() {
      closed = true;
      return end([...live.values()]);
    },
  };
}

/** A log begins anew when it has grown large; the one before is kept. */
function rotate(log: string): void {
  if (sizeOf(log) > 5_000_000) renameSync(log, `${log}.old`);
}

function errorCodeIn(text: string): { code: string } | undefined {
  return /\bENOSPC\b|No space left on device/.test(text) ? { code: 'ENOSPC' } : undefined;
}
