import type { Database } from '@ballast/db';
import type { Choice, KindCount } from '@ballast/jobs/control';
import { type Given, type Option, UsageError } from '../command.ts';
import { table } from '../output/table.ts';
import { idArgument, idOf, refuseMistypedName, refuseMistypedQueue } from './words.ts';

export const choiceArgument = { ...idArgument, optional: true };

export const choiceOptions = (past: 'held' | 'released'): Record<string, Option> => ({
  queue: { value: 'QUEUE', description: 'all of this queue' },
  name: { value: 'NAME', description: 'all of this name; with --queue, only those in it' },
  all: { description: 'all there are' },
  'dry-run': { description: `counts what would be ${past}, and changes nothing` },
});

/** One job by its id, or those of a queue or a name, or, said aloud, all. */
export function choiceOf(verb: 'hold' | 'release', { argument, options }: Given): Choice {
  const { queue, name, all } = options;
  const ways = [argument, queue ?? name, all].filter((way) => way !== undefined);
  if (ways.length !== 1) throw new UsageError(`${verb} takes one job by its ID, or --queue, --name or --all.`);
  if (argument !== undefined) return { id: idOf({ argument }) };
  return groupOf({ queue, name });
}

export const groupOf = ({ queue, name }: Given['options']): Choice => ({
  ...(queue === undefined ? {} : { queue }),
  ...(name === undefined ? {} : { name }),
});

export async function refuseMistypedChoice(db: Database, { queue, name }: Choice): Promise<void> {
  if (name !== undefined) await refuseMistypedName(db, name);
  if (queue !== undefined) await refuseMistypedQueue(db, queue);
}

export const sumOf = (kinds: readonly KindCount[]) => kinds.reduce((sum, { jobs }) => sum + jobs, 0);

export const kindTable = (kinds: readonly KindCount[]) =>
  table(kinds, [
    { title: 'QUEUE', value: (kind: KindCount) => kind.queue },
    { title: 'JOB', value: (kind: KindCount) => kind.name },
    { title: 'JOBS', value: (kind: KindCount) => kind.jobs, right: true },
  ]);
