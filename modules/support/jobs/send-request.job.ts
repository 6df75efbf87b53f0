import { defineJob } from '@ballast/kernel';
import { z } from 'zod';

/** Mails a request to the team. Belongs to the tenant that asked. */
export const sendRequest = defineJob({
  name: 'support.send-request',
  payload: z.strictObject({ requestId: z.uuid() }),
  // A mail server may be away for a day and a half.
  attempts: 30,
  backoff: { firstMs: 5_000, maxMs: 2 * 60 * 60_000 },
});
