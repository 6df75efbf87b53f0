import { cancelJob, showJob } from '@ballast/jobs/control';
import type { DatabaseCommand } from '../command.ts';
import { idArgument, idOf } from './words.ts';

export const cancel: DatabaseCommand = {
  name: 'cancel',
  summary: 'Cancels a job that has not started.',
  argument: idArgument,
  prepare: (given) => {
    const id = idOf(given);
    return async (db) => {
      const cancelled = await cancelJob(db, id);
      if (cancelled) return { text: 'Cancelled.', data: { id, cancelled }, ok: true };
      const job = await showJob(db, id);
      const note = job
        ? `The job is ${job.startedAt && job.state === 'dispatched' ? 'running' : job.state}: only one that waits can be cancelled.`
        : `There is no job ${id}.`;
      return { text: '', data: { id, cancelled }, note, ok: false };
    };
  },
};
