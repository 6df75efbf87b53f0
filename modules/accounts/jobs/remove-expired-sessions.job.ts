import { defineJob } from '@ballast/kernel';
import { z } from 'zod';

/** One batch. Adds the job of the next one, while there is one. */
export const removeExpiredSessions = defineJob({
  name: 'accounts.remove-expired-sessions',
  payload: z.strictObject({}),
});
