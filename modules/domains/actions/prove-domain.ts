import { audit, causesOf } from '@ballast/db';
import { and, eq, sql } from 'drizzle-orm';
import { z } from 'zod';
import type { RequestAction } from '../../context.ts';
import { config } from '../config.ts';
import { lookForProof } from '../dns/look-for-proof.ts';
import { errors } from '../errors.ts';
import { domain } from '../schema.ts';
import { type DomainView, viewOf } from '../view.ts';

export const ProveDomain = z.strictObject({ id: z.uuid() });

/** Looks for the record, outside of any transaction, and keeps the proof when it is there. */
export async function proveDomain({ ctx, input }: RequestAction<z.output<typeof ProveDomain>>): Promise<DomainView> {
  const { tenantId: organizationId } = ctx;
  if (!organizationId) throw errors.no_organization();
  const { id } = ProveDomain.parse(input);
  const { DOMAINS_RESOLVERS: resolvers, options } = ctx.settings(config);
  const claimed = and(eq(domain.organizationId, organizationId), eq(domain.id, id));

  const [claim] = await ctx.read((tx) => tx.select().from(domain).where(claimed));
  if (!claim) throw errors.not_found();
  const look = await lookForProof(claim, resolvers);
  if (look === 'unanswered') throw errors.lookup_failed();
  if (look === 'absent') throw errors.record_missing();
  if (!claim.provedAt) {
    const everyone = { name: 'domains.proofs', limit: options.proofsPerHour, windowSeconds: 3600 };
    // First: adding, proving and removing one domain over and over, an organisation would use up what all have.
    const own = { ...everyone, name: 'domains.own-proofs', limit: Math.ceil(options.proofsPerHour / 5) };
    await ctx.limit(own, organizationId);
    await ctx.limit(everyone, 'all');
  }

  return ctx
    .transaction(async (tx) => {
      const [row] = await tx
        .update(domain)
        .set({ provedAt: sql`coalesce(${domain.provedAt}, now())`, checkedAt: sql`now()`, missingSince: null })
        .where(claimed)
        .returning();
      if (!row) throw errors.not_found();
      if (!claim.provedAt) await audit(tx, { action: 'domains.domain.prove', subject: id });
      return viewOf(row, { publicUrl: ctx.services.publicUrl, graceDays: options.graceDays });
    })
    .catch((error: unknown) => {
      throw isProvedElsewhere(error) ? errors.proved_elsewhere({ cause: error }) : error;
    });
}

/** The unique index counts what row-level security hides. */
function isProvedElsewhere(error: unknown): boolean {
  return causesOf(error).some(({ code, constraint_name: name }) => code === '23505' && name === 'domain_proved');
}
