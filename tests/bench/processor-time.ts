import { readdir, readFile } from 'node:fs/promises';

/** One line of `/proc/<pid>/stat`, in clock ticks. */
export interface ProcessStat {
  parent: number;
  /** Its own processor time, user and system. */
  ticks: number;
  /** That of its children which have ended and were waited for. */
  endedChildrenTicks: number;
}

/** Linux counts in hundredths of a second. */
const microsecondsPerTick = 10_000;

/** Reads one `/proc/<pid>/stat`. The command's name stands in brackets and may hold spaces and brackets itself. */
export function parseStat(line: string): ProcessStat {
  const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
  // Fields are counted from the state, which proc(5) numbers 3.
  const field = (number: number) => {
    const value = Number(fields[number - 3]);
    if (!Number.isFinite(value)) throw new Error(`Not a process's stat line: ${line.slice(0, 80)}`);
    return value;
  };
  return {
    parent: field(4),
    ticks: field(14) + field(15),
    endedChildrenTicks: field(16) + field(17),
  };
}

/** The processor time of a process so far, in microseconds; that of all its descendants with `family`. */
export async function processorTime(pid: number, family = false): Promise<number> {
  if (!family) return ((await statOf(pid))?.ticks ?? 0) * microsecondsPerTick;
  const stats = new Map<number, ProcessStat>();
  for (const name of await readdir('/proc')) {
    const id = Number(name);
    const stat = Number.isInteger(id) ? await statOf(id) : null;
    if (stat) stats.set(id, stat);
  }
  return familyTicks(stats, pid) * microsecondsPerTick;
}

/** A server's connections come and go: what ended ones used is kept by their parent. */
export function familyTicks(stats: ReadonlyMap<number, ProcessStat>, pid: number): number {
  const own = stats.get(pid);
  if (!own) return 0;
  let ticks = own.ticks + own.endedChildrenTicks;
  for (const [id, stat] of stats) {
    if (stat.parent === pid && id !== pid) ticks += familyTicks(stats, id);
  }
  return ticks;
}

/** The parent of a process. */
export async function parentOf(pid: number): Promise<number> {
  const stat = await statOf(pid);
  if (!stat) throw new Error(`There is no process ${pid}.`);
  return stat.parent;
}

/** Null when the process has ended. */
async function statOf(pid: number): Promise<ProcessStat | null> {
  try {
    return parseStat(await readFile(`/proc/${pid}/stat`, 'utf8'));
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return null;
    throw error;
  }
}
