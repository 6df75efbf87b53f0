import { defineJob } from '@ballast/kernel';
import { z } from 'zod';

/** Carries no token: the link is made when the mail is sent. */
export const sendReset = defineJob({
  name: 'accounts.send-reset',
  payload: z.strictObject({ userId: z.uuid() }),
  attempts: 10,
});
