import type { Database } from '@ballast/db';
import { type Choice, cancelHeld, cancelJob, readHeld, showJob } from '@ballast/jobs/control';
import { type Answer, type DatabaseCommand, UsageError } from '../command.ts';
import { groupOf, kindTable, refuseMistypedChoice, sumOf } from './choice.ts';
import { idArgument, idOf } from './words.ts';

export const cancel: DatabaseCommand = {
  name: 'cancel',
  summary: 'Cancels a job that has not started, or held ones together.',
  details:
    'After a restore --held cancels what was done already, by --name or --queue or both; without, all that is held.',
  argument: { ...idArgument, optional: true },
  options: {
    held: { description: 'held jobs: all, or those of --name and --queue' },
    queue: { value: 'QUEUE', description: 'with --held: of this queue' },
    name: { value: 'NAME', description: 'with --held: of this name' },
    'dry-run': { description: 'with --held: counts what would be cancelled, and changes nothing' },
  },
  prepare: ({ argument, options }) => {
    const { held, ...more } = options;
    if (argument !== undefined && held === undefined && Object.keys(more).length === 0) return one(idOf({ argument }));
    if (argument === undefined && held !== undefined) return together(groupOf(more), more['dry-run'] !== undefined);
    throw new UsageError('cancel takes a job by its ID, or --held with --name, --queue or neither.');
  },
};

const one = (id: string) => async (db: Database) => {
  const cancelled = await cancelJob(db, id);
  if (cancelled) return { text: 'Cancelled.', data: { id, cancelled }, ok: true };
  const job = await showJob(db, id);
  const note = job
    ? `The job is ${job.startedAt && job.state === 'dispatched' ? 'running' : job.state}: only one that waits can be cancelled.`
    : `There is no job ${id}.`;
  return { text: '', data: { id, cancelled }, note, ok: false };
};

const together =
  (choice: Choice, dryRun: boolean) =>
  async (db: Database): Promise<Answer> => {
    const kinds = dryRun ? await readHeld(db, choice) : await cancelHeld(db, choice);
    const cancelled = sumOf(kinds);
    const data = { dryRun, cancelled, kinds };
    if (cancelled === 0) {
      await refuseMistypedChoice(db, choice);
      return { text: '', data, note: 'No such job is held.', ok: false };
    }
    const jobs = cancelled === 1 ? 'One job' : `${cancelled} jobs`;
    const line = dryRun ? `${jobs} would be cancelled.` : `${jobs} ${cancelled === 1 ? 'is' : 'are'} cancelled.`;
    return { text: `${kindTable(kinds)}\n${line}`, data, ok: true };
  };
