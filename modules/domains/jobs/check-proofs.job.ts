import { defineJob } from '@ballast/kernel';
import { z } from 'zod';

/** One batch of proved domains, of all tenants: is the record still there? Adds the job of the next batch. */
export const checkProofs = defineJob({
  name: 'domains.check-proofs',
  payload: z.strictObject({}),
});
