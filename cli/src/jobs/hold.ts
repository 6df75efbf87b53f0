import { type Held, type Holdable, holdJobs, readHoldable, showJob } from '@ballast/jobs/control';
import type { Answer, DatabaseCommand } from '../command.ts';
import { program } from '../output/program.ts';
import { choiceArgument, choiceOf, choiceOptions, kindTable, refuseMistypedChoice, sumOf } from './choice.ts';

export const hold: DatabaseCommand = {
  name: 'hold',
  summary: 'Keeps jobs that have not begun from running, until they are released.',
  details:
    'What runs is left to end, and what is added later is not held: pause the queue for that.\n' +
    'Held jobs give up their keys, and can be cancelled.',
  argument: choiceArgument,
  options: choiceOptions('held'),
  prepare: (given) => {
    const choice = choiceOf('hold', given);
    const dryRun = given.options['dry-run'] !== undefined;
    return async (db) => {
      const found = dryRun ? await readHoldable(db, choice) : await holdJobs(db, choice);
      if (sumOf(found.kinds) > 0) return answer(found, dryRun);
      await refuseMistypedChoice(db, choice);
      const job = choice.id === undefined ? undefined : await showJob(db, choice.id);
      const why = job
        ? `The job is ${found.running > 0 ? 'running' : job.state}: only one that has not begun can be held.`
        : choice.id !== undefined
          ? `There is no job ${choice.id}.`
          : ['No such job waits.', ...left(found)].join(' ');
      return { text: '', data: dataOf(found, dryRun), note: why, ok: false };
    };
  },
};

function answer(found: Holdable | Held, dryRun: boolean): Answer {
  const held = sumOf(found.kinds);
  const jobs = held === 1 ? 'One job' : `${held} jobs`;
  const are = held === 1 ? 'is' : 'are';
  const line = dryRun ? `${jobs} would be held.` : `${jobs} ${are} held until \`${program} jobs release\`.`;
  const note = left(found).join(' ');
  return {
    text: `${kindTable(found.kinds)}\n${line}`,
    data: dataOf(found, dryRun),
    ok: true,
    ...(note ? { note } : {}),
  };
}

function left(found: Holdable | Held): string[] {
  const { running } = found;
  const missed = 'missed' in found ? found.missed : 0;
  return [
    ...(running > 0 ? [`Running and left to end: ${running}.`] : []),
    ...(missed > 0 ? [`Still waiting, since somebody keeps moving them: ${missed}. Try again.`] : []),
  ];
}

function dataOf(found: Holdable | Held, dryRun: boolean) {
  const { kinds, running } = found;
  return { dryRun, held: sumOf(kinds), running, ...('missed' in found ? { missed: found.missed } : {}), kinds };
}
