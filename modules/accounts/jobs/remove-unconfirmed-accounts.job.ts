import { defineJob } from '@ballast/kernel';
import { z } from 'zod';

/** One batch, from the first account behind `afterId` on. Adds the job of the next one, while there is one. */
export const removeUnconfirmedAccounts = defineJob({
  name: 'accounts.remove-unconfirmed-accounts',
  payload: z.strictObject({ afterId: z.uuid().optional() }),
});
