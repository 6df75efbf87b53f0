import { randomBytes } from 'node:crypto';
import { audit } from '@ballast/db';
import { eq, sql } from 'drizzle-orm';
import { z } from 'zod';
import type { RequestAction } from '../../context.ts';
import { config } from '../config.ts';
import { domainNameOf, isOwn } from '../domain-name.ts';
import { errors } from '../errors.ts';
import { domain } from '../schema.ts';
import { type DomainView, viewOf } from '../view.ts';

export const AddDomain = z.strictObject({ name: z.string().min(1).max(300) });

/** Keeps a claim and its token. It proves nothing yet, so others may claim the same name. */
export async function addDomain({ ctx, input }: RequestAction<z.output<typeof AddDomain>>): Promise<DomainView> {
  const { tenantId: organizationId } = ctx;
  if (!organizationId) throw errors.no_organization();
  const name = domainNameOf(AddDomain.parse(input).name);
  if (!name) throw errors.not_a_domain();
  const { publicUrl } = ctx.services;
  if (isOwn(name, publicUrl)) throw errors.own_host();
  const { maxDomains, graceDays } = ctx.settings(config).options;

  return ctx.transaction(async (tx) => {
    // Two requests at once would both find room for one.
    await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended(${`domains:${organizationId}`}, 0))`);
    const own = await tx.select().from(domain).where(eq(domain.organizationId, organizationId));
    if (own.some((row) => row.name === name)) throw errors.already_added();
    if (own.length >= maxDomains) throw errors.too_many();

    const token = randomBytes(24).toString('hex');
    const [row] = await tx.insert(domain).values({ organizationId, name, token }).returning();
    if (!row) throw new Error('The insert returned no row.');
    await audit(tx, { action: 'domains.domain.add', subject: row.id });
    return viewOf(row, { publicUrl, graceDays });
  });
}
