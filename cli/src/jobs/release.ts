import { readHeld, releaseJobs, showJob } from '@ballast/jobs/control';
import type { DatabaseCommand } from '../command.ts';
import { choiceArgument, choiceOf, choiceOptions, kindTable, refuseMistypedChoice, sumOf } from './choice.ts';

export const release: DatabaseCommand = {
  name: 'release',
  summary: 'Lets held jobs run again, each at its own time.',
  details:
    'After a restore all open jobs are held: what ran after the restored point would run once more.\n' +
    'Look with --dry-run, cancel what must not run again, and release the rest.',
  argument: choiceArgument,
  options: choiceOptions('released'),
  prepare: (given) => {
    const choice = choiceOf('release', given);
    const dryRun = given.options['dry-run'] !== undefined;
    return async (db) => {
      const kinds = dryRun ? await readHeld(db, choice) : await releaseJobs(db, choice);
      const released = sumOf(kinds);
      const data = { dryRun, released, kinds };
      if (released > 0) {
        const jobs = released === 1 ? 'One job' : `${released} jobs`;
        const line = dryRun ? `${jobs} would be released.` : `${jobs} ${released === 1 ? 'waits' : 'wait'} again.`;
        return { text: `${kindTable(kinds)}\n${line}`, data, ok: true };
      }
      await refuseMistypedChoice(db, choice);
      const job = choice.id === undefined ? null : await showJob(db, choice.id);
      const note = job ? `The job is ${job.state}, not held.` : 'No such job is held.';
      return { text: '', data, note, ok: false };
    };
  },
};
