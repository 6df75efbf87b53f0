import { type JobProgress, type JobRow, type ListFilter, listJobs } from '@ballast/jobs/control';
import type { DatabaseCommand } from '../command.ts';
import { type Column, table } from '../output/table.ts';
import { fromNow, iso } from '../output/when.ts';
import { limitOf, refuseMistypedName, refuseMistypedQueue, stateOf, states, tenantOf } from './words.ts';

const standardLimit = 50;

export const list: DatabaseCommand = {
  name: 'list',
  summary: 'Lists jobs, the newest first.',
  options: {
    state: { value: 'STATE', description: `only ${states.join(', ')}` },
    name: { value: 'NAME', description: 'only jobs of this name' },
    queue: { value: 'QUEUE', description: 'only jobs of this queue' },
    tenant: { value: 'ID', description: 'only jobs of this organisation' },
    limit: { value: 'N', description: `at most so many, ${standardLimit} when left out` },
  },
  prepare: ({ options: { state, name, queue, tenant, limit } }) => {
    const filter: ListFilter = {
      ...(state === undefined ? {} : { state: stateOf(state) }),
      ...(name === undefined ? {} : { name }),
      ...(queue === undefined ? {} : { queue }),
      ...(tenant === undefined ? {} : { tenantId: tenantOf(tenant) }),
      limit: limit === undefined ? standardLimit : limitOf(limit),
    };
    return async (db) => {
      const jobs = await listJobs(db, filter);
      if (jobs.length > 0) {
        const more = jobs.length === filter.limit ? `The newest ${jobs.length}; --limit shows more.` : undefined;
        return {
          text: table(jobs, columns(jobs, new Date())),
          data: jobs.map(dated),
          ok: true,
          ...(more ? { note: more } : {}),
        };
      }
      if (name !== undefined) await refuseMistypedName(db, name);
      if (queue !== undefined) await refuseMistypedQueue(db, queue);
      return { text: '', data: [], note: 'No such jobs.', ok: false };
    };
  },
};

const columns = (jobs: readonly JobRow[], now: Date): Column<JobRow>[] => [
  { title: 'ID', value: (job) => job.id },
  { title: 'JOB', value: (job) => job.name },
  { title: 'STATE', value: (job) => job.state },
  { title: 'STARTS', value: (job) => `${job.attempt}/${job.attempts}`, right: true },
  // Few jobs say how far they are.
  ...(jobs.some(running) ? [{ title: 'PROGRESS', value: (job: JobRow) => running(job), right: true }] : []),
  { title: 'QUEUE', value: (job) => job.queue },
  { title: 'ADDED', value: (job) => fromNow(job.createdAt, now), right: true },
  { title: 'RUNS', value: (job) => (job.state === 'pending' ? fromNow(job.runAt, now) : null), right: true },
  { title: 'LAST FAILURE', value: (job) => job.failure, most: 80 },
];

/** How far it is, while it runs. */
const running = ({ state, progress }: JobRow) => (state === 'dispatched' && progress ? percent(progress) : null);

/** Rounded down: a run that says 0.999 has not ended. */
export const percent = ({ fraction }: JobProgress) => `${Math.floor(Math.round(fraction * 10_000) / 100)} %`;

/** Moments as every program reads them. */
export function dated<Row extends JobRow>(job: Row): Row {
  return {
    ...job,
    runAt: iso(job.runAt),
    createdAt: iso(job.createdAt),
    startedAt: iso(job.startedAt),
    endedAt: iso(job.endedAt),
    progress: job.progress && { ...job.progress, at: iso(job.progress.at) },
  };
}
