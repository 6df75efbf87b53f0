import { countJobs, type JobState, type QueueCount } from '@ballast/jobs/control';
import type { DatabaseCommand } from '../command.ts';
import { type Column, table } from '../output/table.ts';
import { duration } from '../output/when.ts';
import { states } from './words.ts';

export const counts: DatabaseCommand = {
  name: 'counts',
  summary: 'Counts jobs per queue, name and state, with the age of the oldest that is due.',
  details: 'Done and cancelled jobs are counted while they are kept. Reads the whole table.',
  prepare: () => async (db) => {
    const rows = await countJobs(db);
    if (rows.length === 0) return { text: '', data: [], note: 'There are no jobs.', ok: true };
    const lines = [...Map.groupBy(rows, (row) => `${row.queue}\n${row.name}`).values()];
    return { text: table(lines, columns), data: rows, ok: true };
  },
};

const count = (rows: readonly QueueCount[], state: JobState) => rows.find((row) => row.state === state)?.jobs ?? 0;

const columns: Column<QueueCount[]>[] = [
  { title: 'QUEUE', value: ([first]) => (first ? `${first.queue}${first.paused ? ' (paused)' : ''}` : '') },
  { title: 'JOB', value: ([first]) => first?.name ?? '' },
  ...states.map((state) => ({
    title: state.toUpperCase(),
    value: (rows: readonly QueueCount[]) => count(rows, state),
    right: true,
  })),
  { title: 'OLDEST DUE', value: oldest, right: true },
];

function oldest(rows: readonly QueueCount[]): string | null {
  const ages = rows.flatMap((row) => row.oldestDueSeconds ?? []);
  return ages.length === 0 ? null : duration(Math.max(...ages));
}
