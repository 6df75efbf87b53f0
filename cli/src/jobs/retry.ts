import type { Database } from '@ballast/db';
import { retryJobs, showJob } from '@ballast/jobs/control';
import { type Answer, type DatabaseCommand, UsageError } from '../command.ts';
import { idArgument, idOf, refuseMistypedName } from './words.ts';

export const retry: DatabaseCommand = {
  name: 'retry',
  summary: 'Runs dead or cancelled jobs again, with all their attempts.',
  argument: { ...idArgument, optional: true },
  options: { name: { value: 'NAME', description: 'all dead and cancelled jobs of this name' } },
  prepare: ({ argument, options: { name } }) => {
    if ((argument === undefined) === (name === undefined)) {
      throw new UsageError('retry takes a job by its ID, or all of a name by --name NAME.');
    }
    return name === undefined ? one(idOf({ argument })) : all(name);
  },
};

const one = (id: string) => async (db: Database) => answer(await retryJobs(db, { id }), await why(db, id));

const all = (name: string) => async (db: Database) => {
  const retried = await retryJobs(db, { name });
  if (retried === 0) await refuseMistypedName(db, name);
  return answer(retried, `No job ${name} is dead or cancelled.`);
};

function answer(retried: number, nothing: string): Answer {
  const data = { retried };
  if (retried === 0) return { text: '', data, note: nothing, ok: false };
  return { text: `${retried === 1 ? 'One job waits' : `${retried} jobs wait`} to run again.`, data, ok: true };
}

async function why(db: Database, id: string): Promise<string> {
  const job = await showJob(db, id);
  return job ? `The job is ${job.state}: only a dead or cancelled one can be run again.` : `There is no job ${id}.`;
}
