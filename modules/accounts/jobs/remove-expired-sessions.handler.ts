import type { Tx } from '@ballast/db';
import type { Services } from '@ballast/http';
import { defineHandler } from '@ballast/kernel';
import { removeSessions } from '../actions/remove-expired-sessions.ts';
import { removeExpiredSessions } from './remove-expired-sessions.job.ts';

export const handler = defineHandler<Record<string, never>, Tx, Services>(removeExpiredSessions, async ({ ctx }) => {
  await removeSessions({ ctx });
});
