import { readBacklog } from '@ballast/jobs/backlog';
import { pauseQueue } from '@ballast/jobs/control';
import type { DatabaseCommand } from '../command.ts';
import { queueArgument, refuseMistypedQueue } from './words.ts';

export const pause: DatabaseCommand = {
  name: 'pause',
  summary: 'Hands out nothing more of a queue; what runs is left to end.',
  details: 'Jobs can still be added; they wait. The pause stands in Postgres and outlives every process.',
  argument: queueArgument,
  prepare: ({ argument: queue = '' }) => {
    return async (db) => {
      await refuseMistypedQueue(db, queue);
      const before = (await readBacklog(db)).find((entry) => entry.queue === queue);
      if (before?.paused) {
        return { text: '', data: { queue, changed: false }, note: `Queue ${queue} was paused already.`, ok: false };
      }
      await pauseQueue(db, queue);
      const waiting = before?.pending ?? 0;
      const text = `Queue ${queue} is paused; ${waiting === 1 ? 'one job waits' : `${waiting} jobs wait`} in it.`;
      const unknown = before ? {} : { note: 'No living worker serves a queue of this name.' };
      return { text, data: { queue, changed: true }, ok: true, ...unknown };
    };
  },
};
