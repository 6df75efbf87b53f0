import { audit } from '@ballast/db';
import { and, eq } from 'drizzle-orm';
import { z } from 'zod';
import type { Action } from '../../context.ts';
import { errors } from '../errors.ts';
import { domain } from '../schema.ts';

export const RemoveDomain = z.strictObject({ id: z.uuid() });

/** From the next handshake that needs a certificate on, there is none for it. */
export async function removeDomain({ ctx, input }: Action<z.output<typeof RemoveDomain>>): Promise<void> {
  const { tenantId: organizationId } = ctx;
  if (!organizationId) throw errors.no_organization();
  const { id } = RemoveDomain.parse(input);

  await ctx.transaction(async (tx) => {
    const removed = await tx
      .delete(domain)
      .where(and(eq(domain.organizationId, organizationId), eq(domain.id, id)))
      .returning({ id: domain.id });
    if (removed.length === 0) throw errors.not_found();
    await audit(tx, { action: 'domains.domain.remove', subject: id });
  });
}
