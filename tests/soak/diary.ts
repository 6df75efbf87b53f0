/** What a run writes down of each process and job, for the history of a job that went wrong. */
import type { Member } from './fleet.ts';

export interface Diary {
  started(member: Member, jobIds: readonly string[]): void;
  ended(member: Member, how: string): void;
  happened(what: string): void;
  /** How often each end of a process came. */
  ends(): Record<string, number>;
  /** The starts of a job, with what became of the process. */
  startsOf(jobId: string): string[];
  timesStarted(jobId: string): number;
  /** What was done to Redis and Postgres. */
  events: readonly string[];
}

export function openDiary(): Diary {
  const starts = new Map<string, { at: number; process: number }[]>();
  const ends = new Map<number, { at: number; how: string }>();
  const events: string[] = [];
  return {
    events,
    started(member, jobIds) {
      for (const id of jobIds) {
        const list = starts.get(id);
        const start = { at: Date.now(), process: member.number };
        if (list) list.push(start);
        else starts.set(id, [start]);
      }
    },
    ended(member, how) {
      ends.set(member.number, { at: Date.now(), how });
    },
    happened(what) {
      events.push(`${time(Date.now())} ${what}`);
    },
    ends() {
      const counts: Record<string, number> = {};
      for (const { how } of ends.values()) counts[how] = (counts[how] ?? 0) + 1;
      return counts;
    },
    startsOf: (jobId) =>
      (starts.get(jobId) ?? []).map(({ at, process }) => {
        const end = ends.get(process);
        return `${time(at)} started in process ${process}${end ? `, which ended at ${time(end.at)}: ${end.how}` : ''}`;
      }),
    timesStarted: (jobId) => starts.get(jobId)?.length ?? 0,
  };
}

const time = (at: number) => new Date(at).toISOString().slice(11, 23);
