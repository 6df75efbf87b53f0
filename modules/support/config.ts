import { defineConfig } from '@ballast/kernel';
import { z } from 'zod';

export const config = defineConfig('support', {
  settings: {
    SUPPORT_EMAIL: {
      schema: z.email(),
      description: 'The mailbox that requests for help are sent to.',
      development: 'support@ballast.localhost',
    },
  },
  options: z.strictObject({
    /** How many requests of one organisation may wait for their delivery. */
    maxOpenRequests: z.int().min(1).max(1000).default(20),
  }),
});
