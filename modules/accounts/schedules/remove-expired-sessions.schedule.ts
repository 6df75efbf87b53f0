import { defineSchedule } from '@ballast/kernel';
import { removeExpiredSessions } from '../jobs/remove-expired-sessions.job.ts';

export const nightly = defineSchedule({
  name: 'accounts.remove-expired-sessions',
  job: removeExpiredSessions,
  payload: {},
  cron: '15 3 * * *',
});
