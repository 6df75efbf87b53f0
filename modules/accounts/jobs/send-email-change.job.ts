import { defineJob } from '@ballast/kernel';
import { z } from 'zod';

/** Asks the new address for a confirmation. Which one that is stands in the pending change, read when the mail is sent. */
export const sendEmailChange = defineJob({
  name: 'accounts.send-email-change',
  payload: z.strictObject({ userId: z.uuid() }),
  attempts: 10,
});
