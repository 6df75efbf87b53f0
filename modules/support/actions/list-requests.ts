import { and, desc, eq, lt } from 'drizzle-orm';
import { z } from 'zod';
import type { Action } from '../../context.ts';
import { errors } from '../errors.ts';
import { request } from '../schema.ts';
import { type RequestView, viewOf } from '../view.ts';

export const ListRequests = z.strictObject({
  /** `nextCursor` of the page before. */
  cursor: z.uuid().optional(),
  limit: z.coerce.number().int().min(1).max(100).default(20),
});

export interface RequestPage {
  items: RequestView[];
  /** Null on the last page. */
  nextCursor: string | null;
}

/** The newest first. A page starts below the cursor's id, so rows that arrive meanwhile shift nothing. */
export async function listRequests({ ctx, input }: Action<z.output<typeof ListRequests>>): Promise<RequestPage> {
  const { tenantId: organizationId } = ctx;
  if (!organizationId) throw errors.no_organization();
  const { cursor, limit } = ListRequests.parse(input);

  const rows = await ctx.read((tx) =>
    tx
      .select()
      .from(request)
      .where(and(eq(request.organizationId, organizationId), cursor ? lt(request.id, cursor) : undefined))
      .orderBy(desc(request.id))
      .limit(limit + 1),
  );
  const items = rows.slice(0, limit);
  return { items: items.map(viewOf), nextCursor: rows.length > limit ? (items.at(-1)?.id ?? null) : null };
}
