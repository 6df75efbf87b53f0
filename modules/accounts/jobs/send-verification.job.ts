import { defineJob } from '@ballast/kernel';
import { z } from 'zod';

/** Carries no token: the link is made when the mail is sent. `email` tells whether the address is still the account's. */
export const sendVerification = defineJob({
  name: 'accounts.send-verification',
  payload: z.strictObject({ userId: z.uuid(), email: z.email() }),
  attempts: 10,
});
