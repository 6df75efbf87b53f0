import { defineJob } from '@ballast/kernel';
import { z } from 'zod';

/**
 * Carries no token: the link is made when the mail is sent. And no address: a job that
 * failed for good outlives an account that is removed since nobody confirmed it.
 * `addressDigest` tells whether the address is still the account's.
 */
export const sendVerification = defineJob({
  name: 'accounts.send-verification',
  payload: z.strictObject({ userId: z.uuid(), addressDigest: z.base64url() }),
  attempts: 10,
});
