import { type JobDetail, type JobProgress, showJob } from '@ballast/jobs/control';
import type { DatabaseCommand } from '../command.ts';
import { plain } from '../output/table.ts';
import { fromNow, iso } from '../output/when.ts';
import { dated, percent } from './list.ts';
import { idArgument, idOf } from './words.ts';

export const show: DatabaseCommand = {
  name: 'show',
  summary: 'Shows one job with its payload and all its failures.',
  argument: idArgument,
  prepare: (given) => {
    const id = idOf(given);
    return async (db) => {
      const job = await showJob(db, id);
      if (!job) return { text: '', data: null, note: `There is no job ${id}.`, ok: false };
      const failures = job.failures.map((failure) => ({ ...failure, at: iso(failure.at) }));
      return { text: describe(job, new Date()), data: { ...dated(job), failures }, ok: true };
    };
  },
};

function describe(job: JobDetail, now: Date): string {
  const moment = (at: string | null) => (at === null ? '-' : `${iso(at)} (${fromNow(at, now)})`);
  const facts: [string, string][] = [
    ['id', job.id],
    ['job', `${job.name}, version ${job.version}`],
    ['state', job.state],
    ['queue', job.queue],
    ['organisation', job.tenantId ?? 'none'],
    ['starts', `${job.attempt} of ${job.attempts}`],
    ['added', moment(job.createdAt)],
    ['due', moment(job.runAt)],
    ['started', moment(job.startedAt)],
    ['ended', moment(job.endedAt)],
    ...(job.progress ? [['progress', progressed(job.progress, now)] satisfies [string, string]] : []),
    ['payload', JSON.stringify(job.payload)],
  ];
  const width = Math.max(...facts.map(([name]) => name.length));
  const failures = job.failures.map(({ attempt, at, message }) => `  ${attempt}. ${iso(at)}  ${plain(message)}`);
  return [
    ...facts.map(([name, value]) => `${name.padEnd(width)}  ${plain(value)}`),
    ...(failures.length > 0 ? ['failures', ...failures] : []),
  ].join('\n');
}

function progressed(progress: JobProgress, now: Date): string {
  const said = `${percent(progress)} in start ${progress.attempt}, ${fromNow(progress.at, now)}`;
  return progress.note === null ? said : `${said}: ${progress.note}`;
}
