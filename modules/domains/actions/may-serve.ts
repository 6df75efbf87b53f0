import { sqlOf } from '@ballast/db';
import { z } from 'zod';
import type { RequestAction } from '../../context.ts';
import { domainNameOf } from '../domain-name.ts';
import { errors } from '../errors.ts';

export const MayServe = z.strictObject({ domain: z.string().min(1).max(253) });

/** Throws unless the name was proved, by whomever, or is the site's own. What cannot be a domain costs no query. */
export async function mayServe({ ctx, input }: RequestAction<z.output<typeof MayServe>>): Promise<void> {
  const name = domainNameOf(MayServe.parse(input).domain);
  if (!name) throw errors.not_proved();
  if (name === new URL(ctx.services.publicUrl).hostname) return;
  const [answer] = await ctx.transaction(
    (tx) => sqlOf(tx)<{ proved: boolean }[]>`select domains.is_proved(${name}) as proved`,
  );
  if (!answer?.proved) throw errors.not_proved();
}
