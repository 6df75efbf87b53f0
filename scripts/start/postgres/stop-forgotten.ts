import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { knownProcess, waitUntilGone } from '../processes.ts';
import { StartProblem } from '../start-problem.ts';

/** Stops a Postgres of ours that still runs on the folder although no record of it is left. */
export async function stopForgotten(directory: string): Promise<void> {
  const pid = forgottenPid(directory);
  if (pid === undefined) return;
  const server = knownProcess('postgres', pid);
  process.kill(pid, 'SIGINT');
  if (await waitUntilGone([server], 20_000)) return;
  throw new StartProblem(
    `An earlier Postgres (process ${pid}) still uses ${directory} and does not stop. End it with kill -QUIT ${pid}, then start again.`,
  );
}

/** The process that postmaster.pid names, when that is alive and really a Postgres on this folder. */
function forgottenPid(directory: string): number | undefined {
  try {
    const pid = Number(readFileSync(join(directory, 'postmaster.pid'), 'utf8').split('\n')[0]);
    if (!Number.isInteger(pid) || pid < 2) return undefined;
    const command = execFileSync('ps', ['-o', 'args=', '-p', String(pid)], { encoding: 'utf8', stdio: 'pipe' });
    return command.includes('postgres') && command.includes(directory) ? pid : undefined;
  } catch {
    return undefined;
  }
}
