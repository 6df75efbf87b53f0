import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** A process, told apart from a later one that got the same number. */
export interface KnownProcess {
  name: string;
  pid: number;
  /** When it began, in the system's own words. */
  began: string;
}

/** When the process began, or undefined when there is none of that number. */
export function beginningOf(pid: number): string | undefined {
  try {
    if (process.platform === 'linux') {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      // The second field is a name in parentheses that may hold spaces; state is the first after it.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return fields[0] === 'Z' ? undefined : fields[19];
    }
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim() || undefined;
  } catch {
    return undefined;
  }
}

export function knownProcess(name: string, pid: number): KnownProcess {
  return { name, pid, began: beginningOf(pid) ?? '' };
}

export function isAlive(process: KnownProcess): boolean {
  return beginningOf(process.pid) === process.began;
}

/** Signals the process and everything that it started; each one we start leads a group of its own. */
export function signalGroup(pid: number, signal: NodeJS.Signals): void {
  for (const target of [-pid, pid]) {
    try {
      process.kill(target, signal);
      return;
    } catch {
      // Not a group's leader, or gone already.
    }
  }
}

/** True when all are gone within the time. */
export async function waitUntilGone(processes: readonly KnownProcess[], timeoutMs: number): Promise<boolean> {
  const deadline = Date.now() + timeoutMs;
  while (processes.some(isAlive)) {
    if (Date.now() > deadline) return false;
    await sleep(50);
  }
  return true;
}

/** Asks all to end, waits for it, and ends those that did not. */
export async function endProcesses(processes: readonly KnownProcess[], graceMs: number): Promise<void> {
  for (const known of processes.filter(isAlive)) signalGroup(known.pid, 'SIGTERM');
  if (await waitUntilGone(processes, graceMs)) return;
  for (const known of processes.filter(isAlive)) signalGroup(known.pid, 'SIGKILL');
  await waitUntilGone(processes, 2000);
}
