import { defineConfig } from '@ballast/kernel';
import { z } from 'zod';

const server = /^(?:\d{1,3}(?:\.\d{1,3}){3}(?::\d{1,5})?|\[[\da-f:.]+\](?::\d{1,5})?)$/i;

export const config = defineConfig('domains', {
  settings: {
    DOMAINS_RESOLVERS: {
      schema: z
        .string()
        .transform((text) => text.split(',').map((part) => part.trim()))
        .refine(
          (servers) => servers.every((each) => server.test(each)),
          'must be addresses such as 9.9.9.9 or [::1]:53',
        )
        .optional(),
      description:
        "The name servers that are asked for tenants' records, separated by commas; the system's when unset.",
    },
  },
  options: z.strictObject({
    /** How many domains one organisation may have, proved or not. */
    maxDomains: z.int().min(1).max(1000).default(10),
    /** For so long after its record was first missed, a domain is served on. */
    graceDays: z.int().min(1).max(90).default(3),
    /** How many domains of all tenants may be proved in an hour: each may cost a certificate, and authorities count those. */
    proofsPerHour: z.int().min(1).max(10_000).default(50),
  }),
});
