import { defineHandler } from '../../context.ts';
import { removeSessions } from '../actions/remove-expired-sessions.ts';
import { removeExpiredSessions } from './remove-expired-sessions.job.ts';

export const handler = defineHandler(removeExpiredSessions, async ({ ctx }) => {
  await removeSessions({ ctx });
});
