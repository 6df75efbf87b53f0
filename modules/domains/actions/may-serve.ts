import { sqlOf } from '@ballast/db';
import { z } from 'zod';
import type { RequestAction } from '../../context.ts';
import { domainNameOf } from '../domain-name.ts';
import { errors } from '../errors.ts';

export const MayServe = z.strictObject({ domain: z.string().min(1).max(253) });

/** Throws unless the name was proved, by whomever, or is the site's own. What cannot be a domain costs no query. */
export async function mayServe({ ctx, input }: RequestAction<z.output<typeof MayServe>>): Promise<void> {
  const { domain } = MayServe.parse(input);
  // First: the site may well have a name that no tenant could have, such as one below localhost.
  if (domain.toLowerCase() === new URL(ctx.services.publicUrl).hostname) return;
  const name = domainNameOf(domain);
  if (!name) throw errors.not_proved();
  const [answer] = await ctx.read(
    (tx) => sqlOf(tx)<{ proved: boolean }[]>`select domains.is_proved(${name}) as proved`,
  );
  if (!answer?.proved) throw errors.not_proved();
}
