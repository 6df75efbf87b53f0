import { readBacklog } from '@ballast/jobs/backlog';
import { resumeQueue } from '@ballast/jobs/control';
import type { DatabaseCommand } from '../command.ts';
import { queueArgument, refuseMistypedQueue } from './words.ts';

export const resume: DatabaseCommand = {
  name: 'resume',
  summary: 'Hands out a paused queue again.',
  argument: queueArgument,
  prepare: ({ argument: queue = '' }) => {
    return async (db) => {
      const before = (await readBacklog(db)).find((entry) => entry.queue === queue);
      if (!before?.paused) {
        await refuseMistypedQueue(db, queue);
        return { text: '', data: { queue, changed: false }, note: `Queue ${queue} was not paused.`, ok: false };
      }
      await resumeQueue(db, queue);
      return { text: `Queue ${queue} is handed out again.`, data: { queue, changed: true }, ok: true };
    };
  },
};
