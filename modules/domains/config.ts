import { isIPv4, isIPv6 } from 'node:net';
import { defineConfig } from '@ballast/kernel';
import { z } from 'zod';

const server = /^(?:(?<four>[\d.]+)|\[(?<six>[\da-f:.]+)\])(?::(?<port>\d{1,5}))?$/i;

/** Whether a resolver takes it: one that refused it later, at a look, would fail requests and not the start. */
function isServer(text: string): boolean {
  const { four = '', six = '', port = '53' } = server.exec(text)?.groups ?? {};
  return (isIPv4(four) || isIPv6(six)) && Number(port) >= 1 && Number(port) <= 65_535;
}

export const config = defineConfig('domains', {
  settings: {
    DOMAINS_RESOLVERS: {
      schema: z
        .string()
        .transform((text) => text.split(',').map((part) => part.trim()))
        .refine((servers) => servers.every(isServer), 'must be addresses such as 9.9.9.9 or [::1]:53')
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
    /** How many domains of all tenants may be proved in an hour: each may cost a certificate, and authorities count those. Of one organisation, a fifth. */
    proofsPerHour: z.int().min(1).max(10_000).default(50),
  }),
});
