import { runNow as makeDue, showJob } from '@ballast/jobs/control';
import type { DatabaseCommand } from '../command.ts';
import { idArgument, idOf } from './words.ts';

export const runNow: DatabaseCommand = {
  name: 'run',
  summary: 'Makes a waiting job due now, instead of at its time.',
  argument: idArgument,
  prepare: (given) => {
    const id = idOf(given);
    return async (db) => {
      const due = await makeDue(db, id);
      if (due) return { text: 'Due now: it starts as soon as a worker is free.', data: { id, due }, ok: true };
      const job = await showJob(db, id);
      const note = job ? `The job is ${job.state}: only a pending one can be made due.` : `There is no job ${id}.`;
      return { text: '', data: { id, due }, note, ok: false };
    };
  },
};
