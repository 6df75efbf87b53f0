import { audit } from '@ballast/db';
import { and, eq, sql } from 'drizzle-orm';
import { z } from 'zod';
import type { Action } from '../../context.ts';
import { request } from '../schema.ts';

export const MarkDelivered = z.strictObject({ requestId: z.uuid() });

/** The mailbox has it. In a job this is the commit that completes the job. */
export async function markDelivered({ ctx, input }: Action<z.output<typeof MarkDelivered>>): Promise<void> {
  const { requestId } = MarkDelivered.parse(input);

  await ctx.transaction(async (tx) => {
    const marked = await tx
      .update(request)
      .set({ state: 'delivered', deliveredAt: sql`now()` })
      .where(and(eq(request.id, requestId), eq(request.state, 'open')))
      .returning({ id: request.id });
    if (marked.length > 0) await audit(tx, { action: 'support.request.deliver', subject: requestId });
  });
}
