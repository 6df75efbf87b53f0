import type { RequestContext } from '@ballast/http';
import { asc, eq } from 'drizzle-orm';
import { config } from '../config.ts';
import { errors } from '../errors.ts';
import { domain } from '../schema.ts';
import { type DomainView, viewOf } from '../view.ts';

/** All of them: `maxDomains` bounds how many there are. */
export async function listDomains({ ctx }: { ctx: RequestContext }): Promise<DomainView[]> {
  const { tenantId: organizationId } = ctx;
  if (!organizationId) throw errors.no_organization();
  const { publicUrl } = ctx.services;
  const { graceDays } = ctx.settings(config).options;

  const rows = await ctx.read((tx) =>
    tx.select().from(domain).where(eq(domain.organizationId, organizationId)).orderBy(asc(domain.name)),
  );
  return rows.map((row) => viewOf(row, { publicUrl, graceDays }));
}
