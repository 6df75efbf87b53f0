import { defineJob } from '@ballast/kernel';
import { z } from 'zod';

/** Someone signed up with an address that has an account: its owner hears of it, the person at the form does not. */
export const sendAccountExists = defineJob({
  name: 'accounts.send-account-exists',
  payload: z.strictObject({ userId: z.uuid() }),
});
