import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { signalGroup } from '../start/processes.ts';
import { root } from '../start/settings.ts';

/** What Node has compiled once: suites start the same programs some hundred times. The command line keeps its own there. */
const compiled = join(root, 'node_modules/.cache/ballast');

const running = new Set<ChildProcess>();

export interface Outcome {
  code: number;
  output: string;
}

/** Runs a Node program and keeps what it prints. It leads a group, so that nothing of it outlives the run. */
export function runNode(
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<Outcome> {
  const child = spawn(process.execPath, args, {
    cwd: options.cwd ?? root,
    env: { ...process.env, FORCE_COLOR: '0', NO_COLOR: '1', NODE_COMPILE_CACHE: compiled, ...options.env },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      running.delete(child);
      // Whatever it left in its group goes with it.
      if (child.pid !== undefined) signalGroup(child.pid, 'SIGKILL');
      resolve({ code: code ?? 1, output });
    });
  });
}

/** Ctrl-C during the tests: everything that runs is asked to end, then ended. */
export function endAll(): void {
  for (const child of running) if (child.pid !== undefined) signalGroup(child.pid, 'SIGTERM');
  setTimeout(() => {
    for (const child of running) if (child.pid !== undefined) signalGroup(child.pid, 'SIGKILL');
    process.exit(130);
  }, 3000);
}
