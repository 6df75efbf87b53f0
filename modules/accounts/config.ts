import { defineConfig } from '@ballast/kernel';
import { z } from 'zod';

/** AUTH_SECRET and PUBLIC_URL belong to the process; the module only has options. */
export const config = defineConfig('accounts', {
  settings: {},
  options: z.strictObject({
    /** How long a browser stays signed in without a visit. */
    sessionDays: z.int().min(1).max(365).default(30),
    /** How long the link that confirms an address works. */
    verificationHours: z.int().min(1).max(168).default(24),
    /** How long the link that sets a new password works. */
    resetMinutes: z.int().min(5).max(1440).default(60),
    /** How long an account is kept whose address nobody confirms, after its last mail was asked for. No link lives longer. */
    keepUnconfirmedDays: z.int().min(7).max(3650).default(30),
  }),
});
