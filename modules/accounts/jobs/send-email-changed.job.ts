import { defineJob } from '@ballast/kernel';
import { z } from 'zod';

/** Tells the old address, which is written nowhere else any more. */
export const sendEmailChanged = defineJob({
  name: 'accounts.send-email-changed',
  payload: z.strictObject({ userId: z.uuid(), oldEmail: z.email(), newEmail: z.email() }),
  attempts: 10,
});
